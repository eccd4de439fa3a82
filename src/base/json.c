// SPDX-License-Identifier: MIT
//
// json — texts may be anything: control characters are escaped, and what is not
// UTF-8 (RFC 3629) becomes U+FFFD, a byte at a time.

#include "base/json.h"

#include <inttypes.h>
#include <stddef.h>

#define REPLACEMENT "\\ufffd"

// A range of bytes at the beginning of a sequence, and of the byte that follows
// it; the further ones are 80..bf.
struct lead {
    unsigned char first;
    unsigned char last;
    unsigned char second_first;
    unsigned char second_last;
    int length;
};

// The well-formed sequences: table 3-7 of The Unicode Standard.
static const struct lead leads[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool is_sequence(const unsigned char *at, const struct lead *lead)
{
    if (at[1] < lead->second_first || at[1] > lead->second_last) {
        return false;
    }
    for (int i = 2; i < lead->length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

// The length of the sequence that begins at `at`, above 7f; 0: there is none.
static int sequence_length(const unsigned char *at)
{
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        if (at[0] >= leads[i].first && at[0] <= leads[i].last) {
            return is_sequence(at, &leads[i]) ? leads[i].length : 0;
        }
    }
    return 0;
}

// Writes one character and says how many bytes it was.
static int write_character(FILE *stream, const unsigned char *at)
{
    if (at[0] == '"' || at[0] == '\\') {
        fprintf(stream, "\\%c", at[0]);
        return 1;
    }
    if (at[0] < ' ' || at[0] == 0x7f) {
        fprintf(stream, "\\u%04x", at[0]);
        return 1;
    }
    if (at[0] < 0x80) {
        fputc(at[0], stream);
        return 1;
    }
    int length = sequence_length(at);
    if (length == 0) {
        fputs(REPLACEMENT, stream);
        return 1;
    }
    fwrite(at, 1, (size_t)length, stream);
    return length;
}

static void write_text(FILE *stream, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    fputc('"', stream);
    while (*at != 0) {
        at += write_character(stream, at);
    }
    fputc('"', stream);
}

static void begin(struct tn_json *json, const char *name)
{
    if (json->needs_comma) {
        fputs(", ", json->stream);
    }
    if (name != NULL) {
        write_text(json->stream, name);
        fputs(": ", json->stream);
    }
    json->needs_comma = true;
}

void tn_json_open(struct tn_json *json, const char *name, char bracket)
{
    begin(json, name);
    fputc(bracket, json->stream);
    json->needs_comma = false;
}

void tn_json_close(struct tn_json *json, char bracket)
{
    fputc(bracket, json->stream);
    json->needs_comma = true;
}

void tn_json_text(struct tn_json *json, const char *name, const char *text)
{
    begin(json, name);
    write_text(json->stream, text);
}

void tn_json_int(struct tn_json *json, const char *name, int64_t number)
{
    begin(json, name);
    fprintf(json->stream, "%" PRId64, number);
}

void tn_json_uint(struct tn_json *json, const char *name, uint64_t number)
{
    begin(json, name);
    fprintf(json->stream, "%" PRIu64, number);
}

void tn_json_bool(struct tn_json *json, const char *name, bool value)
{
    begin(json, name);
    fputs(value ? "true" : "false", json->stream);
}

void tn_json_null(struct tn_json *json, const char *name)
{
    begin(json, name);
    fputs("null", json->stream);
}
