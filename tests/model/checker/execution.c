// SPDX-License-Identifier: MIT
//
// execution — setup, threads, check; and the way out of all three on failure.

#include "checker/execution.h"

#include "checker/choice.h"
#include "checker/fence.h"
#include "checker/futex.h"
#include "checker/heap.h"
#include "checker/memory.h"
#include "checker/race.h"
#include "checker/thread.h"
#include "checker/trace.h"
#include "checker/undo.h"

#include <stdarg.h>
#include <stdio.h>

static char message[512];

static void reset(const struct mc_program *program)
{
    mc_undo_all();
    mc_choice_rewind();
    mc_thread_reset();
    mc_memory_reset();
    mc_heap_reset();
    mc_race_reset();
    mc_fence_reset();
    mc_futex_reset();
    mc_schedule_reset(program);
}

static void run_threads(const struct mc_program *program)
{
    if (program->setup != NULL) {
        program->setup(program->arg);
    }
    mc_thread_create_all(program);
    mc_schedule_run();
}

static void run_check(const struct mc_program *program)
{
    mc_thread_step_outside();
    if (program->check != NULL) {
        program->check(program->arg);
    }
}

enum mc_ending mc_execution_run(const struct mc_program *program)
{
    reset(program);
    int ending = mc_thread_call(run_threads, program);

    if (ending == MC_ENDING_DONE) {
        int failed = mc_thread_call(run_check, program);
        ending = failed != 0 ? failed : MC_ENDING_DONE;
    }
    return (enum mc_ending)ending;
}

const char *mc_execution_message(void)
{
    return message;
}

void mc_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    mc_trace_note("FAILED: %s", message);
    mc_thread_home(MC_ENDING_FAILED);
}

int mc_choose(int count)
{
    return mc_choice_take(MC_CHOICE_OTHER, count, count, NULL);
}

int mc_thread_index(void)
{
    return mc_self->index;
}

int mc_thread_count_all(void)
{
    return mc_thread_count;
}
