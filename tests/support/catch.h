// SPDX-License-Identifier: MIT
//
// catch — what is written to stderr while it lasts.
//
// For the test's main thread; others may write.

#ifndef SUPPORT_CATCH_H
#define SUPPORT_CATCH_H

#include <stdio.h>

struct catch
{
    FILE *caught;  // to be read and closed after catch_end()
    int saved;
};

// [main] From now on. Asserts.
void catch_begin(struct catch *catch);

// [main] No longer; `caught` is at its beginning.
void catch_end(struct catch *catch);

#endif
