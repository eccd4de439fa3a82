// SPDX-License-Identifier: MIT
//
// scope — opened, counted, cancelled. Joining is in join.c.
//
// The count of live tasks is split. The owner's thread counts what it spawns
// and what ends on it in a plain number; every other thread adds to the shared
// word. Either part may be negative; their sum is the count. Only before the
// owner parks does it add its part to the shared word, with its parker's
// number: from then on the last one out sees count and waiter in one look.
//
// Roles:    the owner opens; members enter and exit; many cancel.
// Progress: wait-free but for deadlines and the cause's memory.
// Memory:   the storage is the owner's. A member's last access is the
//           subtraction that may let the owner go on; the wake-up needs only
//           the parker's number, which came with it.
// Invariants:
//   I1 live tasks and references = local_live + (word >> 24)
//   I2 the word holds a parker only while local_live == 0 and the owner waits
//   I3 a task's innermost open scope is in its `link`; scopes further out
//      follow by `parent`
// Ordering:
//   E1 done   exit: sub-release word -> is_done: load-acquire word
//             (all that the members wrote)
//   E2 wait   announce: cas-relaxed word -> exit: sub-release word
//             (same word: the last one out sees the parker, or announce sees
//             that nobody is left)

#include "scope/scope.h"

#include "base/check.h"
#include "base/clear.h"
#include "base/platform.h"
#include "sched/executor.h"
#include "scope/census.h"
#include "scope/deadline.h"
#include "scope/error.h"
#include "scope/open.h"
#include "scope/policy.h"
#include "scope/root.h"
#include "scope/task.h"
#include "scope/token.h"
#include "scope/value.h"
#include "sync/parker.h"
#include "tenon/executor.h"
#include "tenon/limiter.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_ERRORS 16

static const tenon_scope_options defaults = {.struct_size = sizeof(defaults)};

void tn_scope_exit_shared(tenon_scope *scope, int64_t count)
{
    // From here on the scope may be gone, unless it holds itself.
    int64_t old =
        tn_sub_release(&scope->word, count * TN_WORD_COUNT_ONE);  // E1, E2
    if (tn_unlikely((old & TN_WORD_NOTIFY) != 0)) {
        if (tn_word_count(old) == count + 1) {
            tn_scope_notify_empty(scope);
        }
        return;
    }
    uint32_t parker = tn_word_parker(old);
    if (tn_word_count(old) == count && parker != TN_PARKER_NONE) {
        tn_parker_unpark(parker);
    }
}

static bool are_valid(const tenon_scope_options *options)
{
    bool has_two_limits = options->limiter != NULL && options->max_running != 0;

    return !has_two_limits && options->struct_size == sizeof(*options) &&
           tn_policy_is_valid(options) && tn_value_are_valid(options);
}

static tenon_status find_executor(
    const tenon_scope_options *options, tenon_executor **executor)
{
    struct tn_worker *worker = tn_worker_self();

    if (options->executor != NULL) {
        *executor = options->executor;
    } else if (worker != NULL) {
        *executor = worker->executor;
    } else {
        tenon_status status = tenon_executor_default(executor);
        if (status != TENON_OK) {
            return status;
        }
    }
    // A join there would keep deadlines from passing, its own among them.
    bool is_timer = (worker == NULL || worker->executor != *executor) &&
                    tn_timer_is_here(&(*executor)->timer);
    return is_timer ? TENON_EDEADLK : TENON_OK;
}

// The scope in which one that `owner` opens now lies, or NULL.
static tenon_scope *scope_around(tenon_task *owner)
{
    if (owner == NULL) {
        return NULL;
    }
    return owner->link != NULL ? owner->link : owner->scope;
}

// Where a scope is opened.
struct place {
    tenon_executor *executor;
    tenon_task *owner;    // or NULL
    tenon_scope *around;  // or NULL
    tenon_token *above;   // what the token is below; NULL: nothing
};

// Is a scope that is opened there counted as open by its executor?
static inline bool is_outermost_at(const struct place *place)
{
    return place->around == NULL || place->around->executor != place->executor;
}

static struct place find_place(
    tenon_executor *executor, const tenon_scope_options *options)
{
    tenon_task *owner = tn_task_current();
    struct place place = {
        .executor = executor, .owner = owner, .around = scope_around(owner)};

    if (!options->is_shielded) {
        place.above = owner != NULL ? tn_task_innermost_token(owner)
                                    : tn_open_token(executor);
    }
    return place;
}

// Inside a task of another executor it is below that one as well.
static void add_links(
    tenon_scope *scope, const struct place *place,
    const tenon_scope_options *options)
{
    uint32_t link_count = 0;

    if (options->parent != NULL) {
        scope->links[link_count++].parent = options->parent;
    }
    if (place->owner != NULL && !options->is_shielded &&
        is_outermost_at(place)) {
        scope->links[link_count++].parent = tn_open_token(place->executor);
    }
    if (link_count > 0) {
        tn_token_link(&scope->token, scope->links, link_count);
    }
}

static inline void clear(tenon_scope *scope)
{
    TN_CLEAR(scope, local_live, report);
    TN_CLEAR(scope, word, completed);
    TN_CLEAR(scope, completed, next_root);
}

// Inline: of constant options, none of which is set, little is left.
static inline __attribute__((always_inline)) void init_fields(
    tenon_scope *scope, const struct place *place,
    const tenon_scope_options *options, bool is_plain)
{
    tenon_scope *parent = place->around;

    clear(scope);
    scope->executor = place->executor;
    scope->owner = place->owner;
    scope->owner_thread = tn_thread_self();
    tn_atomic_init(&scope->local_thread, scope->owner_thread);
    scope->parent = parent;
    scope->depth = parent == NULL ? 0 : parent->depth + 1;
    scope->policy = options->policy;
    scope->max_errors =
        options->max_errors == 0 ? DEFAULT_MAX_ERRORS : options->max_errors;
    scope->phase = TN_SCOPE_OPEN;
    scope->owns_limiter = false;
    scope->is_plain = is_plain;
    if (tn_unlikely(options->limiter != NULL)) {
        scope->phase = TN_SCOPE_WATCHED;
    }
    if (tn_unlikely(tn_policy_is_watching(scope))) {
        scope->phase = TN_SCOPE_WATCHED;
        scope->on_complete = options->on_complete;
        scope->verdict = options->verdict;
        scope->policy_context = options->policy_context;
    }
    scope->report = options->report;
    scope->status = options->status;
    scope->limiter = options->limiter;
    scope->node = NULL;
    tn_value_init(scope, options);
    tn_token_init(
        &scope->token, place->above, TN_TOKEN_OF_SCOPE, options->name);
}

static tenon_status add_limiter(
    tenon_scope *scope, const tenon_scope_options *options)
{
    if (options->max_running == 0) {
        return TENON_OK;
    }
    scope->limiter = malloc(sizeof(*scope->limiter));
    if (scope->limiter == NULL) {
        return TENON_ENOMEM;
    }
    tenon_limiter_init(scope->limiter, options->max_running);
    scope->owns_limiter = true;
    scope->phase = TN_SCOPE_WATCHED;
    return TENON_OK;
}

void tn_scope_drop_limiter(tenon_scope *scope)
{
    if (scope->owns_limiter) {
        tenon_limiter_fini(scope->limiter);
        free(scope->limiter);
    }
}

// Of equal deadlines the outermost scope comes first, then its tasks.
static uint32_t rank_of(const tenon_scope *scope)
{
    return scope->depth * 2;
}

static tenon_status start_deadline(
    tenon_scope *scope, const tenon_scope_options *options)
{
    struct tn_timer *timer = &scope->executor->timer;

    if (options->deadline_ns == 0 && options->timeout_ns == 0) {
        return TENON_OK;
    }
    uint64_t deadline_ns =
        tn_deadline_of(timer, options->deadline_ns, options->timeout_ns);
    return tn_deadline_set(&scope->token, timer, deadline_ns, rank_of(scope));
}

bool tn_scope_is_outermost(const tenon_scope *scope)
{
    return scope->parent == NULL || scope->parent->executor != scope->executor;
}

// Born cancelled, or clean as of now. Gives TENON_OK.
static __attribute__((noinline)) tenon_status look_above(tenon_scope *scope)
{
    if (!tn_token_is_clean(&scope->token)) {
        tenon_token_cancelled(&scope->token);
    }
    return TENON_OK;
}

void tn_scope_check_anew(tenon_scope *scope)
{
    if (tn_unlikely(
            scope->token.up.parent == NULL || scope->token.link_count != 0)) {
        scope->owner->clean_epoch = 0;
    }
}

static inline bool is_open_in(const tenon_scope *scope, const tenon_task *owner)
{
    const tenon_scope *open = owner->link;

    while (open != NULL && open != scope && open->owner == owner) {
        open = open->parent;
    }
    return open == scope;
}

// Is it among the open scopes of the running task or, outside of tasks, of the
// thread? What lies in it is unknown otherwise. Aborts if one of the latter was
// in a frame below `end`.
static bool is_open_here(
    const tenon_scope *scope, tenon_executor *executor, const char *end)
{
    const tenon_task *owner = tn_task_current();

    return owner == NULL ? tn_root_is_open(scope, executor, end)
                         : is_open_in(scope, owner);
}

// `end` as for is_open_here().
static __attribute__((noinline)) tenon_status open_slowly(
    tenon_scope *scope, const tenon_scope_options *options, const char *end)
{
    tenon_executor *executor = NULL;

    if (scope == NULL || (options != NULL && !are_valid(options))) {
        return TENON_EINVAL;
    }
    options = options == NULL ? &defaults : options;
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    tenon_status status = find_executor(options, &executor);
    if (status != TENON_OK) {
        return status;
    }
    if (is_open_here(scope, executor, end)) {
        return TENON_EALREADY;
    }
    struct place place = find_place(executor, options);
    bool is_outermost = is_outermost_at(&place);
    if (is_outermost && !tn_open_enter(executor)) {
        return TENON_ECLOSED;
    }
    init_fields(scope, &place, options, false);
    add_links(scope, &place, options);
    (void)look_above(scope);
    status = add_limiter(scope, options);
    if (status == TENON_OK) {
        status = start_deadline(scope, options);
    }
    if (status != TENON_OK) {
        scope->phase = TN_SCOPE_UNUSED;
        scope->executor = NULL;
        tn_scope_drop_limiter(scope);
        tenon_token_fini(&scope->token);
        if (is_outermost) {
            tn_open_leave(executor);
        }
        return status;
    }
    if (tn_unlikely(executor->is_debugged)) {
        scope->phase = TN_SCOPE_WATCHED;
        tn_census_add_scope(scope);
    }
    if (scope->owner != NULL) {
        if (!is_outermost) {
            tn_executor_count(executor, TN_TALLY_SCOPES, 1);
        }
        scope->owner->link = scope;  // I3
        tn_scope_check_anew(scope);
    } else {
        tn_root_add(scope);
    }
    return TENON_OK;
}

// The common case: inside a task, on the executor that runs it, without
// options. A function of its own: one copy, for either place around it.
static __attribute__((noinline)) tenon_status open_plainly(
    tenon_scope *scope, struct tn_worker *worker, tenon_task *owner,
    tenon_scope *around, tenon_token *above)
{
    struct place place = {worker->executor, owner, around, above};

    init_fields(scope, &place, &defaults, true);
    tn_worker_count(worker, TN_TALLY_SCOPES, 1);
    owner->link = scope;  // I3
    return tn_likely(tn_token_is_clean(&scope->token)) ? TENON_OK
                                                       : look_above(scope);
}

tenon_status tenon_scope_open(
    tenon_scope *scope, const tenon_scope_options *options)
{
    struct tn_worker *worker = tn_worker_self();
    tenon_task *owner = worker == NULL ? NULL : worker->face.current;

    if (tn_unlikely(
            scope == NULL || options != NULL || owner == NULL ||
            tn_has_forked || worker->executor->is_debugged ||
            scope_around(owner)->executor != worker->executor)) {
        return open_slowly(scope, options, TN_STACK_CALLEES);
    }
    if (tn_unlikely(is_open_in(scope, owner))) {
        return TENON_EALREADY;
    }
    return open_plainly(
        scope, worker, owner, scope_around(owner),
        tn_task_innermost_token(owner));
}

static bool cancel(tenon_scope *scope, tenon_cause *cause)
{
    tenon_task *current = tn_task_current();

    tn_cause_copy(
        cause->scope_name, sizeof(cause->scope_name), scope->token.name);
    if (current != NULL) {
        tn_cause_copy(
            cause->task_name, sizeof(cause->task_name),
            tenon_task_name(current));
        cause->task_id = tenon_task_id(current);
    }
    return tn_token_set(&scope->token, cause);
}

// Opened and not yet joined?
static bool is_in_use(const tenon_scope *scope)
{
    // relaxed: after the join only the owner may still call.
    return scope->executor != NULL &&
           (tn_load_relaxed(&scope->word) & TN_WORD_CLOSED) == 0;
}

bool tenon_scope_cancel(tenon_scope *scope, int code, const char *format, ...)
{
    va_list args;

    if (!is_in_use(scope)) {
        return false;
    }
    va_start(args, format);
    tenon_cause cause = tn_cause_make(TENON_CAUSE_EXPLICIT, code, format, args);
    va_end(args);
    return cancel(scope, &cause);
}

tenon_status tenon_scope_set_deadline(tenon_scope *scope, uint64_t deadline_ns)
{
    if (scope == NULL || scope->executor == NULL || deadline_ns == 0) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    if (!is_in_use(scope)) {
        return TENON_ECLOSED;
    }
    if (tenon_token_cancelled(&scope->token)) {
        return TENON_EALREADY;
    }
    return tn_deadline_set(
        &scope->token, &scope->executor->timer, deadline_ns, rank_of(scope));
}

bool tenon_scope_cancelled(tenon_scope *scope)
{
    return tenon_token_cancelled(&scope->token);
}

bool tenon_scope_cause(tenon_scope *scope, tenon_cause *cause)
{
    return is_in_use(scope) && tenon_token_cause(&scope->token, cause);
}

tenon_token *tenon_scope_token(tenon_scope *scope)
{
    return &scope->token;
}

tenon_executor *tenon_scope_executor(const tenon_scope *scope)
{
    return scope->executor;
}

const char *tenon_scope_name(const tenon_scope *scope)
{
    return scope->token.name == NULL ? "" : scope->token.name;
}
