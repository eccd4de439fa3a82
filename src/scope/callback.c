// SPDX-License-Identifier: MIT
//
// callback — who is to be called by a cancel, found from above.
//
// A cancel touches nothing below its token, so what wants to be called has to
// be found: a token with a callback is listed at its parent, and so on up to
// the root. A token is "listening" while it is on such a way. Callbacks are
// rare, and so is what changes here: one lock for the process guards it all.
//
// A cancel gathers the callbacks below its token under the lock, and calls them
// one by one without it. Meanwhile any of them can be taken out again.
//
// Roles:    any thread registers and unregisters; who sets a token runs.
// Progress: blocks on the lock; unregister and the end of a token wait for a
//           callback that runs on another thread.
// Forked:   in the child of a fork(2) the lock may be held for ever: nothing is
//           called there, and nothing waited for.
// Memory:   a callback is the caller's; a token's list is valid while the token
//           listens. The list of a run is on the stack of who runs it.
// Invariants:
//   I1 a callback is in its token's list while it is PENDING, QUEUED or
//      RUNNING, and in a run's list while it is QUEUED
//   I2 a token listens exactly while it has a callback or a listening child
// Ordering:
//   E1 listening  register: store is_listening, fence, load epoch and causes
//                 cancel:   cas cause and add epoch, fence, load is_listening
//                 (one of the two sees the other)
//   E2 silent     unlisten: store-release is_listening -> end: load-acquire
//                 is_listening (nobody looks at the token any more)

#include "scope/callback.h"

#include "base/check.h"
#include "base/futex.h"
#include "sched/worker.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "scope/token.h"

#include <limits.h>
#include <pthread.h>

enum { NOWHERE, PENDING, QUEUED, RUNNING, RAN };
enum { SILENT, LISTENING, GATHERED };

// One cancel's callbacks.
struct run {
    const void *thread;
    tenon_callback *first;
    tenon_callback *last;
    bool is_gone;  // the one that runs has taken itself out
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t waiter_count;  // guarded by lock

// Bumped with the lock held when one is done with.
static _Atomic(uint32_t) ran_count;

static bool is_listening(tenon_token *token)
{
    // relaxed: written with the lock held, which we hold.
    return tn_load_relaxed(&token->is_listening) != SILENT;
}

static void attach_locked(tenon_token_link *link, tenon_token *child)
{
    tenon_token *parent = link->parent;

    link->child = child;
    link->previous = NULL;
    link->next = parent->listeners;
    if (link->next != NULL) {
        link->next->previous = link;
    }
    parent->listeners = link;
}

static void detach_locked(tenon_token_link *link)
{
    if (link->next != NULL) {
        link->next->previous = link->previous;
    }
    if (link->previous != NULL) {
        link->previous->next = link->next;
    } else {
        link->parent->listeners = link->next;
    }
}

static void listen_locked(tenon_token *token)
{
    if (is_listening(token)) {
        return;
    }
    // relaxed: E1.
    tn_store_relaxed(&token->is_listening, LISTENING);
    token->listeners = NULL;
    token->last_callback = NULL;
    for (uint32_t i = 0; i < token->link_count; i++) {
        listen_locked(token->links[i].parent);
        attach_locked(&token->links[i], token);
    }
    if (token->up.parent != NULL) {
        listen_locked(token->up.parent);
        attach_locked(&token->up, token);
    }
}

// I2.
static void unlisten_locked(tenon_token *token)
{
    if (token->listeners != NULL || token->last_callback != NULL) {
        return;
    }
    for (uint32_t i = 0; i < token->link_count; i++) {
        detach_locked(&token->links[i]);
        unlisten_locked(token->links[i].parent);
    }
    if (token->up.parent != NULL) {
        detach_locked(&token->up);
        unlisten_locked(token->up.parent);
    }
    tn_store_release(&token->is_listening, SILENT);  // E2: it may be gone
}

// The list of a token is a ring; the token has its last one.
static void append_locked(tenon_callback *callback)
{
    tenon_token *token = callback->token;
    tenon_callback *last = token->last_callback;

    callback->next = last == NULL ? callback : last->next;
    callback->previous = last == NULL ? callback : last;
    callback->next->previous = callback;
    callback->previous->next = callback;
    token->last_callback = callback;
}

static void remove_locked(tenon_callback *callback, uint32_t state)
{
    tenon_token *token = callback->token;

    callback->next->previous = callback->previous;
    callback->previous->next = callback->next;
    if (token->last_callback == callback) {
        token->last_callback =
            callback->previous == callback ? NULL : callback->previous;
    }
    callback->state = state;
    unlisten_locked(token);
}

static void queue_locked(struct run *run, tenon_callback *callback)
{
    callback->state = QUEUED;
    callback->run = run;
    callback->run_next = NULL;
    callback->run_previous = run->last;
    if (run->last == NULL) {
        run->first = callback;
    } else {
        run->last->run_next = callback;
    }
    run->last = callback;
}

static void unqueue_locked(tenon_callback *callback)
{
    struct run *run = callback->run;

    if (callback->run_next != NULL) {
        callback->run_next->run_previous = callback->run_previous;
    } else {
        run->last = callback->run_previous;
    }
    if (callback->run_previous != NULL) {
        callback->run_previous->run_next = callback->run_next;
    } else {
        run->first = callback->run_next;
    }
}

// What comes later to a token that is set runs at once, so one visit is enough,
// though several ways may lead to it.
static void gather_locked(struct run *run, tenon_token *token)
{
    tenon_callback *last = token->last_callback;
    tenon_callback *callback = last;

    // relaxed: with the lock held.
    if (tn_load_relaxed(&token->is_listening) == GATHERED) {
        return;
    }
    // relaxed: with the lock held.
    tn_store_relaxed(&token->is_listening, GATHERED);
    while (callback != NULL) {
        callback = callback->next;
        if (callback->state == PENDING) {
            queue_locked(run, callback);
        }
        callback = callback == last ? NULL : callback;
    }
    for (tenon_token_link *link = token->listeners; link != NULL;
         link = link->next) {
        gather_locked(run, link->child);
    }
}

static void wait_locked(void)
{
    // relaxed: the lock orders it.
    uint32_t seen = tn_load_relaxed(&ran_count);

    waiter_count++;
    pthread_mutex_unlock(&lock);
    tn_futex_wait_until(&ran_count, seen, TN_FOREVER);
    pthread_mutex_lock(&lock);
    waiter_count--;
}

static void tell_waiters_locked(void)
{
    // relaxed: the lock orders it.
    tn_add_relaxed(&ran_count, 1);
    if (waiter_count > 0) {
        tn_futex_wake(&ran_count, INT_MAX);
    }
}

// The callback may be gone after it has run, if it has taken itself out.
static void call_locked(struct run *run, tenon_callback *callback)
{
    tenon_token *token = callback->token;

    callback->state = RUNNING;
    callback->run = run;
    run->is_gone = false;
    pthread_mutex_unlock(&lock);
    tenon_cause cause = tn_token_cause(token);
    int status = callback->fn(callback->context, &cause);
    if (status != 0 && !run->is_gone) {
        tn_ledger_callback_failed(token, status);
    }
    pthread_mutex_lock(&lock);
    if (!run->is_gone) {
        remove_locked(callback, RAN);
    }
    tell_waiters_locked();
}

void tn_callback_run_listening(tenon_token *token)
{
    struct run run = {.thread = tn_thread_self()};
    tenon_callback *callback = NULL;

    if (tn_has_forked) {
        return;
    }
    pthread_mutex_lock(&lock);
    if (is_listening(token)) {
        gather_locked(&run, token);
    }
    while ((callback = run.first) != NULL) {
        unqueue_locked(callback);
        call_locked(&run, callback);
    }
    pthread_mutex_unlock(&lock);
}

void tenon_callback_register(
    tenon_callback *callback, tenon_token *token, tenon_callback_fn *fn,
    void *context)
{
    struct run run = {.thread = tn_thread_self()};

    *callback = (tenon_callback){
        .fn = fn,
        .context = context,
        .token = token,
        .state = PENDING,
    };
    if (tn_has_forked) {
        callback->state = NOWHERE;
        return;
    }
    pthread_mutex_lock(&lock);
    listen_locked(token);
    append_locked(callback);
    tn_fence_seqcst();  // E1
    if (tn_token_is_set(token, tn_cancel_epoch())) {
        call_locked(&run, callback);
    }
    pthread_mutex_unlock(&lock);
}

// Does the calling thread run it, or is it about to?
static bool is_run_here(const tenon_callback *callback)
{
    return ((struct run *)callback->run)->thread == tn_thread_self();
}

// It does not run any more, or only further up on this thread's stack.
static void take_out_locked(tenon_callback *callback)
{
    if (callback->state == QUEUED) {
        unqueue_locked(callback);
    }
    if (callback->state == RUNNING) {
        ((struct run *)callback->run)->is_gone = true;
        remove_locked(callback, RAN);
        return;
    }
    remove_locked(callback, NOWHERE);
}

bool tenon_callback_unregister(tenon_callback *callback)
{
    if (tn_has_forked) {
        return true;
    }
    pthread_mutex_lock(&lock);
    while (callback->state == RUNNING && !is_run_here(callback)) {
        wait_locked();
    }
    bool has_run = callback->state == RUNNING || callback->state == RAN;
    if (callback->state != NOWHERE && callback->state != RAN) {
        take_out_locked(callback);
        tell_waiters_locked();  // the end of its token may wait for it
    }
    pthread_mutex_unlock(&lock);
    return !has_run;
}

// One that another thread runs or is about to.
static bool must_wait_locked(const tenon_token *token)
{
    const tenon_callback *last = token->last_callback;
    const tenon_callback *callback = last;

    while (callback != NULL) {
        if (callback->state != PENDING && !is_run_here(callback)) {
            return true;
        }
        callback = callback->next == last ? NULL : callback->next;
    }
    return false;
}

void tn_callback_end_listening(tenon_token *token)
{
    if (tn_has_forked) {
        return;
    }
    pthread_mutex_lock(&lock);
    while (is_listening(token) && must_wait_locked(token)) {
        wait_locked();
    }
    while (is_listening(token) && token->last_callback != NULL) {
        take_out_locked(token->last_callback);
    }
    pthread_mutex_unlock(&lock);
}
