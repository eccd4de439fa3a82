// SPDX-License-Identifier: MIT
//
// random — seeded numbers, and threads moved against each other by them.

#include "support.h"

#include "watchdog.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAUSE_MAX_NS 2000

// splitmix64: Steele, Lea and Flood, "Fast splittable pseudorandom number
// generators" (OOPSLA 2014).
static uint64_t mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct stress_random stress_random_make(uint64_t stream)
{
    return (struct stress_random){mixed(stress_seed()) ^ mixed(~stream)};
}

uint64_t stress_random_next(struct stress_random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    return mixed(random->state);
}

uint32_t stress_below(struct stress_random *random, uint32_t bound)
{
    return (uint32_t)(((stress_random_next(random) >> 32) * bound) >> 32);
}

bool stress_chance(struct stress_random *random, uint32_t count)
{
    return stress_below(random, count) == 0;
}

void stress_perturb(struct stress_random *random)
{
    switch (stress_below(random, 16)) {
    case 0:
        sched_yield();
        break;
    case 1:
        stress_spin_ns(stress_below(random, PAUSE_MAX_NS));
        break;
    default:
        break;
    }
}

// --- Threads and time ---

uint64_t stress_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void stress_spin_ns(uint64_t duration_ns)
{
    uint64_t until_ns = stress_now_ns() + duration_ns;

    while (stress_now_ns() < until_ns) {
    }
}

const void *stress_thread(void)
{
    static _Thread_local char name;

    return &name;
}

pthread_t stress_thread_start(void *(*main)(void *), void *arg)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, main, arg);

    if (error != 0) {
        stress_die("no thread: %s", strerror(error));
    }
    return thread;
}

void stress_thread_join(pthread_t thread)
{
    int error = pthread_join(thread, NULL);

    if (error != 0) {
        stress_die("cannot join: %s", strerror(error));
    }
}

void *stress_alloc(size_t count, size_t size_bytes)
{
    void *memory = calloc(count, size_bytes);

    if (memory == NULL) {
        stress_die("no memory");
    }
    return memory;
}

uint32_t stress_thread_count(void)
{
    return watchdog_thread_count();
}
