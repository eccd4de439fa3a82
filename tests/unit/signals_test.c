// SPDX-License-Identifier: MIT
//
// signals_test — a signal sets a token, the next another, and one more does
// what it would have done without.

#include "child.h"
#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"
#include "watch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>
#include <unistd.h>

TestSuite(signals, .timeout = 60);

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
        watch_must_start(&watch);
        cr_assert(not(tenon_token_cancelled(&watch.first)));
        cr_assert(watch_send(numbers[0], &watch.first));
        expect_cause(&watch.first, numbers[0]);
        cr_assert(not(tenon_token_cancelled(&watch.second)));
        cr_assert(watch_send(numbers[1], &watch.second));
        expect_cause(&watch.second, numbers[1]);
        watch_end(&watch);
    }
}

Test(signals, token_that_is_set_already_leaves_it_to_the_second)
{
    struct watch watch;

    watch_must_start(&watch);
    tenon_token_cancel(&watch.first, 1, NULL);
    cr_expect(watch_send(SIGTERM, &watch.second));
    watch_end(&watch);
}

Test(signals, others_may_be_watched)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2};
    struct watch watch;

    cr_assert(zero(int, watch_start(&watch, numbers, 2)));
    cr_expect(is_blocked(SIGUSR1));
    cr_expect(is_blocked(SIGUSR2));
    cr_expect(not(is_blocked(SIGINT)));
    cr_expect(not(is_blocked(SIGTERM)));
    cr_expect(watch_send(SIGUSR2, &watch.first));
    cr_expect(watch_send(SIGUSR1, &watch.second));
    expect_cause(&watch.first, SIGUSR2);
    watch_end(&watch);
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

    watch_must_start(&watch);
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
    watch_end(&watch);
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
    cr_expect(watch_send(SIGTERM, &stop.please));
    cr_expect(not(tenon_token_cancelled(&stop.hard)));
    cr_expect(watch_send(SIGTERM, &stop.hard));
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
    cr_assert(watch_send(SIGINT, &tokens[0]));
    if (has_second) {
        cr_assert(watch_send(SIGINT, &tokens[1]));
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
    watch_must_start(&watch);
    tenon_token_cancel(&watch.first, 0, NULL);
    tenon_token_cancel(&watch.second, 0, NULL);
    for (uint32_t i = 1; i <= 50; i++) {
        kill(getpid(), SIGTERM);
        cr_assert(gate_wait_for(&handled, i));
    }
    watch_end(&watch);
    cr_expect(eq(u32, gate_count(&handled), 50));
}

// The watch ends while the handler still runs: that is no signal for it.
Test(signals, end_of_the_watch_is_no_signal_for_a_handler)
{
    signal(SIGTERM, handle);
    atomic_store(&is_slow, true);
    for (uint32_t i = 1; i <= 10; i++) {
        struct watch watch;
        watch_must_start(&watch);
        tenon_token_cancel(&watch.first, 0, NULL);
        tenon_token_cancel(&watch.second, 0, NULL);
        kill(getpid(), SIGTERM);
        cr_assert(gate_wait_for(&handled, i));
        watch_end(&watch);
        cr_assert(eq(u32, gate_count(&handled), i));
    }
}

// --- the end ---

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
        watch_must_start(&watch);
        cr_expect(is_blocked(SIGINT));
        cr_expect(is_blocked(SIGTERM));
        watch_end(&watch);
        watch_expect_mask(&before);
        tenon_signals_end(&watch.signals);  // once more
        tenon_signals_end(&signals);
        watch_expect_mask(&before);
    }
}

Test(signals, what_was_blocked_meanwhile_stays_blocked)
{
    struct watch watch;
    sigset_t set;

    watch_must_start(&watch);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    watch_end(&watch);
    cr_expect(is_blocked(SIGUSR1));
    cr_expect(not(is_blocked(SIGTERM)));
}

Test(signals, several_watches_end_in_any_order)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2};

    for (int i = 0; i < 2; i++) {
        struct watch watches[2];
        for (int k = 0; k < 2; k++) {
            cr_assert(zero(int, watch_start(&watches[k], &numbers[k], 1)));
        }
        watch_end(&watches[i]);
        cr_expect(not(is_blocked(numbers[i])));
        cr_assert(is_blocked(numbers[1 - i]));
        cr_expect(watch_send(numbers[1 - i], &watches[1 - i].first));
        watch_end(&watches[1 - i]);
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
        watch_must_start(&watch);
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

    watch_must_start(&watch);
    cr_assert(zero(
        int, pthread_create(&thread, NULL, end_elsewhere, &watch.signals)));
    pthread_join(thread, NULL);
    watch_must_start(&watch);
    cr_expect(watch_send(SIGINT, &watch.first));
    watch_end(&watch);
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

    watch_must_start(&watch);
    cr_expect(eq(int, child_run(end_forked, &watch), 7));
    cr_expect(watch_send(SIGINT, &watch.first));  // it watches as ever
    watch_end(&watch);
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
    watch_expect_mask(&before);
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
