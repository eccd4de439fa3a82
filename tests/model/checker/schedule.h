// SPDX-License-Identifier: MIT
//
// schedule — decides, before each atomic step, which thread takes it.

#ifndef MC_SCHEDULE_H
#define MC_SCHEDULE_H

#include "checker/op.h"
#include "checker/thread.h"

// How an execution ended; 0 is not one of them.
enum mc_ending {
    MC_ENDING_DONE = 1,  // every thread ended, or the sleepers may sleep on
    MC_ENDING_FAILED,
    MC_ENDING_CUT,  // nobody can go on but by deadlines that were all used up
};

// [engine] Forget the last execution.
void mc_schedule_reset(const struct mc_program *program);

// [engine] Run the threads to the end. Leaves through mc_thread_home().
_Noreturn void mc_schedule_run(void);

// What others can tell of an atomic step.
enum mc_step {
    MC_STEP_QUIET,  // nothing: it reads, or is a fence of its own thread's
    MC_STEP_LOUD,
};

// Of a load or a fence with that order.
static inline enum mc_step mc_schedule_step_of(unsigned order)
{
    return order & MC_SC_BIT ? MC_STEP_LOUD : MC_STEP_QUIET;
}

// [thread] Before an atomic step.
void mc_schedule_point(enum mc_step step);

// [thread] True if nobody could tell, had the thread been where it is now at a
// moment from `first` to `last`, counted as in memory.h.
bool mc_schedule_could_be_within(int first, int last);

// [thread] From now on that was not before `time`.
void mc_schedule_not_before(int time);

// [thread] Let others go first, if there are any.
void mc_schedule_yield(void);

// [thread] Sleep on `word`. True: woken; false: the deadline passed, or for
// no reason.
bool mc_schedule_sleep(const volatile void *word, bool is_forever);

// [thread] Wake up to `count` of those who sleep on `word`. Returns how many.
int mc_schedule_wake(const volatile void *word, int count);

// [thread] The thread has ended.
_Noreturn void mc_schedule_end(void);

// [engine] Steps taken in this execution.
int mc_schedule_steps(void);

#endif
