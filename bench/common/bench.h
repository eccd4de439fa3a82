// SPDX-License-Identifier: MIT
//
// bench — the frame of every workload program: arguments, warm-up, repetitions,
// clock, check of the answer, one line of JSON. One thread at a time drives it.
//
//     while (bench_again(&bench)) {
//         bench_begin(&bench);
//         answer = work();
//         bench_end(&bench);
//     }
//     return bench_report(&bench);

#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_COUNTERS_MAX 4
#define BENCH_NORETURN __attribute__((noreturn))
#define BENCH_STRING(x) BENCH_STRING_EXPANDED(x)
#define BENCH_STRING_EXPANDED(x) #x
#define BENCH_NO_PAUSE UINT64_MAX

struct bench_sample {
    double value;  // in the bench's unit
    double cpu_ns;
};

struct bench_counter {
    const char *name;
    double value;
};

struct bench {
    // What is measured, and with what. Set before bench_parse().
    const char *workload;
    const char *implementation;
    const char *version;   // of the implementation's library, or the compiler
    const char *compiler;  // of the implementation
    const char *unit;  // of a sample: "ns" unless the workload says otherwise
    uint64_t operation_count;  // in one repetition; 0: the workload counts none

    // Arguments; the workload sets the defaults.
    const char *size;
    uint64_t worker_count;
    uint64_t repeat_count;
    uint64_t warmup_count;
    uint64_t submitter_count;  // 0: the workload has no submitting threads
    uint64_t pause_ns;         // BENCH_NO_PAUSE: the workload does not pause

    // Private.
    uint64_t round;
    uint64_t begin_ns;
    uint64_t begin_cpu_ns;
    struct bench_sample *samples;
    size_t sample_count;
    size_t sample_capacity;
    struct bench_counter counters[BENCH_COUNTERS_MAX];
    size_t counter_count;
};

// [any] What bench_init() sets: 1 worker, 5 repetitions, 1 warm-up, samples in
// ns, no submitters, no pause.
void bench_set_defaults(struct bench *bench);

// [any] The compiler that compiled the caller's file.
static inline const char *bench_compiler(void)
{
#ifdef __clang__
    return "clang " BENCH_STRING(__clang_major__) "." BENCH_STRING(
        __clang_minor__) "." BENCH_STRING(__clang_patchlevel__);
#else
    return "gcc " __VERSION__;
#endif
}

// [driver] Name the program and set the defaults.
static inline void bench_init(
    struct bench *bench, const char *workload, const char *implementation)
{
    bench_set_defaults(bench);
    bench->workload = workload;
    bench->implementation = implementation;
    bench->compiler = bench_compiler();
}

// [driver] Say what is wrong with the arguments, list them, exit with 2.
BENCH_NORETURN void bench_usage(const struct bench *bench, const char *problem);

// [driver] Read `--workers N --repeat R --warmup W --size X`, and where the
// workload has them `--submitters S --pause-ns P`. Exits with 2 on nonsense.
void bench_parse(struct bench *bench, int argc, char **argv);

// [driver] The size as a number from 1 to `max`. Exits with 2 if it is none.
uint64_t bench_size_number(const struct bench *bench, uint64_t max);

// [driver] Is there a further round to run? Warm-up rounds come first.
bool bench_again(struct bench *bench);

// [driver] In the first warm-up round: the one that checks what the timed
// rounds cannot check without being slowed down.
bool bench_is_first(const struct bench *bench);

// [driver] Start and stop the clock of this round. A warm-up is not recorded.
void bench_begin(struct bench *bench);
void bench_end(struct bench *bench);

// [driver] Record a sample that is not the time from begin to end.
void bench_record(struct bench *bench, double value, double cpu_ns);

// [driver] Add a named figure to the line of JSON. `name` must stay.
void bench_count(struct bench *bench, const char *name, double value);

// [any] Exits with 1 and a message unless the answer is right.
void bench_check(
    const struct bench *bench, const char *what, uint64_t got, uint64_t want);

// [driver] An array of zeroes that begins with a cache line, all of its pages at
// hand: free() it. Exits with 1 if there is no memory.
void *bench_new_array(const struct bench *bench, size_t count, size_t size);

// [any] Exits with 1 and a message unless `ok`.
void bench_require(const struct bench *bench, bool ok, const char *what);

// [driver] Print the line of JSON, with the most memory that was ever resident,
// and free the samples. Returns the program's exit status.
int bench_report(struct bench *bench);

// [any] Monotonic time, and CPU time of the whole process.
uint64_t bench_now_ns(void);
uint64_t bench_cpu_ns(void);

// [any] What the kernel says of the process's memory, in MiB: "VmRSS", resident
// now, or "VmHWM", at most so far. Exits with 1 if it does not say.
double bench_memory_mib(const struct bench *bench, const char *name);

// [any] Hide from the optimiser where a value comes from and who reads it: the
// work between two of these stays between them.
static inline int bench_opaque(int value)
{
    __asm__ volatile("" : "+r"(value) : : "memory");
    return value;
}

#ifdef __cplusplus
}
#endif

#endif
