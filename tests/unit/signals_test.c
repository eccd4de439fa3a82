// SPDX-License-Identifier: MIT
//
// signals_test — a signal sets a token, the next another, and one more does
// what it would have done without.

#include "child.h"
#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <tenon/tenon.h>
#include <unistd.h>

TestSuite(signals, .timeout = 60);

static bool is_set(void *token)
{
    return tenon_token_cancelled(token);
}

// Two tokens and a watch.
struct watch {
    tenon_signals signals;
    tenon_token first;
    tenon_token second;
};

static tenon_status start(struct watch *watch, const int *numbers, int count)
{
    tenon_token_init(&watch->first, NULL);
    tenon_token_init(&watch->second, NULL);
    return tenon_signals_watch(
        &watch->signals,
        TENON_SIGNALS_OPTIONS(
                .token = &watch->first, .second = &watch->second,
                .numbers = numbers, .number_count = (uint32_t)count));
}

static void must_start(struct watch *watch)
{
    cr_assert(zero(int, start(watch, NULL, 0)));
}

static void end(struct watch *watch)
{
    tenon_signals_end(&watch->signals);
    tenon_token_fini(&watch->first);
    tenon_token_fini(&watch->second);
}

static bool send_and_await(int number, tenon_token *token)
{
    return kill(getpid(), number) == 0 && gate_poll(is_set, token);
}

static bool is_blocked(int number)
{
    sigset_t set;

    pthread_sigmask(SIG_BLOCK, NULL, &set);
    return sigismember(&set, number) == 1;
}

static void expect_cause(tenon_token *token, int number)
{
    const char *name = number == SIGUSR2  ? "SIGUSR2"
                       : number == SIGINT ? "SIGINT"
                                          : "SIGTERM";
    tenon_cause cause;

    cr_assert(tenon_token_cause(token, &cause));
    cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, cause.code, number));
    cr_expect(eq(str, cause.text, (char *)name));
}

// --- tokens ---

Test(signals, first_sets_the_token_and_the_next_the_second)
{
    for (int i = 0; i < 200; i++) {
        struct watch watch;
        int numbers[] = {
            i % 2 == 0 ? SIGINT : SIGTERM, i / 2 % 2 == 0 ? SIGINT : SIGTERM};
        must_start(&watch);
        cr_assert(not(tenon_token_cancelled(&watch.first)));
        cr_assert(send_and_await(numbers[0], &watch.first));
        expect_cause(&watch.first, numbers[0]);
        cr_assert(not(tenon_token_cancelled(&watch.second)));
        cr_assert(send_and_await(numbers[1], &watch.second));
        expect_cause(&watch.second, numbers[1]);
        end(&watch);
    }
}

Test(signals, token_that_is_set_already_leaves_it_to_the_second)
{
    struct watch watch;

    must_start(&watch);
    tenon_token_cancel(&watch.first, 1, NULL);
    cr_expect(send_and_await(SIGTERM, &watch.second));
    end(&watch);
}

Test(signals, others_may_be_watched)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2};
    struct watch watch;

    cr_assert(zero(int, start(&watch, numbers, 2)));
    cr_expect(is_blocked(SIGUSR1));
    cr_expect(is_blocked(SIGUSR2));
    cr_expect(not(is_blocked(SIGINT)));
    cr_expect(not(is_blocked(SIGTERM)));
    cr_expect(send_and_await(SIGUSR2, &watch.first));
    cr_expect(send_and_await(SIGUSR1, &watch.second));
    expect_cause(&watch.first, SIGUSR2);
    end(&watch);
}

struct heard {
    atomic_uint counts[2];  // of SIGUSR1 and SIGUSR2
    struct gate gate;
};

static void hear(int number, void *context)
{
    struct heard *heard = context;

    atomic_fetch_add(&heard->counts[number == SIGUSR2], 1);
    gate_open(&heard->gate);
}

Test(signals, function_is_called_for_each_instead)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2};
    tenon_signals signals;
    tenon_token token;
    struct heard heard = {.gate = {0}};

    tenon_token_init(&token, NULL);
    cr_expect(
        eq(int,
           tenon_signals_watch(
               &signals,
               TENON_SIGNALS_OPTIONS(.token = &token, .on_signal = hear)),
           TENON_EINVAL));
    cr_assert(zero(
        int, tenon_signals_watch(
                 &signals, TENON_SIGNALS_OPTIONS(
                                   .on_signal = hear, .context = &heard,
                                   .numbers = numbers, .number_count = 2))));
    for (uint32_t i = 0; i < 200; i++) {
        cr_assert(zero(int, kill(getpid(), numbers[i % 2])));
        cr_assert(gate_wait_for(&heard.gate, i + 1));
    }
    tenon_signals_end(&signals);
    tenon_token_fini(&token);
    cr_expect(eq(u32, atomic_load(&heard.counts[0]), 100));
    cr_expect(eq(u32, atomic_load(&heard.counts[1]), 100));
}

static void stop_work(tenon_executor *executor)
{
    struct watch watch;
    struct gate started = {0};
    tenon_scope scope;
    tenon_report report;

    must_start(&watch);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .parent = &watch.first,
                        .timeout_ns = TENON_SECONDS(3600)));
    must_spawn(&scope, task_announce_and_sleep, &started);
    cr_assert(gate_wait(&started));
    kill(getpid(), SIGINT);
    must_join(&scope, &report, TENON_CANCELLED);
    cr_expect(eq(int, report.cause.code, SIGINT));
    tenon_report_free(&report);
    end(&watch);
}

Test(signals, stop_what_runs_in_executors_that_are_older_than_the_watch)
{
    pool_each(stop_work);
}

Test(signals, take_both_steps_of_a_stop)
{
    tenon_executor *executor = pool_create(2);
    tenon_signals signals;
    tenon_stop stop;

    cr_assert(zero(
        int, tenon_stop_init(
                 &stop, TENON_STOP_OPTIONS(
                                .executor = executor,
                                .grace_ns = TENON_SECONDS(3600)))));
    cr_assert(zero(
        int,
        tenon_signals_watch(
            &signals, TENON_SIGNALS_OPTIONS(
                              .token = &stop.please, .second = &stop.hard))));
    cr_expect(send_and_await(SIGTERM, &stop.please));
    cr_expect(not(tenon_token_cancelled(&stop.hard)));
    cr_expect(send_and_await(SIGTERM, &stop.hard));
    tenon_signals_end(&signals);
    tenon_stop_fini(&stop);
    pool_destroy(executor);
}

// --- further ones ---

// As a process of its own: ThreadSanitizer has no threads after a fork.
static void insist(bool has_second)
{
    struct gate never = {0};
    tenon_signals signals;
    tenon_token tokens[2];

    signal(SIGTERM, SIG_DFL);
    for (int i = 0; i < 2; i++) {
        tenon_token_init(&tokens[i], NULL);
    }
    cr_assert(zero(
        int, tenon_signals_watch(
                 &signals, TENON_SIGNALS_OPTIONS(
                                   .token = &tokens[0],
                                   .second = has_second ? &tokens[1] : NULL))));
    cr_assert(send_and_await(SIGINT, &tokens[0]));
    if (has_second) {
        cr_assert(send_and_await(SIGINT, &tokens[1]));
    }
    kill(getpid(), SIGTERM);
    cr_fail("lives on, the gate is open: %d", gate_wait(&never));
}

Test(signals, one_more_than_two_tokens_ends_the_process, .signal = SIGTERM)
{
    insist(true);
}

Test(signals, one_more_than_one_token_ends_the_process, .signal = SIGTERM)
{
    insist(false);
}

// What the test's handler does.
static struct gate handled;
static _Atomic(bool) is_slow;

static bool is_pending(int number)
{
    sigset_t set;

    sigpending(&set);
    return sigismember(&set, number) == 1;
}

// Its whole work is allowed in a signal handler.
static void handle(int number)
{
    gate_open(&handled);
    for (int i = 0; i < 20000 && atomic_load(&is_slow); i++) {
        if (is_pending(number)) {
            break;
        }
        sched_yield();
    }
}

Test(signals, further_ones_come_to_a_handler_of_the_users)
{
    struct watch watch;

    signal(SIGTERM, handle);
    must_start(&watch);
    tenon_token_cancel(&watch.first, 0, NULL);
    tenon_token_cancel(&watch.second, 0, NULL);
    for (uint32_t i = 1; i <= 50; i++) {
        kill(getpid(), SIGTERM);
        cr_assert(gate_wait_for(&handled, i));
    }
    end(&watch);
    cr_expect(eq(u32, gate_count(&handled), 50));
}

// The watch ends while the handler still runs: that is no signal for it.
Test(signals, end_of_the_watch_is_no_signal_for_a_handler)
{
    signal(SIGTERM, handle);
    atomic_store(&is_slow, true);
    for (uint32_t i = 1; i <= 10; i++) {
        struct watch watch;
        must_start(&watch);
        tenon_token_cancel(&watch.first, 0, NULL);
        tenon_token_cancel(&watch.second, 0, NULL);
        kill(getpid(), SIGTERM);
        cr_assert(gate_wait_for(&handled, i));
        end(&watch);
        cr_assert(eq(u32, gate_count(&handled), i));
    }
}

// --- the end ---

static void expect_mask(const sigset_t *before)
{
    sigset_t now;

    pthread_sigmask(SIG_BLOCK, NULL, &now);
    for (int number = 1; number <= SIGRTMAX; number++) {
        cr_expect(
            eq(int, sigismember(&now, number), sigismember(before, number)),
            "signal %d", number);
    }
}

Test(signals, after_the_end_they_are_blocked_as_before)
{
    tenon_signals signals = {.process = 0};
    struct watch watch;
    sigset_t set;
    sigset_t before;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    for (int is_blocked_before = 0; is_blocked_before <= 1;
         is_blocked_before++) {
        pthread_sigmask(
            is_blocked_before ? SIG_BLOCK : SIG_UNBLOCK, &set, &before);
        pthread_sigmask(SIG_BLOCK, NULL, &before);
        must_start(&watch);
        cr_expect(is_blocked(SIGINT));
        cr_expect(is_blocked(SIGTERM));
        end(&watch);
        expect_mask(&before);
        tenon_signals_end(&watch.signals);  // once more
        tenon_signals_end(&signals);
        expect_mask(&before);
    }
}

Test(signals, what_was_blocked_meanwhile_stays_blocked)
{
    struct watch watch;
    sigset_t set;

    must_start(&watch);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    end(&watch);
    cr_expect(is_blocked(SIGUSR1));
    cr_expect(not(is_blocked(SIGTERM)));
}

Test(signals, several_watches_end_in_any_order)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2};

    for (int i = 0; i < 2; i++) {
        struct watch watches[2];
        for (int k = 0; k < 2; k++) {
            cr_assert(zero(int, start(&watches[k], &numbers[k], 1)));
        }
        end(&watches[i]);
        cr_expect(not(is_blocked(numbers[i])));
        cr_assert(is_blocked(numbers[1 - i]));
        cr_expect(send_and_await(numbers[1 - i], &watches[1 - i].first));
        end(&watches[1 - i]);
        cr_expect(not(is_blocked(SIGUSR1)));
        cr_expect(not(is_blocked(SIGUSR2)));
    }
}

// Either the watch has it, or the handler, be it by the watch.
Test(signals, none_is_lost_or_doubled_at_the_end)
{
    signal(SIGTERM, handle);
    uint32_t seen_count = 0;

    for (int i = 0; i < 1000; i++) {
        struct watch watch;
        bool is_further = i % 2 == 0;
        must_start(&watch);
        if (is_further) {
            tenon_token_cancel(&watch.first, 0, NULL);
            tenon_token_cancel(&watch.second, 0, NULL);
        }
        kill(getpid(), SIGTERM);
        if (i % 4 < 2) {
            sched_yield();
        }
        tenon_signals_end(&watch.signals);
        seen_count += !is_further && tenon_token_cancelled(&watch.first);
        cr_assert(eq(u32, seen_count + gate_count(&handled), (uint32_t)i + 1));
        tenon_token_fini(&watch.first);
        tenon_token_fini(&watch.second);
    }
}

static void *end_elsewhere(void *arg)
{
    tenon_signals_end(arg);
    return NULL;
}

Test(signals, another_thread_may_end_the_watch)
{
    struct watch watch;
    pthread_t thread;

    must_start(&watch);
    cr_assert(zero(
        int, pthread_create(&thread, NULL, end_elsewhere, &watch.signals)));
    pthread_join(thread, NULL);
    must_start(&watch);
    cr_expect(send_and_await(SIGINT, &watch.first));
    end(&watch);
}

static int end_forked(void *arg)
{
    struct watch *watch = arg;
    int above = dup(0);

    tenon_signals_end(&watch->signals);
    bool is_unchanged =
        is_blocked(SIGINT) && !tenon_token_cancelled(&watch->first);
    bool is_closed = dup(0) < above;  // the lowest number is free again
    return is_unchanged && is_closed ? 7 : 8;
}

Test(signals, end_in_a_forked_process_only_closes_its_descriptors)
{
    struct watch watch;

    must_start(&watch);
    cr_expect(eq(int, child_run(end_forked, &watch), 7));
    cr_expect(send_and_await(SIGINT, &watch.first));  // it watches as ever
    end(&watch);
}

// What the system queues for a process may be used up.
Test(signals, end_needs_no_signal_to_be_queued)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    const int numbers[] = {SIGTERM, SIGRTMIN + 1};

    cr_assert(zero(int, setrlimit(RLIMIT_SIGPENDING, &none)));
    for (int i = 0; i < 400; i++) {
        struct watch watch;
        int number = numbers[i % 2];
        cr_assert(zero(int, start(&watch, &number, 1)));
        cr_assert(send_and_await(number, &watch.first));
        tenon_signals_end(&watch.signals);
        cr_assert(not(tenon_token_cancelled(&watch.second)));
        tenon_token_fini(&watch.first);
        tenon_token_fini(&watch.second);
    }
}

// All that this process may still open; returns how many.
static int open_all(int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        fds[i] = dup(0);
        if (fds[i] < 0) {
            return i;
        }
    }
    return count;
}

Test(signals, without_descriptors_nothing_is_watched_or_changed)
{
    const struct rlimit some = {.rlim_cur = 64, .rlim_max = 64};
    int fds[64];
    sigset_t before;

    pthread_sigmask(SIG_BLOCK, NULL, &before);
    cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &some)));
    int count = open_all(fds, 64);
    cr_assert(gt(int, count, 2));
    cr_assert(lt(int, count, 64));
    for (int free_count = 0; free_count <= 2; free_count++) {
        struct watch watch;
        int expected = free_count < 2 ? TENON_EAGAIN : TENON_OK;
        cr_expect(eq(int, start(&watch, NULL, 0), expected));
        end(&watch);
        expect_mask(&before);
        cr_assert(eq(int, open_all(&fds[count], free_count + 1), free_count));
        count += free_count;
        for (int i = 0; i <= free_count; i++) {
            close(fds[--count]);  // one more than before is free
        }
    }
}

static void end_inside(int number, void *context)
{
    (void)number;
    tenon_signals_end(context);
}

Test(signals, end_on_the_watching_thread_aborts, .signal = SIGABRT)
{
    struct gate never = {0};
    tenon_signals signals;

    cr_assert(zero(
        int,
        tenon_signals_watch(
            &signals, TENON_SIGNALS_OPTIONS(
                              .on_signal = end_inside, .context = &signals))));
    kill(getpid(), SIGTERM);
    cr_fail("lives on, the gate is open: %d", gate_wait(&never));
}

// --- nonsense ---

static void expect_refused(const tenon_signals_options *options)
{
    tenon_signals signals = {.process = 0};
    sigset_t before;

    pthread_sigmask(SIG_BLOCK, NULL, &before);
    cr_expect(eq(int, tenon_signals_watch(&signals, options), TENON_EINVAL));
    expect_mask(&before);
    tenon_signals_end(&signals);
}

Test(signals, nonsense_is_refused_and_changes_nothing)
{
    const int bad_numbers[] = {SIGKILL, SIGSTOP, 0, -1, SIGRTMAX + 1, 1000};
    tenon_token token;

    tenon_token_init(&token, NULL);
    for (size_t i = 0; i < sizeof(bad_numbers) / sizeof(bad_numbers[0]); i++) {
        const int numbers[] = {SIGUSR1, bad_numbers[i]};
        expect_refused(TENON_SIGNALS_OPTIONS(
                .token = &token, .numbers = numbers, .number_count = 2));
    }
    const int number = SIGUSR1;
    expect_refused(TENON_SIGNALS_OPTIONS(.token = &token, .numbers = &number));
    expect_refused(TENON_SIGNALS_OPTIONS(.token = NULL));
    expect_refused(TENON_SIGNALS_OPTIONS(.second = &token));
    expect_refused(
        &(const tenon_signals_options){.struct_size = 1, .token = &token});
    expect_refused(NULL);
    cr_expect(eq(
        int, tenon_signals_watch(NULL, TENON_SIGNALS_OPTIONS(.token = &token)),
        TENON_EINVAL));
    tenon_token_fini(&token);
}
