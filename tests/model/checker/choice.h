// SPDX-License-Identifier: MIT
//
// choice — the path of one execution: every choice in it, in order.
//
// An execution is a function of its path, so a path can be extended, changed
// in its last choice (depth-first search) and printed and run again (replay).

#ifndef MC_CHOICE_H
#define MC_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#define MC_CHOICES 8192

// A choice is printed as one digit of base 36.
#define MC_CHOICE_COUNT_MAX 36

enum mc_choice_kind {
    MC_CHOICE_THREAD,  // who runs next
    MC_CHOICE_STORE,   // which store a load reads; 0 is the newest
    MC_CHOICE_OTHER,
};

// [engine] Take one of `count` alternatives. The exhaustive search goes through
// the first `explored` of them. `threads`, of MC_CHOICE_THREAD, names them.
int mc_choice_take(
    enum mc_choice_kind kind, int count, int explored, const int *threads);

// [engine] Begin a new execution on the path that is there.
void mc_choice_rewind(void);

// [engine] Empty the path.
void mc_choice_clear(void);

// [engine] Change the path to the next one of the depth-first search; false if
// that was the last.
bool mc_choice_next(void);

// [engine] Set the path from digits. False: they are none.
bool mc_choice_parse(const char *digits);

// [engine] Write the path, without trailing zeros, in up to `size_bytes`.
void mc_choice_print(char *digits, int size_bytes);

#endif
