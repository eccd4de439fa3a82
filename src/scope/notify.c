// SPDX-License-Identifier: MIT
//
// notify — the last one out calls a function, instead of waking a joiner.
//
// The scope holds itself: one more is counted than there are members. Who
// brings the count to that one finds what to call while the scope cannot go
// away, lets it go, and calls.
//
// Roles:    the owner of a root scope asks; the last member out tells.
// Progress: as the user's function.
// Ordering:
//   E1 closed  notify: cas-release word -> tell: load-acquire word
//              (function and context)

#include "tenon/notify.h"

#include "base/platform.h"
#include "sched/executor.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "sync/parker.h"

// Let go of the scope; it may be gone when this returns.
static void let_go(tenon_scope *scope)
{
    // The members' writes go with it: E1 of scope.c.
    int64_t old = tn_sub_release(&scope->word, TN_WORD_COUNT_ONE);
    uint32_t parker = tn_word_parker(old);
    if (parker != TN_PARKER_NONE) {
        tn_parker_unpark(parker);
    }
}

void tn_scope_notify_empty(tenon_scope *scope)
{
    (void)tn_load_acquire(&scope->word);  // E1
    tenon_notify_fn *fn = scope->notify;
    void *context = scope->notify_context;
    int event_fd = scope->notify_fd;

    let_go(scope);
    if (fn != NULL) {
        fn(context);
    } else {
        tn_eventfd_add(event_fd);
    }
}

static tenon_status check(tenon_scope *scope)
{
    tenon_status status = tn_scope_check_owner(scope);

    if (status != TENON_OK) {
        return status;
    }
    if (scope->owner != NULL) {
        return TENON_EPERM;
    }
    if (!tn_scope_is_open(scope)) {
        return TENON_EALREADY;
    }
    return tn_crew_has_threads(&scope->executor->crew) ? TENON_OK
                                                       : TENON_EAGAIN;
}

static tenon_status close_and_hold(tenon_scope *scope)
{
    int64_t add = (scope->local_live + 1) * TN_WORD_COUNT_ONE | TN_WORD_NOTIFY;
    // relaxed: the cas decides.
    int64_t word = tn_load_relaxed(&scope->word);

    scope->phase = TN_SCOPE_CLOSED;
    // From here on this thread counts in the word, like all others.
    // relaxed: no other thread is this one.
    tn_store_relaxed(&scope->local_thread, NULL);
    scope->local_live = 0;
    while (!tn_cas_release(&scope->word, &word, word + add)) {  // E1
    }
    if (tn_word_count(word + add) == 1) {
        tn_scope_notify_empty(scope);
    }
    return TENON_OK;
}

tenon_status tenon_scope_notify(
    tenon_scope *scope, tenon_notify_fn *fn, void *context)
{
    tenon_status status = fn == NULL ? TENON_EINVAL : check(scope);

    if (status != TENON_OK) {
        return status;
    }
    scope->notify = fn;
    scope->notify_context = context;
    return close_and_hold(scope);
}

tenon_status tenon_scope_notify_fd(tenon_scope *scope, int event_fd)
{
    tenon_status status = event_fd < 0 ? TENON_EINVAL : check(scope);

    if (status != TENON_OK) {
        return status;
    }
    scope->notify = NULL;
    scope->notify_fd = event_fd;
    return close_and_hold(scope);
}
