// SPDX-License-Identifier: MIT
//
// arena — keeps Criterion's shared memory where ThreadSanitizer allows it.
//
// Criterion asks rand_r() for the address of the memory that its processes
// share; most of its answers lie where ThreadSanitizer has its own. Linked into
// ThreadSanitizer builds only.

#include <stdlib.h>

int rand_r(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return 0x351000 + (int)((*seed >> 16) & 0xfff);
}
