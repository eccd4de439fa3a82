// SPDX-License-Identifier: MIT
//
// step — counts what a thread executes: instructions, locked ones, system
// calls, and which cache lines it changes.
//
// In a child process, one instruction after the other (ptrace(2)); x86-64 only.
// What the child runs must not assert.

#ifndef SUPPORT_STEP_H
#define SUPPORT_STEP_H

#include <stdbool.h>
#include <stdint.h>

#define STEP_LINES 8

struct step_counts {
    uint64_t instruction_count;
    uint64_t locked_count;  // read, change and write in one, and mfence
    uint64_t syscall_count;
    uint64_t line_count;          // of the watched cache lines: changed
    bool is_changed[STEP_LINES];  // which ones
};

enum step_result {
    STEP_COUNTED,
    STEP_UNAVAILABLE,  // on this processor, in this system, or step_give_up()
    STEP_FAILED,       // the child ended otherwise, or began or ended nothing
};

// [main, blocks] Run `fn(arg)` in a child process, and count what is executed
// between step_begin() and step_end(), which one of its threads calls once.
enum step_result step_run(
    void (*fn)(void *arg), void *arg, struct step_counts *counts);

// [child] What would be counted is not to be had here: end the child.
_Noreturn void step_give_up(void);

// [child] From now on look whether something changes in the cache line of
// `address`, the `line`th one. Before step_begin().
void step_watch(uint32_t line, const void *address);

// [child]
void step_begin(void);
void step_end(void);

#endif
