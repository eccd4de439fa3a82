// SPDX-License-Identifier: MIT
//
// tap — the Test Anything Protocol: one line per result, on stdout.

#ifndef MC_TAP_H
#define MC_TAP_H

#include <stdbool.h>

// [driver] "ok 3 - ..." or "not ok 3 - ...". Returns `is_ok`.
bool mc_tap_result(bool is_ok, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// [driver] A line of explanation.
void mc_tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

// [driver] The plan; the exit code of the program.
int mc_tap_finish(void);

#endif
