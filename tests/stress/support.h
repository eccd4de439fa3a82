// SPDX-License-Identifier: MIT
//
// support — what every stress program needs: options, a verdict, a watchdog.
//
// A program begins, runs rounds while stress_goes_on(), and ends. Laws are told
// by their name; main checks them, any thread may say that one was broken.
//
//     stress_expect_equal("each item is taken once", taken_count, ITEMS);

#ifndef TESTS_STRESS_SUPPORT_H
#define TESTS_STRESS_SUPPORT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// --- A program ---

// [main] Read --seed N --seconds S --workers W, start the watchdog.
void stress_begin(int argc, char **argv, const char *name);

// [main] Print the verdict as TAP; the program's exit code.
int stress_end(void);

// [main] Is there time left, and no law broken?
bool stress_goes_on(void);

// [any] --seed, or one made from the clock.
uint64_t stress_seed(void);

// [any] --workers, or `count` if it was not given.
uint32_t stress_worker_count(uint32_t count);

// [any] Something was achieved: the watchdog waits for 20 s from now on.
void stress_step(void);

// [main] `dump` prints what the program knows, should it hang.
void stress_on_hang(void (*dump)(void));

// [any] The program cannot go on: print why, exit with 2.
_Noreturn void stress_die(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

// --- Laws: names are static strings, one TAP point each ---

// [main] Name a law that only stress_broke() speaks about.
void stress_law(const char *law);

// [main] Check a law once.
bool stress_expect(bool holds, const char *law);

// [main] The same for two numbers, which are printed if they differ.
bool stress_expect_equal(const char *law, uint64_t found, uint64_t wanted);

// [any] The law was broken, as the words say.
void stress_broke(const char *law, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// [main] Overlap, once, at the end: `part` of `whole` must be at least
// `per_mille`, or the program has tested nothing.
void stress_need(
    const char *what, uint64_t part, uint64_t whole, unsigned per_mille);

// --- Random numbers, each stream fixed by the seed ---

struct stress_random {
    uint64_t state;
};

// [any] The stream `stream` of the program's seed.
struct stress_random stress_random_make(uint64_t stream);

// [its thread]
uint64_t stress_random_next(struct stress_random *random);

// [its thread] One of 0 .. bound-1; `bound` > 0.
uint32_t stress_below(struct stress_random *random, uint32_t bound);

// [its thread] True once in `count` times.
bool stress_chance(struct stress_random *random, uint32_t count);

// [its thread] Mostly nothing, sometimes a yield or a short pause: moves the
// threads against each other.
void stress_perturb(struct stress_random *random);

// --- Threads and time ---

// [any] Nanoseconds of CLOCK_MONOTONIC.
uint64_t stress_now_ns(void);

// [any] Pause so long without sleeping.
void stress_spin_ns(uint64_t duration_ns);

// [any] A name of the calling thread, unique among the living.
const void *stress_thread(void);

// [any] Start a thread, or die.
pthread_t stress_thread_start(void *(*main)(void *), void *arg);

// [any] Join it, or die.
void stress_thread_join(pthread_t thread);

// [any] Zeroed memory, or die. Freed with free().
void *stress_alloc(size_t count, size_t size_bytes);

// [any] How many threads the process has.
uint32_t stress_thread_count(void);

#define STRESS_COUNT(counter) \
    atomic_fetch_add_explicit(&(counter), 1, memory_order_relaxed)
#define STRESS_READ(counter) \
    atomic_load_explicit(&(counter), memory_order_relaxed)

#endif
