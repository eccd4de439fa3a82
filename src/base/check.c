// SPDX-License-Identifier: MIT
//
// check — says what broke, and stops the program.

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void tn_fail_check(const char *file, int line, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fprintf(stderr, "tenon: %s:%d: %s\n", file, line, text);
    abort();
}
