// SPDX-License-Identifier: MIT
//
// clear — several members of an object at once.

#ifndef TN_BASE_CLEAR_H
#define TN_BASE_CLEAR_H

#include <stddef.h>
#include <string.h>

// The bytes of an object from one member up to another: 0 is zero for atomics,
// too. Up to 128 at a time: for more the compiler takes `rep stos`, whose start
// alone costs more than these few stores.
#define TN_CLEAR(object, first, end)                                  \
    memset(                                                           \
        (char *)(object) + offsetof(__typeof__(*(object)), first), 0, \
        offsetof(__typeof__(*(object)), end) -                        \
            offsetof(__typeof__(*(object)), first))

#endif
