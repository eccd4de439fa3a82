// SPDX-License-Identifier: MIT
//
// finding — a line on stderr, and one hook for the process.

#include "scope/finding.h"

#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/scope.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tenon_finding_fn *hook;  // guarded by lock
static void *hook_context;      // guarded by lock

static pthread_once_t environment_once = PTHREAD_ONCE_INIT;
static bool is_asked;

static void read_environment(void)
{
    const char *value = getenv("TENON_DEBUG");

    is_asked = value != NULL && strcmp(value, "1") == 0;
}

bool tn_debug_is_asked(void)
{
    pthread_once(&environment_once, read_environment);
    return is_asked;
}

bool tn_debug_is_on(const tenon_executor *executor)
{
    return executor != NULL && executor->is_debugged;
}

void tenon_set_finding_hook(tenon_finding_fn *fn, void *context)
{
    if (tn_has_forked) {
        return;  // the lock may be held for ever
    }
    pthread_mutex_lock(&lock);
    hook = fn;
    hook_context = context;
    pthread_mutex_unlock(&lock);
}

static const char *kind_name(tenon_finding_kind kind)
{
    static const char *const names[] = {
        [TENON_FINDING_CANCEL_IGNORED] = "cancel ignored",
        [TENON_FINDING_SLOW_POLL] = "slow poll",
        [TENON_FINDING_LEFT_OPEN] = "left open",
        [TENON_FINDING_WRONG_CALLER] = "wrong caller",
        [TENON_FINDING_LIMITER] = "limiter",
    };

    return names[kind];
}

void tn_finding_tell(const tenon_finding *finding)
{
    if (tn_has_forked) {
        return;  // the lock may be held for ever
    }
    fprintf(stderr, "tenon: %s: %s\n", kind_name(finding->kind), finding->text);
    pthread_mutex_lock(&lock);
    tenon_finding_fn *fn = hook;
    void *context = hook_context;
    pthread_mutex_unlock(&lock);
    if (fn != NULL) {
        fn(finding, context);
    }
}

// Whose debug mode counts: the scope's executor's, or the caller's own.
static bool is_wanted(const tenon_scope *scope)
{
    const struct tn_worker *worker = tn_worker_self();

    return (scope != NULL && tn_debug_is_on(scope->executor)) ||
           (worker != NULL && tn_debug_is_on(worker->executor));
}

void tn_finding_say(
    tenon_finding_kind kind, const tenon_task *task, const tenon_scope *scope,
    const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;

    if (!is_wanted(scope)) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    tenon_finding finding = {
        .kind = kind,
        .text = text,
        .task_name = task == NULL ? "" : tenon_task_name(task),
        .task_id = task == NULL ? 0 : tenon_task_id(task),
        .scope_name = scope == NULL ? "" : tenon_scope_name(scope),
    };
    tn_finding_tell(&finding);
}
