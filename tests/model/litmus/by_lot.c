// SPDX-License-Identifier: MIT
//
// by_lot — two laws of the checker itself, for programs by lot.
//
// L1  what schedule.c leaves out loses no outcome: within the same bounds, what
//     is found when every preemption is tried is found without
// L2  within the same bounds, what is found under one of the other models of
//     the fences is found under the paired ones

#include "litmus/litmus.h"

#include "checker/random.h"
#include "checker/tap.h"

#include <stdio.h>
#include <string.h>

enum {
    PROGRAMS = 600,
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
static bool was_found[OUTCOMES];
static bool was_found_too[OUTCOMES];  // by the other search
static bool *seen;
static uint64_t random_state = 1;

static int random_below(int count)
{
    return mc_random_below(&random_state, count);
}

static bool has_result(enum step step)
{
    return step <= LOAD_SEQCST || step == EXCHANGE || step == CAS ||
           step == BOOK;
}

static enum step draw_one_of(enum step one, enum step other)
{
    return random_below(2) == 0 ? one : other;
}

// What decides most comes most.
static enum step draw_step(bool is_about_fences)
{
    switch (random_below(4)) {
    case 0:
        return is_about_fences ? draw_one_of(FENCE_LIGHT, FENCE_HEAVY)
                               : draw_one_of(PAUSE, BOOK);
    case 1:
        return (enum step)random_below(STEP_KINDS);
    case 2:
        return is_about_fences ? draw_one_of(STORE_RELAXED, STORE_RELEASE)
                               : draw_one_of(LOAD_RELAXED, LOAD_SEQCST);
    default:
        return draw_one_of(LOAD_RELAXED, LOAD_ACQUIRE);
    }
}

static void draw(bool is_about_fences)
{
    int value = 0;
    int register_count = 0;

    drawn.thread_count = 2 + random_below(THREADS - 1);
    for (int i = 0; i < THREADS * STEPS; i++) {
        struct instruction *it = &drawn.steps[i % THREADS][i / THREADS];
        bool is_here = i % THREADS < drawn.thread_count;

        it->step = draw_step(is_about_fences);
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

// Notes in `found` what a search finds, and returns how many executions there
// were; -1: they were not all.
static long search_for(const struct mc_search *search, bool *found)
{
    static struct mc_result result;
    struct mc_program program = {
        .name = "by lot", .arg = &drawn, .setup = setup, .check = check};

    for (int i = 0; i < drawn.thread_count; i++) {
        program.threads[i] = (struct mc_thread_spec){"by lot", body};
    }
    seen = found;
    memset(seen, 0, sizeof(was_found));
    mc_search_run(&program, search, &result);
    return result.is_complete ? result.run_count : -1;
}

static int lost_outcome(void)
{
    for (int i = 0; i < OUTCOMES; i++) {
        if (was_found[i] && !was_found_too[i]) {
            return i;
        }
    }
    return -1;
}

// What `search` finds, `other` finds as well.
static void compare(
    const char *law, bool is_about_fences, const struct mc_search *search,
    const struct mc_search *other)
{
    long found_count = 0;
    long other_count = 0;
    int lost_count = 0;

    random_state = 1;
    for (int i = 0; i < PROGRAMS; i++) {
        draw(is_about_fences);
        long found = search_for(search, was_found);
        long found_too = search_for(other, was_found_too);
        int lost = lost_outcome();

        if (found < 0 || found_too < 0 || lost >= 0) {
            mc_tap_note(
                "program %d: %ld and %ld executions, lost: %04d", i, found,
                found_too, lost);
            lost_count++;
        }
        found_count += found;
        other_count += found_too;
    }
    mc_tap_result(
        lost_count == 0,
        "%s: %d programs (%s), %d preemptions, %d old loads, %ld and %ld "
        "executions",
        law, PROGRAMS, mc_search_fences_name(search->fences),
        search->preemption_bound, search->stale_bound, found_count,
        other_count);
}

static void try_fewer_preemptions(
    enum mc_fences fences, int preemption_bound, int stale_bound)
{
    struct mc_search fewer = mc_search_within(preemption_bound, stale_bound, 0);

    fewer.fences = fences;
    struct mc_search all = fewer;
    all.tries_every_preemption = true;
    compare("fewer preemptions", fences == MC_FENCES_ALL, &all, &fewer);
}

static void try_paired_fences(enum mc_fences fences)
{
    struct mc_search paired = mc_search_within(2, 1, 0);
    struct mc_search other = paired;

    other.fences = fences;
    compare("paired fences", true, &other, &paired);
}

int main(void)
{
    for (int preemptions = 0; preemptions <= 2; preemptions++) {
        for (int old = 0; old <= 1; old++) {
            try_fewer_preemptions(MC_FENCES_PAIRED, preemptions, old);
            try_fewer_preemptions(MC_FENCES_PORTABLE, preemptions, old);
        }
    }
    try_fewer_preemptions(MC_FENCES_ALL, 1, 0);
    try_paired_fences(MC_FENCES_ALL);
    try_paired_fences(MC_FENCES_PORTABLE);
    return mc_tap_finish();
}
