// SPDX-License-Identifier: MIT
//
// undo — plain statics of shipped code begin every execution as they were.

#ifndef MC_UNDO_H
#define MC_UNDO_H

#include <stddef.h>

// [thread] Before a plain write of shipped code.
void mc_undo_note(const volatile void *p, size_t size_bytes);

// [engine] Take all of them back, the last one first.
void mc_undo_all(void);

#endif
