// SPDX-License-Identifier: MIT
//
// reduction — what schedule.c leaves out loses no outcome.
//
// Programs by lot, each searched within several bounds with and without every
// preemption tried: what is found with all of them is found with fewer.

#include "litmus/litmus.h"

#include "checker/tap.h"

#include <stdio.h>
#include <string.h>

enum {
    PROGRAMS = 1000,
    THREADS = 3,
    STEPS = 4,
    OUTCOMES = 10000,  // of four digits
};

enum step {
    LOAD_RELAXED,
    LOAD_ACQUIRE,
    LOAD_SEQCST,
    STORE_RELAXED,
    STORE_RELEASE,
    STORE_SEQCST,
    EXCHANGE,
    CAS,
    FENCE_ACQUIRE,
    FENCE_RELEASE,
    FENCE_SEQCST,
    FENCE_LIGHT,
    FENCE_HEAVY,
    PAUSE,
    BOOK,  // an entry into the driver's books
    STEP_KINDS,
};

struct instruction {
    enum step step;
    _Atomic(int) *place;
    int value;   // to store, unique among those of the program
    int result;  // register, or -1
};

struct program {
    struct instruction steps[THREADS][STEPS];
    int thread_count;
};

static struct program drawn;
_Atomic(int) x, y;
int r[LITMUS_REGISTERS];
static int book;
static bool was_seen[2][OUTCOMES];  // without and with every preemption
static bool *seen;
static uint64_t random_state = 1;

// splitmix64.
static unsigned random_below(unsigned count)
{
    uint64_t bits = random_state += UINT64_C(0x9e3779b97f4a7c15);

    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((bits ^ (bits >> 31)) % count);
}

static bool has_result(enum step step)
{
    return step <= LOAD_SEQCST || step == EXCHANGE || step == CAS ||
           step == BOOK;
}

// What decides most comes most: loads, and what follows a load.
static enum step draw_step(void)
{
    switch (random_below(4)) {
    case 0:
        return random_below(2) == 0 ? PAUSE : BOOK;
    case 1:
        return (enum step)random_below(STEP_KINDS);
    default:
        return (enum step)random_below(STORE_RELAXED);
    }
}

static void draw(void)
{
    int value = 0;
    int register_count = 0;

    drawn.thread_count = 2 + (int)random_below(THREADS - 1);
    for (int i = 0; i < THREADS * STEPS; i++) {
        struct instruction *it = &drawn.steps[i % THREADS][i / THREADS];
        bool is_here = i % THREADS < drawn.thread_count;

        it->step = draw_step();
        it->place = random_below(2) == 0 ? &x : &y;
        it->value = 1 + value++ % 9;
        it->result = is_here && has_result(it->step) &&
                             register_count < LITMUS_REGISTERS - 1
                         ? register_count++
                         : -1;
    }
}

static int take(const struct instruction *it)
{
    int expected = 0;

    switch (it->step) {
    case LOAD_RELAXED:
        return tn_load_relaxed(it->place);
    case LOAD_ACQUIRE:
        return tn_load_acquire(it->place);
    case LOAD_SEQCST:
        return load_seqcst(it->place);
    case STORE_RELAXED:
        tn_store_relaxed(it->place, it->value);
        break;
    case STORE_RELEASE:
        tn_store_release(it->place, it->value);
        break;
    case STORE_SEQCST:
        store_seqcst(it->place, it->value);
        break;
    case EXCHANGE:
        return tn_exchange_acqrel(it->place, it->value);
    case CAS:
        (void)tn_cas_acqrel(it->place, &expected, it->value);
        return expected;
    case FENCE_ACQUIRE:
        acquire_fence();
        break;
    case FENCE_RELEASE:
        release_fence();
        break;
    case FENCE_SEQCST:
        tn_fence_seqcst();
        break;
    case FENCE_LIGHT:
        tn_fence_light();
        break;
    case FENCE_HEAVY:
        tn_fence_heavy();
        break;
    case PAUSE:
        tn_pause();
        break;
    case BOOK:
        mc_note();
        return ++book;
    case STEP_KINDS:
        mc_fail("no such step");
    }
    return 0;
}

static void body(const void *arg)
{
    const struct program *program = arg;
    const struct instruction *steps = program->steps[mc_thread_index()];

    for (int i = 0; i < STEPS; i++) {
        int result = take(&steps[i]);
        if (steps[i].result >= 0) {
            r[steps[i].result] = result;
        }
    }
}

static void setup(const void *arg)
{
    (void)arg;
    memset(r, 0, sizeof(r));
    book = 0;
}

static void check(const void *arg)
{
    int outcome = tn_load_relaxed(&x);

    (void)arg;
    for (int i = 0; i < LITMUS_REGISTERS - 1; i++) {
        outcome = outcome * 10 + r[i];
    }
    seen[outcome] = true;
}

// Returns how many executions there were; -1: they were not all.
static long search_for(
    enum mc_fences fences, int preemption_bound, int stale_bound,
    bool tries_every_preemption)
{
    static struct mc_result result;
    struct mc_program program = {
        .name = "by lot", .arg = &drawn, .setup = setup, .check = check};
    struct mc_search search =
        mc_search_within(preemption_bound, stale_bound, 0);

    for (int i = 0; i < drawn.thread_count; i++) {
        program.threads[i] = (struct mc_thread_spec){"by lot", body};
    }
    search.fences = fences;
    search.tries_every_preemption = tries_every_preemption;
    seen = was_seen[tries_every_preemption];
    memset(seen, 0, sizeof(was_seen[0]));
    mc_search_run(&program, &search, &result);
    return result.is_complete ? result.run_count : -1;
}

static int lost_outcome(void)
{
    for (int i = 0; i < OUTCOMES; i++) {
        if (was_seen[true][i] && !was_seen[false][i]) {
            return i;
        }
    }
    return -1;
}

static void compare(
    enum mc_fences fences, int preemption_bound, int stale_bound)
{
    long reduced_count = 0;
    long whole_count = 0;
    int lost_count = 0;

    random_state = 1;
    for (int i = 0; i < PROGRAMS; i++) {
        draw();
        long whole = search_for(fences, preemption_bound, stale_bound, true);
        long reduced = search_for(fences, preemption_bound, stale_bound, false);
        int lost = lost_outcome();

        if (whole < 0 || reduced < 0 || lost >= 0) {
            mc_tap_note(
                "program %d: %ld and %ld executions, lost: %04d", i, whole,
                reduced, lost);
            lost_count++;
        }
        whole_count += whole;
        reduced_count += reduced;
    }
    mc_tap_result(
        lost_count == 0,
        "%d programs (%s), %d preemptions, %d old loads: nothing lost, %ld "
        "executions of %ld",
        PROGRAMS, mc_search_fences_name(fences), preemption_bound, stale_bound,
        reduced_count, whole_count);
}

int main(void)
{
    for (int preemptions = 0; preemptions <= 2; preemptions++) {
        for (int old = 0; old <= 1; old++) {
            compare(MC_FENCES_PAIRED, preemptions, old);
            compare(MC_FENCES_PORTABLE, preemptions, old);
        }
    }
    compare(MC_FENCES_ALL, 1, 0);
    return mc_tap_finish();
}
