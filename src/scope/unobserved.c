// SPDX-License-Identifier: MIT
//
// unobserved — one hook for the process, and stderr in debug mode.

#include "scope/unobserved.h"

#include "sched/executor.h"
#include "scope/finding.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tenon_unobserved_fn *hook;  // guarded by lock
static void *hook_context;         // guarded by lock

void tenon_set_unobserved_hook(tenon_unobserved_fn *fn, void *context)
{
    if (tn_has_forked) {
        return;  // the lock may be held for ever
    }
    pthread_mutex_lock(&lock);
    hook = fn;
    hook_context = context;
    pthread_mutex_unlock(&lock);
}

void tn_unobserved_tell(
    const tenon_executor *executor, const tenon_report *report)
{
    if (tn_has_forked) {
        return;  // the lock may be held for ever
    }
    pthread_mutex_lock(&lock);
    tenon_unobserved_fn *fn = hook;
    void *context = hook_context;
    pthread_mutex_unlock(&lock);
    if (tn_debug_is_asked() || tn_debug_is_on(executor)) {
        fputs("tenon: errors that nobody has read\n", stderr);
        tenon_report_print(report, stderr);
    }
    if (fn != NULL) {
        fn(report, context);
    }
}
