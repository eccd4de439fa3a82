// SPDX-License-Identifier: MIT
//
// executor — the threads that run tasks. One for the process is made on first
// use, so most programs never name one. Any thread may use any executor.
//
//     status = tenon_executor_create(
//         &executor, TENON_EXECUTOR_OPTIONS(.worker_count = 4));

#ifndef TENON_EXECUTOR_H
#define TENON_EXECUTOR_H

#include "tenon/report.h"
#include "tenon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_executor tenon_executor;

/// A clock of your own, for tests and simulations. `now_ns(context)` is called
/// on any thread, without a lock of ours, never goes back, and must outlive the
/// executor. When it has moved, call tenon_executor_tick().
typedef struct tenon_clock {
    uint64_t (*now_ns)(void *context);
    void *context;
} tenon_clock;

/// As `idle_spin_ns`: sleep at once. As `spare_count`: no spare threads.
#define TENON_NO_SPIN UINT64_MAX
#define TENON_NO_SPARES UINT32_MAX

/// What a thread does that has nothing to run: looks for work, which finds it
/// within a microsecond and takes a CPU meanwhile, or sleeps, which takes none,
/// and some tens of microseconds to wake.
typedef enum tenon_wait_policy {
    TENON_WAIT_DEFAULT,   ///< $TENON_WAIT_POLICY: passive, balanced or active;
                          ///< not set: balanced
    TENON_WAIT_PASSIVE,   ///< sleeps at once: for who shares the CPUs
    TENON_WAIT_BALANCED,  ///< looks for 20 us before it sleeps. In a join: for
                          ///< 10 us; then a thread sleeps, and a worker also
                          ///< gives its core to a spare thread
    TENON_WAIT_ACTIVE,    ///< for 200 ms, and 1 ms: for who has the CPUs alone
} tenon_wait_policy;

typedef struct tenon_executor_options {
    size_t struct_size;  ///< set by the macro; in C++ by you: its sizeof
    /// 1 to 65535 workers at work at a time. 0: $TENON_NUM_THREADS, else the
    /// least of affinity, cgroup CPU quota (rounded up) and CPUs online.
    uint32_t worker_count;
    /// At most so many further threads, started to take the place of workers
    /// that wait or block. 0: 64.
    uint32_t spare_count;
    size_t stack_size_bytes;  ///< per thread, >= 64 KiB. 0: 16 MiB, on demand
    tenon_wait_policy wait_policy;  ///< 0: the default
    uint64_t idle_spin_ns;  ///< look for work so long before sleep, whatever
                            ///< the policy, which still says how long in a
                            ///< join. 0: as it says
    const char *name;       ///< threads are `name`-0, ...; NULL: "tenon"
    /// At most so many tasks in the queue outside of the workers', in which
    /// foreign threads put theirs: then their spawns give TENON_EAGAIN. Tasks
    /// with a limiter wait for that instead. 0: no limit.
    uint64_t queue_limit;
    tenon_clock clock;  ///< of all deadlines; zeroed: tenon_now_ns()
    bool debug;         ///< look for what is wrong with the program: debug.h
    uint64_t cancel_grace_ns;  ///< then: to end after a cancel; 0: 1 s
    uint64_t slow_poll_ns;     ///< then: to compute without poll; 0: 100 ms
} tenon_executor_options;

#define TENON_EXECUTOR_OPTIONS(...)   \
    (&(const tenon_executor_options){ \
        .struct_size = sizeof(tenon_executor_options), __VA_ARGS__})

typedef struct tenon_executor_info {
    size_t struct_size;        ///< set by the caller
    uint32_t requested_count;  ///< workers asked for
    uint32_t worker_count;     ///< started; 0: the thread that joins runs all
    int thread_error;          ///< errno of the first thread not started, or 0
    uint32_t thread_count;     ///< live threads, spares included
    uint32_t scope_count;      ///< root scopes not yet joined
    // Of what changes meanwhile, an estimate; else exact.
    uint64_t inner_scope_count;  ///< scopes inside tasks not yet joined
    uint64_t task_count;         ///< spawned and not ended; no forked children
} tenon_executor_info;

/// Start workers. If the system gives fewer threads than asked for, the
/// executor works with those (see tenon_executor_info_get()).
///
/// Owns:     `*executor` is the caller's: tenon_executor_destroy().
/// Threads:  any.
/// Errors:   TENON_EINVAL an option makes no sense, or, where it is 0, what
///           stands for it in the environment, $TENON_NUM_THREADS or
///           $TENON_WAIT_POLICY: set to "" it does not, either; TENON_ENOMEM;
///           TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status tenon_executor_create(
    tenon_executor **executor, const tenon_executor_options *options);

/// The process's own executor, made on first use, ended with the process.
///
/// Owns:     not the caller's; its threads end with the process. Who wants them
///           joined before (leak checkers do) destroys it when all scopes are
///           joined; the next use makes a new one.
/// Threads:  any.
/// Errors:   as tenon_executor_create().
TENON_API TENON_NODISCARD tenon_status
tenon_executor_default(tenon_executor **executor);

/// What the executor is made of now.
///
/// Threads:  any.
/// Errors:   TENON_EINVAL no executor, or `struct_size` unset; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status
tenon_executor_info_get(tenon_executor *executor, tenon_executor_info *info);

/// The time by the clock of the executor's deadlines. `executor` is found as by
/// tenon_scope_open() if NULL; without any it is tenon_now_ns().
///
/// Threads:  any.
/// Errors:   none.
TENON_API uint64_t tenon_executor_now_ns(tenon_executor *executor);

/// Its clock has moved: deadlines that have passed by it fire now, on the
/// executor's timer thread. Without a clock of its own: no effect.
///
/// Threads:  any.
/// Errors:   none.
TENON_API void tenon_executor_tick(tenon_executor *executor);

/// Run `fn(task, arg)` in a scope of its own and wait for all of it. `executor`
/// is found as by tenon_scope_open() if NULL.
///
/// Owns:     `report` may be NULL; else it is filled and yours to free, but
///           untouched if the task could not be started: zero it before.
/// Threads:  any; from a task, the scope nests in that task.
/// Blocks:   until everything ended.
/// Errors:   the join status of the scope, or why it could not be opened.
TENON_API TENON_NODISCARD tenon_status tenon_run(
    tenon_executor *executor, tenon_task_fn *fn, void *arg,
    tenon_report *report);

/// What becomes of the scopes that are still open.
typedef enum tenon_shutdown {
    TENON_SHUTDOWN_DRAIN = 0,  ///< they go on to their end
    TENON_SHUTDOWN_CANCEL = 1  ///< they are cancelled, with cause SHUTDOWN
} tenon_shutdown;

/// Open no more root scopes in the executor (TENON_ECLOSED), wait until all
/// have been joined by their owners, then end it as tenon_executor_destroy().
/// Shields mask the cancel; what ignores it delays this.
///
/// Threads:  any that is no worker and has no scope of the executor to join.
///           Other threads may go on using it until their scopes are joined,
///           but not begin to.
/// Blocks:   until all is joined and the threads have ended.
/// Errors:   TENON_EDEADLK from a task, on its timer thread (callback.h), or
///           with a root scope of its own open;
///           TENON_EALREADY another thread does it; TENON_EINVAL; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status
tenon_executor_shutdown(tenon_executor *executor, tenon_shutdown shutdown);

/// Stop and join all threads, free everything. Accepts NULL.
///
/// Threads:  any but its own workers; nobody may use the executor any more.
/// Blocks:   until the threads have ended: they are idle by then.
/// Errors:   TENON_EBUSY a scope is still open: nothing was done;
///           TENON_EDEADLK called by one of its own workers, or by what one of
///           its deadlines calls; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status
tenon_executor_destroy(tenon_executor *executor);

#ifdef __cplusplus
}
#endif

#endif
