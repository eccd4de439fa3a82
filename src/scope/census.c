// SPDX-License-Identifier: MIT
//
// census — the tree of what lives, and what is wrong with it.
//
// A task that polls makes no store while nothing is cancelled. So who looks
// bumps the process's epoch: the next poll of every task takes the slow way,
// where it leaves the epoch that it has seen. A running task that has not left
// this one since the last look has not polled.
//
// Roles:    owners and spawners add, ends remove; the timer thread looks.
// Progress: one lock for the process, in debug mode only.
// Memory:   nodes are ours, and gone before their scope or task is.
// Forked:   in the child of a fork(2) the lock may be held for ever: nothing is
//           added there.

#include "scope/census.h"

#include "sched/executor.h"
#include "scope/deadline.h"
#include "scope/finding.h"
#include "scope/open.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "scope/token.h"
#include "tenon/dump.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define GRACE_DEFAULT_NS TENON_SECONDS(1)
#define SLOW_DEFAULT_NS TENON_MILLISECONDS(100)
#define INTERVAL_MIN_NS TENON_MILLISECONDS(1)
#define FINDINGS_MAX 16
#define TEXT_MAX 256

_Atomic(bool) tn_census_is_used;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void tn_census_lock(void)
{
    pthread_mutex_lock(&lock);
}

void tn_census_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

static void link_locked(struct tn_node *parent, struct tn_node *node)
{
    node->parent = parent;
    node->next = NULL;
    node->previous = parent->last;
    if (parent->last == NULL) {
        parent->first = node;
    } else {
        parent->last->next = node;
    }
    parent->last = node;
}

static void unlink_locked(struct tn_node *node)
{
    struct tn_node *parent = node->parent;

    if (node->next != NULL) {
        node->next->previous = node->previous;
    } else {
        parent->last = node->previous;
    }
    if (node->previous != NULL) {
        node->previous->next = node->next;
    } else {
        parent->first = node->next;
    }
}

struct tn_node *tn_census_next(
    const struct tn_node *root, const struct tn_node *node, size_t *depth)
{
    if (node->first != NULL) {
        ++*depth;
        return node->first;
    }
    while (node != root && node->next == NULL) {
        --*depth;
        node = node->parent;
    }
    return node == root ? NULL : node->next;
}

static struct tn_census *census_of(const tenon_executor *executor)
{
    return &tn_open_upper(executor)->census;
}

// The node of a task or, if that is forked, of the one that was spawned; NULL
// if it has none.
static struct tn_node *node_of(const tenon_task *task)
{
    while (tn_task_is_forked(task)) {
        task = task->relation;
    }
    // Others may get their extras just now.
    if ((tn_task_flags(task) & TN_TASK_NOTED) == 0) {
        return NULL;
    }
    return ((const struct tn_task_extra *)task->relation)->node;
}

// The node of `subject`, which is none of the tree yet.
static struct tn_node *add(
    struct tn_node *parent, const tenon_scope *scope,
    const struct tn_node *subject)
{
    struct tn_node *node = malloc(sizeof(*node));

    if (node == NULL) {
        return NULL;
    }
    *node = *subject;
    node->timer = &scope->executor->timer;
    tn_atomic_init(&node->since_ns, tn_timer_now_ns(node->timer));
    tn_census_lock();
    link_locked(
        parent != NULL ? parent : &census_of(scope->executor)->root, node);
    tn_census_unlock();
    return node;
}

void tn_census_add_scope(tenon_scope *scope)
{
    struct tn_node subject = {
        .kind = TN_NODE_SCOPE,
        .name = scope->token.name,
        .token = &scope->token,
    };

    // Of another executor than its owner's: a root of that one's tree.
    scope->node =
        add(tn_scope_is_outermost(scope) ? NULL : node_of(scope->owner), scope,
            &subject);
}

void tn_census_remove_scope(tenon_scope *scope)
{
    tn_census_remove(scope->node);
    scope->node = NULL;
}

struct tn_node *tn_census_add_task(
    tenon_scope *scope, const tenon_task_options *options, tenon_token *token)
{
    bool is_delayed = options->delay_ns != 0 || options->begin_ns != 0;
    struct tn_node subject = {
        .kind = TN_NODE_TASK,
        .name = options->name,
        .id = options->id,
        .token = token,
        .state = is_delayed ? TN_STATE_DELAYED : TN_STATE_QUEUED,
    };

    return add(scope->node, scope, &subject);
}

// What is left below it, without memory for a node between, goes up.
void tn_census_remove(struct tn_node *node)
{
    if (node == NULL || tn_has_forked) {
        return;
    }
    tn_census_lock();
    while (node->first != NULL) {
        struct tn_node *child = node->first;
        unlink_locked(child);
        link_locked(node->parent, child);
    }
    unlink_locked(node);
    tn_census_unlock();
    free(node);
}

// What is below it has tokens that lead into the frame.
static void mark_gone_locked(struct tn_node *gone)
{
    size_t depth = 0;

    for (struct tn_node *node = gone; node != NULL;
         node = tn_census_next(gone, node, &depth)) {
        node->is_gone = true;
    }
}

void tn_census_show_dead(const tenon_scope *scope, tenon_executor *executor)
{
    size_t depth = 0;

    if (!tn_debug_is_on(executor)) {
        return;
    }
    struct tn_node *root = &census_of(executor)->root;
    tn_census_lock();
    for (struct tn_node *node = root; node != NULL;
         node = tn_census_next(root, node, &depth)) {
        if (node->token == &scope->token) {
            mark_gone_locked(node);
        }
    }
    tn_census_unlock();
    tenon_dump(executor, stderr);
}

uint32_t tn_census_note_state(tenon_task *task, uint32_t state)
{
    struct tn_node *node = node_of(task);

    if (node == NULL) {
        return TN_STATE_RUNNING;
    }
    // relaxed: for people.
    uint32_t before = tn_load_relaxed(&node->state);
    if (before != state) {
        // relaxed: likewise.
        tn_store_relaxed(&node->since_ns, tn_timer_now_ns(node->timer));
        // relaxed: likewise.
        tn_store_relaxed(&node->state, state);
    }
    tn_census_note_poll(task, tn_cancel_epoch());
    return before;
}

void tn_census_note_poll(tenon_task *task, uint64_t epoch)
{
    struct tn_node *node = node_of(task);

    if (node != NULL) {
        // relaxed: who looks wants to know only which.
        tn_store_relaxed(&node->polled_epoch, epoch);
    }
}

void tn_census_note_units(
    tenon_task *task, const tenon_limiter *limiter, bool has_taken)
{
    struct tn_node *node = node_of(task);

    if (node != NULL && (has_taken || tn_census_holds(node, limiter))) {
        // relaxed: a hint for people.
        tn_store_relaxed(&node->held, has_taken ? limiter : NULL);
    }
}

void tn_census_gave(const tenon_limiter *limiter)
{
    tenon_task *task = tn_task_current();

    if (tn_unlikely(tn_census_is_on()) && task != NULL) {
        tn_census_note_units(task, limiter, false);
    }
}

// What is wrong, to be told when the lock is free.
struct found {
    tenon_finding finding;
    char text[TEXT_MAX];
    char task_name[32];
    char scope_name[32];
};

struct look {
    uint64_t now_ns;
    uint64_t epoch;
    const struct tn_census *census;
    size_t count;
    struct found found[FINDINGS_MAX];
};

static bool has_room(const struct look *look)
{
    return look->count < FINDINGS_MAX;
}

static const char *or_empty(const char *name)
{
    return name == NULL ? "" : name;
}

static void note(
    struct look *look, const struct tn_node *node, tenon_finding_kind kind,
    uint64_t for_ns, const char *what)
{
    struct found *found = &look->found[look->count++];
    double seconds = (double)for_ns / (double)TENON_SECONDS(1);

    tn_cause_copy(
        found->task_name, sizeof(found->task_name), or_empty(node->name));
    tn_cause_copy(
        found->scope_name, sizeof(found->scope_name),
        or_empty(node->parent->name));
    snprintf(
        found->text, sizeof(found->text),
        "task '%.31s' #%" PRIu64 " of scope '%.31s' %s %.3f s",
        or_empty(node->name), node->id, or_empty(node->parent->name), what,
        seconds);
    found->finding = (tenon_finding){
        .kind = kind,
        .text = found->text,
        .task_name = found->task_name,
        .task_id = node->id,
        .scope_name = found->scope_name,
        .for_ns = for_ns,
    };
}

static void look_for_slow_poll_locked(
    struct look *look, struct tn_node *node, uint32_t state)
{
    // relaxed: a new enough one is a poll, whenever that was.
    uint64_t polled_epoch = tn_load_relaxed(&node->polled_epoch);
    bool has_polled = polled_epoch >= node->quiet_epoch;

    if (state != TN_STATE_RUNNING || has_polled || node->quiet_epoch == 0) {
        node->quiet_epoch = look->epoch;
        node->quiet_since_ns = look->now_ns;
        node->is_told_slow = false;
        return;
    }
    uint64_t for_ns = look->now_ns - node->quiet_since_ns;
    if (for_ns >= look->census->slow_ns && !node->is_told_slow &&
        has_room(look)) {
        node->is_told_slow = true;
        note(look, node, TENON_FINDING_SLOW_POLL, for_ns, "has not polled for");
    }
}

static void look_for_ignored_cancel_locked(
    struct look *look, struct tn_node *node, uint32_t state)
{
    bool is_working = state == TN_STATE_RUNNING || state == TN_STATE_BLOCKING;

    if (!is_working || node->is_told_ignored ||
        !tn_token_is_set(node->token, look->epoch)) {
        return;
    }
    if (node->set_since_ns == 0) {
        node->set_since_ns = look->now_ns;
    }
    uint64_t for_ns = look->now_ns - node->set_since_ns;
    if (for_ns >= look->census->grace_ns && has_room(look)) {
        node->is_told_ignored = true;
        note(
            look, node, TENON_FINDING_CANCEL_IGNORED, for_ns,
            state == TN_STATE_BLOCKING ? "blocks on after its cancel for"
                                       : "runs on after its cancel for");
    }
}

static void look_locked(struct look *look, struct tn_node *node)
{
    // relaxed: for people.
    uint32_t state = tn_load_relaxed(&node->state);

    look_for_slow_poll_locked(look, node, state);
    look_for_ignored_cancel_locked(look, node, state);
}

static void inspect(struct tn_census *census)
{
    struct look look = {
        .now_ns = tn_timer_now_ns(&census->executor->timer),
        .census = census,
    };
    size_t depth = 0;

    tn_census_lock();
    // Whoever polls from now on takes the slow way.
    look.epoch =
        tn_add_acqrel(&tenon_cancel_epoch.value, 1) + 1;  // E2 of token.c
    for (struct tn_node *node = &census->root; node != NULL;
         node = tn_census_next(&census->root, node, &depth)) {
        if (node->kind == TN_NODE_TASK && !node->is_gone) {
            look_locked(&look, node);
        }
    }
    tn_census_unlock();
    for (size_t i = 0; i < look.count; i++) {
        tn_finding_tell(&look.found[i].finding);
    }
}

static uint64_t next_look_ns(const struct tn_census *census)
{
    uint64_t least_ns =
        census->grace_ns < census->slow_ns ? census->grace_ns : census->slow_ns;
    uint64_t interval_ns =
        least_ns / 4 > INTERVAL_MIN_NS ? least_ns / 4 : INTERVAL_MIN_NS;

    return tn_deadline_of(&census->executor->timer, 0, interval_ns);
}

static void inspect_in_time(struct tn_timer_entry *entry)
{
    struct tn_census *census =
        (struct tn_census *)((char *)entry - offsetof(struct tn_census, entry));

    inspect(census);
    // relaxed: who stops it waits for this firing to end.
    if (!tn_load_relaxed(&census->is_stopping)) {
        tn_timer_repeat(&census->executor->timer, entry, next_look_ns(census));
    }
}

void tn_census_init(
    struct tn_census *census, tenon_executor *executor, uint64_t grace_ns,
    uint64_t slow_ns)
{
    *census = (struct tn_census){
        .root.kind = TN_NODE_EXECUTOR,
        .entry.deadline_ns = TN_FOREVER,
        .executor = executor,
        .grace_ns = grace_ns == 0 ? GRACE_DEFAULT_NS : grace_ns,
        .slow_ns = slow_ns == 0 ? SLOW_DEFAULT_NS : slow_ns,
    };
}

void tn_census_start(struct tn_census *census)
{
    // relaxed: the executor is not shared yet.
    tn_store_relaxed(&tn_census_is_used, true);
    (void)tn_timer_set(
        &census->executor->timer, &census->entry, inspect_in_time,
        next_look_ns(census), 0);
}

void tn_census_stop(struct tn_census *census)
{
    // relaxed: the disarm orders it.
    tn_store_relaxed(&census->is_stopping, true);
    tn_timer_disarm(&census->executor->timer, &census->entry);
}

void tenon_executor_inspect(tenon_executor *executor)
{
    if (tn_debug_is_on(executor) && !tn_has_forked) {
        inspect(census_of(executor));
    }
}
