// SPDX-License-Identifier: MIT
//
// mixed — the computation, the clockwork that submits, and the percentiles.
//
// Ordering:
//   E1 short  mixed_wait_short: sub short_count -> the sub that reaches 0
//             (all latencies)
//   E2 over   mixed_wait_end: store-release is_over -> mixed_wait_long:
//             load-acquire is_over  (nothing but the order of events)

#include "mixed/mixed.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#define NOT_RUN UINT64_MAX
#define TRIAL_TURNS UINT64_C(1000000)
#define TRIAL_COUNT 5

// So long after the long tasks the first short one is due.
#define LEAD_NS 5000000

// A chain of multiplications: nothing for a compiler to shorten.
static void compute(uint64_t turn_count)
{
    uint64_t state = 1;

    for (uint64_t i = 0; i < turn_count; i++) {
        state = state * UINT64_C(6364136223846793005) + 1;
        __asm__ volatile("" : "+r"(state));
    }
}

// The least of several: other work on the machine makes it seem slower.
static uint64_t trial_ns(void)
{
    uint64_t least_ns = UINT64_MAX;

    for (int i = 0; i < TRIAL_COUNT; i++) {
        uint64_t begin_ns = bench_now_ns();

        compute(TRIAL_TURNS);
        uint64_t took_ns = bench_now_ns() - begin_ns;
        least_ns = took_ns < least_ns ? took_ns : least_ns;
    }
    return least_ns;
}

void mixed_start(
    struct mixed *mixed, struct bench *bench, const char *implementation,
    int argc, char **argv)
{
    bench_init(bench, "mixed", implementation);
    bench->size = MIXED_SIZE_DEFAULT;
    bench->operation_count = 1;
    bench->repeat_count = 3;
    bench_parse(bench, argc, argv);
    *mixed = (struct mixed){.bench = bench};
    mixed->short_count = bench_size_number(bench, MIXED_SIZE_MAX);
    mixed->turn_count =
        TRIAL_TURNS * MIXED_LONG_NS / MIXED_CHUNK_COUNT / trial_ns();
    mixed->shorts = calloc(mixed->short_count, sizeof(*mixed->shorts));
    mixed->latencies_ns = calloc(
        mixed->short_count * bench->repeat_count, sizeof(*mixed->latencies_ns));
    bench_require(
        bench, mixed->shorts != NULL && mixed->latencies_ns != NULL,
        "no memory for the latencies");
    // The kernel may add 50 us to a sleep otherwise.
    prctl(PR_SET_TIMERSLACK, 1);
}

static void sleep_until(uint64_t time_ns)
{
    const struct timespec time = {
        .tv_sec = (time_t)(time_ns / 1000000000),
        .tv_nsec = (long)(time_ns % 1000000000)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) ==
           EINTR) {
    }
}

void mixed_submit(struct mixed *mixed, mixed_submit_fn *fn, void *context)
{
    uint64_t first_ns = bench_now_ns() + LEAD_NS;

    for (uint64_t i = 0; i < mixed->short_count; i++) {
        mixed->shorts[i] = (struct mixed_short){
            .due_ns = first_ns + i * MIXED_PERIOD_NS, .latency_ns = NOT_RUN};
    }
    for (uint64_t i = 0; i < mixed->short_count; i++) {
        sleep_until(mixed->shorts[i].due_ns);
        fn(context, &mixed->shorts[i]);
    }
}

void mixed_short_run(struct mixed_short *one)
{
    one->latency_ns = bench_now_ns() - one->due_ns;
}

void mixed_chunk_run(const struct mixed *mixed)
{
    compute(mixed->turn_count);
}

static int compare_times(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

// Of `count` sorted times, how many ns `share` of them stay within.
static double percentile(const uint64_t *times_ns, uint64_t count, double share)
{
    uint64_t index = (uint64_t)(share * (double)count);

    return (double)times_ns[index < count ? index : count - 1];
}

void mixed_round_end(struct mixed *mixed)
{
    struct bench *bench = mixed->bench;
    double cpu_ns = (double)(bench_cpu_ns() - bench->begin_cpu_ns);
    uint64_t *latencies_ns = mixed->latencies_ns + mixed->latency_count;

    for (uint64_t i = 0; i < mixed->short_count; i++) {
        latencies_ns[i] = mixed->shorts[i].latency_ns;
        bench_require(
            bench, latencies_ns[i] != NOT_RUN,
            "wrong answer: a short task has not run");
    }
    qsort(
        latencies_ns, mixed->short_count, sizeof(*latencies_ns), compare_times);
    bench_record(
        bench, percentile(latencies_ns, mixed->short_count, 0.5), cpu_ns);
    if (bench->round > bench->warmup_count) {
        mixed->latency_count += mixed->short_count;
    }
}

int mixed_end(struct mixed *mixed)
{
    uint64_t *times_ns = mixed->latencies_ns;
    uint64_t count = mixed->latency_count;

    qsort(times_ns, count, sizeof(*times_ns), compare_times);
    bench_count(mixed->bench, "p50_ns", percentile(times_ns, count, 0.5));
    bench_count(mixed->bench, "p99_ns", percentile(times_ns, count, 0.99));
    bench_count(mixed->bench, "p999_ns", percentile(times_ns, count, 0.999));
    bench_count(mixed->bench, "max_ns", percentile(times_ns, count, 1));
    free(mixed->shorts);
    free(mixed->latencies_ns);
    return bench_report(mixed->bench);
}

void mixed_wait_init(struct mixed_wait *wait, struct mixed *mixed)
{
    *wait = (struct mixed_wait){
        .mixed = mixed,
        .short_count = mixed->short_count,
        .long_count = mixed->bench->worker_count};
}

void mixed_wait_short(struct mixed_wait *wait, struct mixed_short *one)
{
    mixed_short_run(one);
    uint64_t left_count =
        __atomic_sub_fetch(&wait->short_count, 1, __ATOMIC_ACQ_REL);  // E1

    if (left_count == 0) {
        bench_event_set(&wait->shorts_ended);
    }
}

bool mixed_wait_long(struct mixed_wait *wait)
{
    for (int i = 0; i < MIXED_CHUNK_COUNT; i++) {
        mixed_chunk_run(wait->mixed);
    }
    if (!__atomic_load_n(&wait->is_over, __ATOMIC_ACQUIRE)) {  // E2
        return true;
    }
    // relaxed: nothing is read because of it
    if (__atomic_sub_fetch(&wait->long_count, 1, __ATOMIC_RELAXED) == 0) {
        bench_event_set(&wait->longs_ended);
    }
    return false;
}

void mixed_wait_end(struct mixed_wait *wait)
{
    bench_event_wait(&wait->shorts_ended);
    __atomic_store_n(&wait->is_over, 1, __ATOMIC_RELEASE);  // E2
    bench_event_wait(&wait->longs_ended);
}
