// SPDX-License-Identifier: MIT
//
// tap — counts results and prints them.

#include "checker/tap.h"

#include <stdarg.h>
#include <stdio.h>

static int result_count;
static int failed_count;

bool mc_tap_result(bool is_ok, const char *format, ...)
{
    va_list args;

    result_count++;
    failed_count += is_ok ? 0 : 1;
    printf("%s %d - ", is_ok ? "ok" : "not ok", result_count);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    return is_ok;
}

void mc_tap_note(const char *format, ...)
{
    va_list args;

    printf("# ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

int mc_tap_finish(void)
{
    printf("1..%d\n", result_count);
    // A name that matches nothing is a mistake, not a success.
    return result_count > 0 && failed_count == 0 ? 0 : 1;
}
