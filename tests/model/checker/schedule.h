// SPDX-License-Identifier: MIT
//
// schedule — decides, before each atomic step, which thread takes it.

#ifndef MC_SCHEDULE_H
#define MC_SCHEDULE_H

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

// [thread] Before an atomic step.
void mc_schedule_point(void);

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
