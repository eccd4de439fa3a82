// SPDX-License-Identifier: MIT
//
// thread — the modelled threads: coroutines of one thread of the machine.

#ifndef MC_THREAD_H
#define MC_THREAD_H

#include "checker/model.h"

enum mc_thread_state {
    MC_READY,
    MC_ASLEEP,
    MC_ENDED,
};

struct mc_thread {
    struct mc_view current;   // what it knows: coherence and happens-before
    struct mc_view acquired;  // what an acquire fence would add to that
    struct mc_view released;  // what its last release fence has published
    struct mc_view settled;   // older stores have had their time (op.c, pause)
    struct mc_view settling;  // the newest stores at the last pause
    int16_t causes[MC_THREADS];  // clocks of what came before in any way
    int quiet_since;             // the first moment at which it could be here
    bool was_quiet;              // its last step; nothing was noted since
    bool owes_a_step;            // another has stopped for it to take one
    enum mc_thread_state state;
    int index;  // -1: outside, that is, in setup and in the final check
    const char *name;
    const struct mc_thread_spec *spec;
    const void *arg;

    // While asleep.
    const volatile void *word;
    bool is_forever;
};

extern struct mc_thread mc_threads[MC_THREADS];
extern int mc_thread_count;

// The thread that runs now; the one named "outside" between executions.
extern struct mc_thread *mc_self;

// [engine] Make the threads of `program`, ready to start, knowing all that
// the outside thread knows.
void mc_thread_create_all(const struct mc_program *program);

// [engine] Run `run` until somebody calls mc_thread_home(), and return what
// was given to that; 0 if `run` returned.
int mc_thread_call(
    void (*run)(const struct mc_program *program),
    const struct mc_program *program);

// [engine] Leave the current coroutine for good, back to mc_thread_call().
_Noreturn void mc_thread_home(int result);

// [engine] Let `to` run; return when somebody switches back. From outside, or
// from a thread that has ended, it does not return.
void mc_thread_switch(struct mc_thread *to);

// [engine] Forget the outside thread's knowledge.
void mc_thread_reset(void);

// [engine] Go on as the outside thread, which knows all that the others know.
void mc_thread_step_outside(void);

// [engine] The clock of the running thread moves on: what it does from here on
// is not part of what it has released so far.
static inline void mc_thread_tick(void)
{
    if (mc_self->index >= 0) {
        mc_self->current.lanes[mc_self->index]++;
    }
}

// [engine] True if the running thread knows what `thread` did at `clock`.
static inline bool mc_thread_knows(int thread, int16_t clock)
{
    return mc_self->index < 0 || thread < 0 || thread == mc_self->index ||
           mc_self->current.lanes[thread] >= clock;
}

static inline int16_t mc_thread_clock(void)
{
    return mc_self->index < 0 ? 0 : mc_self->current.lanes[mc_self->index];
}

#endif
