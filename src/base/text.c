// SPDX-License-Identifier: MIT
//
// text — escapes for control characters.

#include "base/text.h"

void tn_text_print(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '\n') {
            fputs("\\n", stream);
        } else if (byte < ' ' || byte == 127) {
            fprintf(stream, "\\x%02x", byte);
        } else {
            fputc(byte, stream);
        }
    }
}
