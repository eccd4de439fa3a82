// SPDX-License-Identifier: MIT
//
// stream — a list that all who end push to, and waits for what is in it.
//
// Who ends pushes its handle to a stack with one cas. Who asks takes the whole
// stack, turns it round and puts it behind what is ready. Who waits is listed,
// and sets a bit beside the head of the stack: who pushes sees it by the same
// cas, and wakes all who are listed. They look for themselves.
//
// Roles:    workers push; owner, members and others take and wait.
// Progress: push lock-free, with a lock if somebody waits; the others take the
//           lock of the scope's bucket.
// Memory:   handles are the callers' and outlive the scope; waiters are on the
//           stacks of who waits, and leave the list before they go.
// Invariants:
//   I1 the bit is set while a waiter of the scope is listed
//   I2 delivered_count <= handle_count; they are equal when all were given
// Ordering:
//   E1 push   add: cas-release completed -> refill: cas-acquire completed
//             (handles, outcomes)
//   E2 wait   list: cas-acqrel completed -> add: cas-release completed
//             (same word: the push sees the bit, or who waits sees the push)
//   E3 ended  E1 of task.c: end_handle -> tn_handle_ended()
//   E4 given  take: add-release delivered_count -> is_all_given: load-acquire
//             delivered_count (whoever was given had been counted)
//   E5 forget forget: sub handle_count, fence, load completed
//             list, announce: cas completed, fence, load handle_count
//             (one of the two sees the other)

#include "scope/stream.h"

#include "base/atomic.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/pause.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "scope/token.h"
#include "tenon/wait.h"

#include <pthread.h>

#define WAITED ((uintptr_t)1)
#define BUCKET_COUNT 64

struct waiter {
    struct tn_pause pause;
    tenon_scope *scope;
    struct waiter *next;
    struct waiter *previous;

    // Of tenon_wait_until().
    tenon_handle *const *handles;
    size_t handle_count;
    size_t ended_count;  // so many of the first are known to have ended
    tenon_wait_for condition;
};

struct bucket {
    pthread_mutex_t lock;
    struct waiter *waiters;
};

static struct bucket buckets[BUCKET_COUNT];
static pthread_once_t buckets_once = PTHREAD_ONCE_INIT;

static void make_buckets(void)
{
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        pthread_mutex_init(&buckets[i].lock, NULL);
    }
}

static struct bucket *bucket_of(const tenon_scope *scope)
{
    // Fibonacci hashing: Knuth, "The Art of Computer Programming" 3, 6.4.
    uint64_t hash = (uintptr_t)scope * UINT64_C(0x9e3779b97f4a7c15);

    pthread_once(&buckets_once, make_buckets);
    return &buckets[hash >> 58];
}

static void wake_locked(struct bucket *bucket, const tenon_scope *scope)
{
    for (struct waiter *waiter = bucket->waiters; waiter != NULL;
         waiter = waiter->next) {
        if (waiter->scope == scope) {
            tn_pause_wake(&waiter->pause);
        }
    }
}

static void wake(const tenon_scope *scope)
{
    struct bucket *bucket = bucket_of(scope);

    pthread_mutex_lock(&bucket->lock);
    wake_locked(bucket, scope);
    pthread_mutex_unlock(&bucket->lock);
}

void tn_stream_expect(tenon_scope *scope)
{
    // relaxed: E4, the spawn comes before its end.
    tn_add_relaxed(&scope->handle_count, 1);
}

void tn_stream_forget(tenon_scope *scope)
{
    // relaxed: E5.
    tn_sub_relaxed(&scope->handle_count, 1);
    tn_fence_seqcst();  // E5
    // relaxed: E5.
    if ((tn_load_relaxed(&scope->completed) & WAITED) != 0) {
        wake(scope);  // who waits may have come to the end
    }
}

void tn_stream_add(tenon_handle *handle)
{
    tenon_scope *scope = handle->task.scope;
    // relaxed: the cas decides.
    uintptr_t head = tn_load_relaxed(&scope->completed);

    do {
        handle->next = (tenon_handle *)(head & ~WAITED);
    } while (!tn_cas_release(
        &scope->completed, &head,
        (uintptr_t)handle | (head & WAITED)));  // E1, E2
    if ((head & WAITED) != 0) {
        wake(scope);
    }
}

// What has been pushed goes behind what is ready, oldest first.
static void refill_locked(tenon_scope *scope)
{
    // relaxed: the cas decides.
    uintptr_t head = tn_load_relaxed(&scope->completed);

    while (!tn_cas_acquire(&scope->completed, &head, head & WAITED)) {  // E1
    }
    tenon_handle *newest = (tenon_handle *)(head & ~WAITED);
    tenon_handle *first = NULL;
    tenon_handle *last = newest;
    while (newest != NULL) {
        tenon_handle *older = newest->next;
        newest->next = first;
        first = newest;
        newest = older;
    }
    if (first == NULL) {
        return;
    }
    if (scope->ready_first == NULL) {
        scope->ready_first = first;
    } else {
        scope->ready_last->next = first;
    }
    scope->ready_last = last;
}

// The given ones first: if no more are counted later, these were all at that
// time.
static bool is_all_given(tenon_scope *scope)
{
    uint64_t given_count = tn_load_acquire(&scope->delivered_count);  // E4

    // relaxed: E4.
    return tn_load_relaxed(&scope->handle_count) == given_count;
}

static tenon_handle *take(tenon_scope *scope)
{
    struct bucket *bucket = bucket_of(scope);

    pthread_mutex_lock(&bucket->lock);
    if (scope->ready_first == NULL) {
        refill_locked(scope);
    }
    tenon_handle *handle = scope->ready_first;
    if (handle != NULL) {
        scope->ready_first = handle->next;
        tn_add_release(&scope->delivered_count, 1);  // E4
        if (is_all_given(scope)) {
            wake_locked(bucket, scope);  // the others have come to the end
        }
    }
    pthread_mutex_unlock(&bucket->lock);
    return handle;
}

// I1.
static void list(struct waiter *waiter)
{
    struct bucket *bucket = bucket_of(waiter->scope);
    // relaxed: the cas decides.
    uintptr_t head = tn_load_relaxed(&waiter->scope->completed);

    pthread_mutex_lock(&bucket->lock);
    waiter->previous = NULL;
    waiter->next = bucket->waiters;
    if (waiter->next != NULL) {
        waiter->next->previous = waiter;
    }
    bucket->waiters = waiter;
    while (!tn_cas_acqrel(
        &waiter->scope->completed, &head, head | WAITED)) {  // E2
    }
    pthread_mutex_unlock(&bucket->lock);
}

static bool has_waiter_locked(
    const struct bucket *bucket, const tenon_scope *scope)
{
    const struct waiter *waiter = bucket->waiters;

    while (waiter != NULL && waiter->scope != scope) {
        waiter = waiter->next;
    }
    return waiter != NULL;
}

static void unlist(struct waiter *waiter)
{
    struct bucket *bucket = bucket_of(waiter->scope);
    // relaxed: the cas decides.
    uintptr_t head = tn_load_relaxed(&waiter->scope->completed);

    pthread_mutex_lock(&bucket->lock);
    if (waiter->next != NULL) {
        waiter->next->previous = waiter->previous;
    }
    if (waiter->previous != NULL) {
        waiter->previous->next = waiter->next;
    } else {
        bucket->waiters = waiter->next;
    }
    if (!has_waiter_locked(bucket, waiter->scope)) {
        while (!tn_cas_acqrel(
            &waiter->scope->completed, &head, head & ~WAITED)) {  // E2
        }
    }
    pthread_mutex_unlock(&bucket->lock);
}

static tenon_status wait_listed(
    struct waiter *waiter, tn_pause_check_fn *check, uint64_t deadline_ns)
{
    tenon_task *self = tn_task_current();
    tenon_token *token =
        self == NULL ? &waiter->scope->token : tn_task_innermost_token(self);

    tn_pause_init(
        &waiter->pause, waiter->scope->executor, waiter->scope, check);
    list(waiter);
    tenon_status status =
        tn_pause_wait(&waiter->pause, token, deadline_ns, true);
    unlist(waiter);
    return status;
}

// Somebody else may be faster to take what there is.
static bool may_take(struct tn_pause *pause)
{
    tenon_scope *scope = ((struct waiter *)pause)->scope;
    struct bucket *bucket = bucket_of(scope);

    // relaxed: who takes looks again, with the lock.
    if ((tn_load_relaxed(&scope->completed) & ~WAITED) != 0 ||
        is_all_given(scope)) {
        return true;
    }
    pthread_mutex_lock(&bucket->lock);
    bool is_ready = scope->ready_first != NULL;
    pthread_mutex_unlock(&bucket->lock);
    return is_ready;
}

static tenon_status check_scope(tenon_scope *scope)
{
    if (scope == NULL || scope->executor == NULL) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    // relaxed: a courtesy to who calls too late.
    return (tn_load_relaxed(&scope->word) & TN_WORD_CLOSED) != 0 ? TENON_ECLOSED
                                                                 : TENON_OK;
}

tenon_status tenon_scope_next_until(
    tenon_scope *scope, uint64_t deadline_ns, tenon_handle **handle)
{
    tenon_status status = handle == NULL ? TENON_EINVAL : check_scope(scope);

    while (status == TENON_OK) {
        tenon_handle *taken = take(scope);
        if (taken != NULL) {
            *handle = taken;
            return TENON_OK;
        }
        if (is_all_given(scope)) {
            return TENON_END;
        }
        struct waiter waiter = {.scope = scope};
        status = wait_listed(&waiter, may_take, deadline_ns);
    }
    return status;
}

tenon_status tenon_scope_next(tenon_scope *scope, tenon_handle **handle)
{
    return tenon_scope_next_until(scope, TENON_NO_DEADLINE, handle);
}

static bool have_all_ended(struct waiter *waiter)
{
    // Those that have ended need not be looked at again.
    while (waiter->ended_count < waiter->handle_count &&
           tn_handle_ended(waiter->handles[waiter->ended_count]) !=
               TENON_OUTCOME_NONE) {
        waiter->ended_count++;
    }
    return waiter->ended_count == waiter->handle_count;
}

static bool has_one_ended(struct waiter *waiter)
{
    for (size_t i = 0; i < waiter->handle_count; i++) {
        if (tn_handle_ended(waiter->handles[i]) != TENON_OUTCOME_NONE) {
            return true;
        }
    }
    return false;
}

static bool has_one_failed(struct waiter *waiter)
{
    // relaxed: a failure is counted before its state says so (E3).
    if (tn_load_relaxed(&waiter->scope->failed_count) == 0) {
        return false;
    }
    for (size_t i = 0; i < waiter->handle_count; i++) {
        if (tn_handle_ended(waiter->handles[i]) == TENON_OUTCOME_FAILED) {
            return true;
        }
    }
    return false;
}

static bool check_handles(struct tn_pause *pause)
{
    struct waiter *waiter = (struct waiter *)pause;

    switch (waiter->condition) {
    case TENON_WAIT_FIRST:
        return has_one_ended(waiter);
    case TENON_WAIT_ERROR:
        return has_one_failed(waiter) || have_all_ended(waiter);
    default:
        return have_all_ended(waiter);
    }
}

static bool are_of_one_scope(tenon_handle *const *handles, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (handles[i] == NULL || !tn_task_is_handled(&handles[i]->task) ||
            handles[i]->task.scope != handles[0]->task.scope) {
            return false;
        }
    }
    return true;
}

tenon_status tenon_wait_until(
    tenon_handle *const *handles, size_t handle_count, tenon_wait_for condition,
    uint64_t deadline_ns)
{
    if (handles == NULL || handle_count == 0 || condition > TENON_WAIT_ALL ||
        !are_of_one_scope(handles, handle_count)) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    struct waiter waiter = {
        .scope = handles[0]->task.scope,
        .handles = handles,
        .handle_count = handle_count,
        .condition = condition,
    };
    if (check_handles(&waiter.pause)) {
        return TENON_OK;  // without a look at the scope, which may be joined
    }
    return wait_listed(&waiter, check_handles, deadline_ns);
}
