// SPDX-License-Identifier: MIT
//
// stderr — what is written there, caught.

#ifndef SUPPORT_STDERR_H
#define SUPPORT_STDERR_H

#include <stdio.h>

// [main] Everything written to stderr from now on is in the file instead; to be
// closed.
FILE *stderr_catch(int *saved);

// [main] No more of it.
void stderr_give_back(int saved);

#endif
