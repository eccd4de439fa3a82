// SPDX-License-Identifier: MIT
//
// thread — coroutines that switch without a system call.
//
// swapcontext() saves the signal mask, a system call per switch. So it is used
// once per coroutine, to get onto its stack; from then on _setjmp() notes where
// each of them stands and _longjmp() goes there. A coroutine is never
// destroyed: the next execution jumps to the start of its stack again.

#include "checker/thread.h"

#include "checker/memory.h"
#include "checker/schedule.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK_BYTES ((size_t)256 * 1024)

struct coroutine {
    jmp_buf base;   // the start of its stack
    jmp_buf place;  // where it stands
    char *stack;
};

static struct mc_thread outside = {.index = -1, .name = "outside"};
static struct coroutine coroutines[MC_THREADS];
static jmp_buf home;
static int home_result;
static ucontext_t creator;

struct mc_thread mc_threads[MC_THREADS];
int mc_thread_count;
struct mc_thread *mc_self = &outside;

// The first entry returns to create(); each later one begins an execution.
static void coroutine_main(int index)
{
    if (_setjmp(coroutines[index].base) == 0) {
        setcontext(&creator);
    }
    mc_self->spec->body(mc_self->arg);
    mc_schedule_end();
}

static void create(int index)
{
    struct coroutine *coroutine = &coroutines[index];
    ucontext_t context;
    volatile bool is_back = false;

    coroutine->stack = malloc(STACK_BYTES);
    if (coroutine->stack == NULL) {
        abort();
    }
    getcontext(&creator);
    if (is_back) {
        return;
    }
    is_back = true;
    getcontext(&context);
    context.uc_stack.ss_sp = coroutine->stack;
    context.uc_stack.ss_size = STACK_BYTES;
    context.uc_link = NULL;
    makecontext(&context, (void (*)(void))coroutine_main, 1, index);
    setcontext(&context);
}

void mc_thread_create_all(const struct mc_program *program)
{
    int count = 0;

    while (count < MC_THREADS && program->threads[count].body != NULL) {
        struct mc_thread *thread = &mc_threads[count];

        if (coroutines[count].stack == NULL) {
            create(count);
        }
        thread->current = outside.current;
        thread->current.lanes[count] = 1;
        thread->acquired = outside.current;
        memset(&thread->released, 0, sizeof(thread->released));
        memset(&thread->settled, 0, sizeof(thread->settled));
        memset(&thread->settling, 0, sizeof(thread->settling));
        memset(thread->causes, 0, sizeof(thread->causes));
        thread->quiet_since = mc_memory_time();
        thread->was_quiet = false;
        thread->owes_a_step = false;
        thread->state = MC_READY;
        thread->index = count;
        thread->name = program->threads[count].name;
        thread->spec = &program->threads[count];
        thread->arg = program->arg;
        memcpy(
            coroutines[count].place, coroutines[count].base, sizeof(jmp_buf));
        count++;
    }
    mc_thread_count = count;
}

int mc_thread_call(
    void (*run)(const struct mc_program *program),
    const struct mc_program *program)
{
    home_result = 0;
    if (_setjmp(home) == 0) {
        run(program);
    }
    mc_self = &outside;
    return home_result;
}

void mc_thread_home(int result)
{
    home_result = result;
    _longjmp(home, 1);
}

void mc_thread_switch(struct mc_thread *to)
{
    struct mc_thread *from = mc_self;

    mc_self = to;
    if (from->index < 0 || from->state == MC_ENDED) {
        _longjmp(coroutines[to->index].place, 1);
    }
    if (_setjmp(coroutines[from->index].place) == 0) {
        _longjmp(coroutines[to->index].place, 1);
    }
}

void mc_thread_reset(void)
{
    mc_self = &outside;
    memset(&outside.current, 0, sizeof(outside.current));
    memset(outside.causes, 0, sizeof(outside.causes));
    mc_thread_count = 0;
}

void mc_thread_step_outside(void)
{
    mc_self = &outside;
    for (int i = 0; i < mc_thread_count; i++) {
        mc_view_join(&outside.current, &mc_threads[i].current);
    }
}
