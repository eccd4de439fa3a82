// SPDX-License-Identifier: MIT
//
// handshake — a word that the task, its end, a cancel and a deadline write to.
//
// Cancel and deadline come by callbacks: of the caller's token, and of one of
// our own. Both are there before the task is: without a timer nothing is
// started, and a cancel that comes of the task's own failure is seen on its
// thread, to be told from others. The task's argument is the handshake, so that
// it is known there.
//
// Roles:    one waits; the others tell.
// Progress: blocks, in a blocking region if a task waits.
// Memory:   the caller's. The task's done callback is the last to use it.
// Ordering:
//   E1 told  tell: cas-acqrel state -> wait: load-acquire state (what was
//            written before it was told)

#include "tenon/handshake.h"

#include "base/atomic.h"
#include "base/futex.h"
#include "tenon/blocking.h"
#include "tenon/callback.h"

#include <limits.h>

enum { READY = 1, FAILED = 2, ENDED = 4, CANCELLED = 8, EXPIRED = 16 };

static void tell(tenon_handshake *handshake, uint32_t what)
{
    // relaxed: the cas decides.
    uint32_t state = tn_load_relaxed(&handshake->state);

    while (!tn_cas_acqrel(&handshake->state, &state, state | what)) {  // E1
    }
    tn_futex_wake(&handshake->state, INT_MAX);
}

static int run(tenon_task *self, void *arg)
{
    const tenon_handshake *handshake = arg;

    return handshake->fn(self, handshake->arg);
}

static void destroy(void *arg)
{
    const tenon_handshake *handshake = arg;

    handshake->destroy_arg(handshake->arg);
}

void tenon_started(tenon_handshake *handshake)
{
    tell(handshake, READY);
}

static void tell_end(const tenon_completion *completion, void *context)
{
    tenon_handshake *handshake = context;
    bool has_failed = completion->outcome == TENON_OUTCOME_FAILED;
    tenon_completion own = *completion;

    own.arg = handshake->arg;
    if (handshake->on_done != NULL) {
        handshake->on_done(&own, handshake->on_done_context);
    }
    tell(handshake, has_failed ? FAILED : ENDED);
}

// Its end, which is told next, says more.
static bool is_own_failure(
    const tenon_handshake *handshake, const tenon_cause *cause)
{
    const tenon_task *current = tenon_current();

    return cause->origin == TENON_CAUSE_FAILURE && current != NULL &&
           tenon_task_arg(current) == handshake;
}

static int tell_cancel(void *context, const tenon_cause *cause)
{
    if (!is_own_failure(context, cause)) {
        tell(context, CANCELLED);
    }
    return 0;
}

static int tell_late(void *context, const tenon_cause *cause)
{
    (void)cause;
    tell(context, EXPIRED);
    return 0;
}

static tenon_status status_of(uint32_t state)
{
    if ((state & READY) != 0) {
        return TENON_OK;
    }
    if ((state & FAILED) != 0) {
        return TENON_ERRORS;
    }
    if ((state & ENDED) != 0) {
        return TENON_ENORESULT;
    }
    return (state & CANCELLED) != 0 ? TENON_CANCELLED : TENON_ENOTREADY;
}

static tenon_status block(tenon_handshake *handshake)
{
    tenon_task *self = tenon_current();
    uint32_t state = 0;

    if (self != NULL) {
        tenon_blocking_begin(self);
    }
    while ((state = tn_load_acquire(&handshake->state)) == 0) {  // E1
        tn_futex_wait_until(&handshake->state, state, TN_FOREVER);
    }
    if (self != NULL) {
        tenon_blocking_end(self);
    }
    return status_of(state);
}

static tenon_status spawn_and_wait(
    tenon_scope *scope, tenon_handshake *handshake,
    const tenon_task_options *options, tenon_token *late)
{
    tenon_task *self = tenon_current();
    tenon_token *token =
        self == NULL ? tenon_scope_token(scope) : tenon_task_token(self);
    tenon_callback callbacks[2];

    tenon_callback_register(&callbacks[0], token, tell_cancel, handshake);
    tenon_callback_register(&callbacks[1], late, tell_late, handshake);
    tenon_status status = tenon_spawn_with(scope, run, handshake, options);
    if (status == TENON_OK) {
        status = block(handshake);
    }
    tenon_callback_unregister(&callbacks[1]);
    tenon_callback_unregister(&callbacks[0]);
    return status;
}

static tenon_status set_deadline(
    const tenon_scope *scope, tenon_token *late, uint64_t deadline_ns)
{
    tenon_executor_info info = {.struct_size = sizeof(info)};
    tenon_executor *executor = tenon_scope_executor(scope);
    tenon_status status = tenon_executor_info_get(executor, &info);

    if (status == TENON_OK && info.thread_count == 0) {
        status = TENON_EAGAIN;
    }
    if (status == TENON_OK && deadline_ns != TENON_NO_DEADLINE) {
        status = tenon_token_set_deadline(late, executor, deadline_ns);
    }
    return status;
}

static void fill(
    tenon_handshake *handshake, tenon_task_fn *fn, void *arg,
    tenon_task_options *options)
{
    tn_atomic_init(&handshake->state, 0);
    handshake->fn = fn;
    handshake->arg = arg;
    handshake->destroy_arg = options->destroy_arg;
    handshake->on_done = options->on_done;
    handshake->on_done_context = options->on_done_context;
    options->destroy_arg = options->destroy_arg == NULL ? NULL : destroy;
    options->on_done = tell_end;
    options->on_done_context = handshake;
}

tenon_status tenon_start(
    tenon_scope *scope, tenon_handshake *handshake, tenon_task_fn *fn,
    void *arg, const tenon_task_options *given, uint64_t deadline_ns)
{
    tenon_task_options options = {.struct_size = sizeof(options)};
    tenon_scope_ref ref = {.scope = NULL};
    tenon_status status = TENON_EINVAL;
    tenon_token late;

    if (given != NULL && given->struct_size != sizeof(*given)) {
        return TENON_EINVAL;
    }
    options = given == NULL ? options : *given;
    tenon_token_init(&late, NULL);
    if (handshake != NULL && fn != NULL && deadline_ns != 0) {
        status = tenon_scope_acquire(scope, &ref);  // may the caller spawn?
    }
    if (status == TENON_OK) {
        status = set_deadline(scope, &late, deadline_ns);
    }
    if (status == TENON_OK) {
        fill(handshake, fn, arg, &options);
        status = spawn_and_wait(scope, handshake, &options, &late);
    } else if (options.destroy_arg != NULL) {
        options.destroy_arg(arg);
    }
    tenon_scope_release(&ref);
    tenon_token_fini(&late);
    return status;
}
