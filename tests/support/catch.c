// SPDX-License-Identifier: MIT
//
// catch — another file in the place of stderr.

#include "catch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

void catch_begin(struct catch *catch)
{
    catch->caught = tmpfile();
    cr_assert(ne(ptr, catch->caught, NULL));
    fflush(stderr);
    catch->saved = dup(STDERR_FILENO);
    cr_assert(ge(int, dup2(fileno(catch->caught), STDERR_FILENO), 0));
}

void catch_end(struct catch *catch)
{
    fflush(stderr);
    dup2(catch->saved, STDERR_FILENO);
    close(catch->saved);
    rewind(catch->caught);
}
