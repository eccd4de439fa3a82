// SPDX-License-Identifier: MIT
//
// stderr — a temporary file under its number.

#include "stderr.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

FILE *stderr_catch(int *saved)
{
    FILE *caught = tmpfile();

    cr_assert(ne(ptr, caught, NULL));
    fflush(stderr);
    *saved = dup(STDERR_FILENO);
    cr_assert(ge(int, dup2(fileno(caught), STDERR_FILENO), 0));
    return caught;
}

void stderr_give_back(int saved)
{
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
}
