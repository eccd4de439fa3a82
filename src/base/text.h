// SPDX-License-Identifier: MIT
//
// text — what the user has named, on a line of its own.

#ifndef TN_BASE_TEXT_H
#define TN_BASE_TEXT_H

#include <stdio.h>

// [any] Write it so that a line stays a line and a terminal stays what it is:
// control characters as escapes. Bytes above 127 may be anybody's UTF-8 and
// pass.
void tn_text_print(FILE *stream, const char *text);

#endif
