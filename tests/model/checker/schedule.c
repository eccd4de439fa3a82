// SPDX-License-Identifier: MIT
//
// schedule — scheduling points, preemptions, sleepers, and the end of a run.
//
// Source: preemption bounding, after Musuvathi and Qadeer, "Iterative Context
// Bounding for Systematic Testing of Multithreaded Programs" (PLDI 2007).
// Switching away from a thread that could go on is a preemption; switching away
// from one that sleeps, has ended or says that it only waits is free.
//
// Most preemptions need not be tried. A step is quiet if nobody else can tell
// whether it was taken: a load, a fence of the thread's own. Suppose that a
// thread is preempted after quiet steps. Had it been preempted before them, and
// had its loads then, when it went on, read what they did read, nothing else
// would have been different: what the others did in between took no store out of
// its sight. So no preemption is tried after a quiet step where one could have
// come before it, and what was newest at a switch since the last loud step
// counts as new to a load, provided that the moments of its loads follow each
// other. Every execution within the bounds has one that differs in nothing but
// this and needs no more preemptions and no more loads of old stores. This does
// not hold
//   - of a thread for which another has stopped (tn_pause) until it has taken a
//     step: had it been preempted before, the other would not have gone on;
//   - if a heavy fence of others reaches into the thread (MC_FENCES_ALL);
//   - of a seq_cst load, which may not read what it could have read before;
//   - across a look into the driver's books, or a note there: mc_note().
// By lot, all are tried.

#include "checker/schedule.h"

#include "checker/choice.h"
#include "checker/memory.h"
#include "checker/search.h"
#include "checker/trace.h"

#include <stdio.h>

enum departure {
    COULD_GO_ON,
    ONLY_WAITS,
    CANNOT_GO_ON,
};

static const struct mc_program *running;
static int step_count;
static int preemption_count;
static int spurious_count;
static int timeout_count;
static int switch_times[MC_CHOICES];  // as in memory.h
static int switch_count;

void mc_schedule_reset(const struct mc_program *program)
{
    running = program;
    step_count = 0;
    preemption_count = 0;
    spurious_count = 0;
    timeout_count = 0;
    switch_count = 0;
}

int mc_schedule_steps(void)
{
    return step_count;
}

// A sleeper that may leave its sleep without being woken.
static bool may_rise(const struct mc_thread *thread)
{
    const struct mc_search *search = mc_search_current();

    if (thread->state != MC_ASLEEP) {
        return false;
    }
    return thread->is_forever ? spurious_count < search->spurious_bound
                              : timeout_count < search->timeout_bound;
}

// Those who may run, in the order in which they would come after `first`;
// `first` itself leads if it could go on and is missing if it only waits.
static int list_ready(int *threads, int first, enum departure departure)
{
    int count = 0;
    int begin = departure == COULD_GO_ON ? 0 : 1;

    for (int i = begin; i < begin + mc_thread_count; i++) {
        int index = (first + i) % mc_thread_count;
        bool is_first = index == first && departure == ONLY_WAITS;

        if (mc_threads[index].state == MC_READY && !is_first) {
            threads[count++] = index;
        }
    }
    return count;
}

static int list_risers(int *threads, int count, bool only_timeouts)
{
    for (int i = 0; i < mc_thread_count; i++) {
        bool is_wanted = !only_timeouts || !mc_threads[i].is_forever;

        if (is_wanted && may_rise(&mc_threads[i])) {
            threads[count++] = i;
        }
    }
    return count;
}

// Its `word` stays: so the sleeper can tell that nobody woke it.
static void rise(struct mc_thread *thread)
{
    if (thread->is_forever) {
        spurious_count++;
    } else {
        timeout_count++;
    }
    mc_trace_note(
        "%s leaves its sleep: %s", thread->name,
        thread->is_forever ? "for no reason" : "deadline passed");
    thread->state = MC_READY;
}

static _Noreturn void fail_stuck(void)
{
    char text[512];
    int used = 0;

    text[0] = '\0';
    for (int i = 0; i < mc_thread_count; i++) {
        if (mc_threads[i].state == MC_ASLEEP) {
            used += snprintf(
                text + used, sizeof(text) - (size_t)used, " %s",
                mc_threads[i].name);
        }
    }
    mc_fail("lost wake-up or deadlock: asleep for ever:%s", text);
}

static _Noreturn void finish(void)
{
    bool is_any_asleep = false;
    bool is_any_timed = false;

    for (int i = 0; i < mc_thread_count; i++) {
        bool is_asleep = mc_threads[i].state == MC_ASLEEP;

        is_any_asleep |= is_asleep;
        is_any_timed |= is_asleep && !mc_threads[i].is_forever;
    }
    if (is_any_timed) {
        mc_thread_home(MC_ENDING_CUT);
    }
    if (is_any_asleep) {
        mc_thread_step_outside();
        if (running->stuck == NULL || !running->stuck(running->arg)) {
            fail_stuck();
        }
    }
    mc_thread_home(MC_ENDING_DONE);
}

// Choose who goes on. The running thread may be the one chosen.
static struct mc_thread *choose(
    int first, enum departure departure, bool may_preempt)
{
    int threads[2 * MC_THREADS];
    int count = list_ready(threads, first, departure);

    if (count == 0 && departure == ONLY_WAITS) {
        return &mc_threads[first];
    }
    count = list_risers(threads, count, count == 0);
    if (count == 0) {
        finish();
    }
    int bound = mc_search_current()->preemption_bound;
    bool is_free = departure == CANNOT_GO_ON;
    bool is_open =
        is_free || (may_preempt && (bound < 0 || preemption_count < bound));
    int taken =
        mc_choice_take(MC_CHOICE_THREAD, count, is_open ? count : 1, threads);

    if (taken != 0 && !is_free) {
        preemption_count++;
    }
    return &mc_threads[threads[taken]];
}

static void note_switch(void)
{
    if (switch_count == MC_CHOICES) {
        mc_fail("too many switches for the checker");
    }
    switch_times[switch_count++] = mc_memory_time();
}

static void go_on(enum departure departure, bool may_preempt)
{
    struct mc_thread *next = choose(mc_self->index, departure, may_preempt);

    if (next->state == MC_ASLEEP) {
        rise(next);
    }
    if (next != mc_self) {
        next->owes_a_step = departure == ONLY_WAITS;
        note_switch();
        mc_thread_switch(next);
    }
}

void mc_schedule_run(void)
{
    struct mc_thread *first = choose(mc_thread_count - 1, CANNOT_GO_ON, true);

    mc_thread_switch(first);
    __builtin_unreachable();
}

static void count_step(void)
{
    if (++step_count > mc_search_current()->step_limit) {
        mc_fail("livelock: no end after %d steps", step_count - 1);
    }
}

// The first moment from `time` on at which the running thread could have gone
// on: somebody else did so, or it is now.
static int moment_since(int time)
{
    int moment = mc_memory_time();

    if (time <= mc_self->quiet_since) {
        return mc_self->quiet_since;
    }
    for (int i = switch_count - 1; i >= 0 && switch_times[i] >= time; i--) {
        moment = switch_times[i];
    }
    return moment;
}

void mc_note(void)
{
    mc_self->was_quiet = false;
    mc_self->quiet_since = mc_memory_time();
}

static bool is_reduced(void)
{
    const struct mc_search *search = mc_search_current();

    return search->fences != MC_FENCES_ALL && !search->tries_every_preemption;
}

bool mc_schedule_could_be_within(int first, int last)
{
    return is_reduced() && moment_since(first) <= last;
}

void mc_schedule_not_before(int time)
{
    mc_self->quiet_since = moment_since(time);
}

void mc_schedule_point(enum mc_step step)
{
    if (mc_self->index < 0) {
        return;
    }
    count_step();
    bool may_preempt =
        !mc_self->was_quiet || mc_self->owes_a_step || !is_reduced();
    mc_self->owes_a_step = mc_self->owes_a_step && !may_preempt;
    go_on(COULD_GO_ON, may_preempt);
    mc_self->was_quiet = true;
    if (step == MC_STEP_LOUD) {
        mc_note();
    }
}

void mc_schedule_yield(void)
{
    if (mc_self->index < 0) {
        return;
    }
    count_step();
    go_on(ONLY_WAITS, true);
    mc_note();
}

bool mc_schedule_sleep(const volatile void *word, bool is_forever)
{
    if (mc_self->index < 0) {
        mc_fail("a sleep outside of the threads");
    }
    mc_self->state = MC_ASLEEP;
    mc_self->word = word;
    mc_self->is_forever = is_forever;
    go_on(CANNOT_GO_ON, true);
    mc_note();
    return mc_self->word == NULL;
}

int mc_schedule_wake(const volatile void *word, int count)
{
    int woken = 0;

    while (woken < count) {
        int threads[MC_THREADS];
        int found = 0;

        for (int i = 0; i < mc_thread_count; i++) {
            struct mc_thread *thread = &mc_threads[i];

            if (thread->state == MC_ASLEEP && thread->word == word) {
                threads[found++] = i;
            }
        }
        if (found == 0) {
            break;
        }
        int taken = mc_choice_take(MC_CHOICE_OTHER, found, found, NULL);

        mc_threads[threads[taken]].state = MC_READY;
        mc_threads[threads[taken]].word = NULL;
        woken++;
    }
    return woken;
}

void mc_schedule_end(void)
{
    mc_self->state = MC_ENDED;
    mc_trace_note("%s ends", mc_self->name);
    go_on(CANNOT_GO_ON, true);
    __builtin_unreachable();
}
