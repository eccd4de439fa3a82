// SPDX-License-Identifier: MIT
//
// executor — the public face: options checked, the process's own executor,
// and root tasks. It tells the scheduler what a job is.

#include "scope/executor.h"

#include "base/clock.h"
#include "base/cpu.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/census.h"
#include "scope/finding.h"
#include "scope/open.h"
#include "scope/root.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "scope/token.h"
#include "tenon/dump.h"
#include "tenon/spawn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORKERS_MAX UINT32_C(65535)
#define SPARES_DEFAULT UINT32_C(64)
#define STACK_DEFAULT_BYTES ((size_t)16 * 1024 * 1024)
#define STACK_MIN_BYTES ((size_t)64 * 1024)

static pthread_mutex_t default_lock = PTHREAD_MUTEX_INITIALIZER;
static tenon_executor *default_executor;  // guarded by default_lock

static bool choose_worker_count(uint32_t asked, uint32_t *count)
{
    unsigned found = asked;

    if (asked == 0 && !tn_cpu_default_count(&found)) {
        return false;
    }
    *count = found;
    return found <= WORKERS_MAX;
}

static uint32_t choose_spare_count(uint32_t asked, uint32_t worker_count)
{
    uint32_t room = WORKERS_MAX - worker_count;

    if (asked == TENON_NO_SPARES) {
        return 0;
    }
    asked = asked == 0 ? SPARES_DEFAULT : asked;
    return asked < room ? asked : room;
}

// Indexed by policy. LLVM's OpenMP runtime looks for 200 ms as well.
static const struct {
    const char *name;
    uint64_t idle_spin_ns;
    uint64_t wait_spin_ns;
} policies[] = {
    [TENON_WAIT_PASSIVE] = {"passive", 0, 0},
    [TENON_WAIT_BALANCED] = {"balanced", UINT64_C(20000), UINT64_C(10000)},
    [TENON_WAIT_ACTIVE] = {"active", UINT64_C(200000000), UINT64_C(1000000)},
};

// False: there is none of that name.
static bool find_policy(const char *name, tenon_wait_policy *policy)
{
    tenon_wait_policy found = TENON_WAIT_PASSIVE;

    while (found <= TENON_WAIT_ACTIVE &&
           strcasecmp(policies[found].name, name) != 0) {
        found++;
    }
    *policy = found;
    return found <= TENON_WAIT_ACTIVE;
}

static bool choose_spins(
    const tenon_executor_options *options, struct tn_executor_config *config)
{
    tenon_wait_policy policy = options->wait_policy;
    const char *name = getenv("TENON_WAIT_POLICY");

    if (policy == TENON_WAIT_DEFAULT && name == NULL) {
        policy = TENON_WAIT_BALANCED;
    } else if (policy == TENON_WAIT_DEFAULT && !find_policy(name, &policy)) {
        return false;
    }
    if (policy > TENON_WAIT_ACTIVE) {
        return false;
    }
    config->wait_spin_ns = policies[policy].wait_spin_ns;
    config->idle_spin_ns = options->idle_spin_ns == 0
                               ? policies[policy].idle_spin_ns
                               : options->idle_spin_ns;
    if (options->idle_spin_ns == TENON_NO_SPIN) {
        config->idle_spin_ns = 0;
    }
    return true;
}

static tenon_status make_config(
    struct tn_executor_config *config, const tenon_executor_options *options)
{
    if (options->struct_size != sizeof(*options) ||
        (options->stack_size_bytes != 0 &&
         options->stack_size_bytes < STACK_MIN_BYTES) ||
        !choose_worker_count(options->worker_count, &config->worker_count) ||
        !choose_spins(options, config)) {
        return TENON_EINVAL;
    }
    config->spare_count =
        choose_spare_count(options->spare_count, config->worker_count);
    config->stack_size_bytes = options->stack_size_bytes == 0
                                   ? STACK_DEFAULT_BYTES
                                   : options->stack_size_bytes;
    config->inject_limit = options->queue_limit;
    config->name = options->name == NULL ? "tenon" : options->name;
    config->run = tn_task_run;
    config->is_debugged = options->debug || tn_debug_is_asked();
    config->clock = (struct tn_clock){
        .now_ns = options->clock.now_ns,
        .context = options->clock.context,
    };
    return TENON_OK;
}

tenon_status tenon_executor_create(
    tenon_executor **executor, const tenon_executor_options *options)
{
    static const tenon_executor_options defaults = {
        .struct_size = sizeof(defaults)};
    struct tn_executor_config config;

    if (executor == NULL) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    options = options == NULL ? &defaults : options;
    tenon_status status = make_config(&config, options);
    if (status != TENON_OK) {
        return status;
    }
    void *upper = tn_open_create();
    if (upper == NULL) {
        return TENON_ENOMEM;
    }
    tenon_executor *made = tn_executor_create(&config);
    if (made == NULL) {
        tn_open_destroy(upper);
        return TENON_ENOMEM;
    }
    made->upper = upper;
    struct tn_census *census = &tn_open_upper(made)->census;
    tn_census_init(
        census, made, options->cancel_grace_ns, options->slow_poll_ns);
    if (made->is_debugged) {
        tn_census_start(census);
    }
    *executor = made;
    return TENON_OK;
}

tenon_executor *tn_executor_at_hand(void)
{
    struct tn_worker *worker = tn_worker_self();

    if (worker != NULL) {
        return worker->executor;
    }
    if (tn_has_forked) {
        return NULL;  // the lock may be held for ever
    }
    pthread_mutex_lock(&default_lock);
    tenon_executor *found = default_executor;
    pthread_mutex_unlock(&default_lock);
    return found;
}

tenon_status tenon_executor_default(tenon_executor **executor)
{
    tenon_status status = TENON_OK;

    if (executor == NULL) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    // Before the lock: a fork may leave it held.
    if (!tn_executor_setup()) {
        return TENON_ENOMEM;
    }
    pthread_mutex_lock(&default_lock);
    if (default_executor == NULL) {
        status = tenon_executor_create(&default_executor, NULL);
    }
    tenon_executor *found = default_executor;
    pthread_mutex_unlock(&default_lock);
    if (status == TENON_OK) {
        *executor = found;
    }
    return status;
}

// The ended ones first: nobody ends before it has begun.
static uint64_t count_living(
    tenon_executor *executor, uint32_t begun, uint32_t ended)
{
    uint64_t ended_count = tn_executor_tally(executor, ended);
    uint64_t begun_count = tn_executor_tally(executor, begun);

    return begun_count > ended_count ? begun_count - ended_count : 0;
}

tenon_status tenon_executor_info_get(
    tenon_executor *executor, tenon_executor_info *info)
{
    if (executor == NULL || info == NULL ||
        info->struct_size != sizeof(*info)) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    struct tn_crew *crew = &executor->crew;
    pthread_mutex_lock(&crew->lock);
    info->requested_count = crew->target_count;
    info->worker_count = crew->started_count;
    info->thread_error = crew->thread_error;
    info->thread_count = crew->thread_count;
    pthread_mutex_unlock(&crew->lock);
    info->scope_count = tn_open_count(executor);
    info->inner_scope_count =
        count_living(executor, TN_TALLY_SCOPES, TN_TALLY_ENDED_SCOPES);
    info->task_count =
        count_living(executor, TN_TALLY_TASKS, TN_TALLY_ENDED_TASKS);
    return TENON_OK;
}

tenon_status tenon_run(
    tenon_executor *executor, tenon_task_fn *fn, void *arg,
    tenon_report *report)
{
    tenon_scope scope;
    tenon_status status =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = executor));

    if (status != TENON_OK) {
        return status;
    }
    tenon_status spawned = tenon_spawn(&scope, fn, arg);
    if (spawned == TENON_OK || spawned == TENON_CANCELLED) {
        return tenon_scope_join(&scope, TENON_OK, report);
    }
    // Not started: the reason counts, not the empty scope's status.
    status = tenon_scope_join(&scope, TENON_OK, NULL);
    return status == TENON_OK ? spawned : status;
}

static void forget_default(const tenon_executor *executor)
{
    pthread_mutex_lock(&default_lock);
    if (default_executor == executor) {
        default_executor = NULL;
    }
    pthread_mutex_unlock(&default_lock);
}

static tenon_status check_end(const tenon_executor *executor)
{
    struct tn_worker *worker = tn_worker_self();

    if (tn_has_forked) {
        return TENON_EFORK;
    }
    bool is_own = (worker != NULL && worker->executor == executor) ||
                  tn_timer_is_here(&executor->timer);

    return is_own ? TENON_EDEADLK : TENON_OK;
}

static void end(tenon_executor *executor)
{
    void *upper = executor->upper;

    forget_default(executor);
    tn_census_stop(&tn_open_upper(executor)->census);
    tn_executor_destroy(executor);
    tn_open_destroy(upper);
}

tenon_status tenon_executor_destroy(tenon_executor *executor)
{
    if (executor == NULL) {
        return TENON_OK;
    }
    tenon_status status = check_end(executor);
    if (status != TENON_OK) {
        return status;
    }
    if (tn_open_count(executor) > 0) {
        if (tn_debug_is_on(executor)) {
            tenon_dump(executor, stderr);
        }
        return TENON_EBUSY;
    }
    end(executor);
    return TENON_OK;
}

static void cancel_all(tenon_executor *executor)
{
    tenon_cause cause = {
        .source = TENON_CAUSE_SHUTDOWN,
        .origin = TENON_CAUSE_SHUTDOWN,
        .time_ns = tn_clock_now_ns(),
    };

    tn_cause_copy(cause.text, sizeof(cause.text), "the executor shuts down");
    tn_token_set(tn_open_token(executor), &cause);
}

tenon_status tenon_executor_shutdown(
    tenon_executor *executor, tenon_shutdown shutdown)
{
    if (executor == NULL || shutdown > TENON_SHUTDOWN_CANCEL) {
        return TENON_EINVAL;
    }
    tenon_status status = check_end(executor);
    if (status != TENON_OK) {
        return status;
    }
    if (tn_task_current() != NULL || tn_root_is_in(executor)) {
        return TENON_EDEADLK;
    }
    if (!tn_open_close(executor)) {
        return TENON_EALREADY;
    }
    forget_default(executor);
    if (shutdown == TENON_SHUTDOWN_CANCEL) {
        cancel_all(executor);
    }
    tn_open_drain(executor);
    end(executor);
    return TENON_OK;
}

uint64_t tenon_now_ns(void)
{
    return tn_clock_now_ns();
}

uint64_t tenon_executor_now_ns(tenon_executor *executor)
{
    struct tn_worker *worker = tn_worker_self();

    if (executor == NULL && worker != NULL) {
        executor = worker->executor;
    }
    return executor == NULL ? tn_clock_now_ns()
                            : tn_timer_now_ns(&executor->timer);
}

void tenon_executor_tick(tenon_executor *executor)
{
    if (executor != NULL && !tn_has_forked) {
        tn_timer_tick(&executor->timer);
    }
}
