// SPDX-License-Identifier: MIT
//
// quote — file names in messages, safe on a terminal.

#include "quote.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

// One character of a name, and how it is shown.
struct glyph {
    size_t byte_count;  // in the name
    char text[5];       // "" for one that is shown as it is
};

static struct glyph escape(const char *name)
{
    struct glyph glyph = {.byte_count = 1};

    switch (*name) {
    case '\n':
        strcpy(glyph.text, "\\n");
        break;
    case '\r':
        strcpy(glyph.text, "\\r");
        break;
    case '\t':
        strcpy(glyph.text, "\\t");
        break;
    default:
        snprintf(
            glyph.text, sizeof(glyph.text), "\\%03o", (unsigned char)*name);
    }
    return glyph;
}

static struct glyph next_glyph(const char *name)
{
    wchar_t wide;
    mbstate_t state = {0};

    if (*name == '\'' || *name == '\\') {
        return (struct glyph){1, {'\\', *name}};
    }
    // Errors are huge numbers, and no character has more than 16 bytes.
    size_t byte_count = mbrtowc(&wide, name, strlen(name), &state);
    if (byte_count > 16 || !iswprint((wint_t)wide)) {
        return escape(name);
    }
    return (struct glyph){.byte_count = byte_count};
}

static size_t shown_length(const struct glyph *glyph)
{
    return glyph->text[0] != '\0' ? strlen(glyph->text) : glyph->byte_count;
}

void quote_name(char quoted[static QUOTE_SIZE], const char *name)
{
    static const char mark[] = "'", cut[] = "'...";
    const size_t room = QUOTE_SIZE - sizeof(cut) - sizeof(mark);
    size_t length = 0;
    struct glyph glyph;

    for (const char *rest = name; *rest != '\0'; rest += glyph.byte_count) {
        glyph = next_glyph(rest);
        length += shown_length(&glyph);
    }
    char *end = stpcpy(quoted, length > room ? cut : mark);
    for (; *name != '\0'; name += glyph.byte_count) {
        glyph = next_glyph(name);
        if (length > room) {
            length -= shown_length(&glyph);
        } else if (glyph.text[0] != '\0') {
            end = stpcpy(end, glyph.text);
        } else {
            end = memcpy(end, name, glyph.byte_count);
            end += glyph.byte_count;
        }
    }
    strcpy(end, mark);
}
