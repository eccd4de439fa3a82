// SPDX-License-Identifier: MIT
//
// json — writes JSON (RFC 8259) to a stream: objects, arrays, texts, numbers.
//
// Commas are put where they belong; names and order are the caller's.

#ifndef TN_BASE_JSON_H
#define TN_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct tn_json {
    FILE *stream;
    bool needs_comma;
};

// [one thread] `name` is that of the member, or NULL inside an array.
void tn_json_open(struct tn_json *json, const char *name, char bracket);
void tn_json_close(struct tn_json *json, char bracket);
void tn_json_text(struct tn_json *json, const char *name, const char *text);
void tn_json_int(struct tn_json *json, const char *name, int64_t number);
void tn_json_uint(struct tn_json *json, const char *name, uint64_t number);
void tn_json_bool(struct tn_json *json, const char *name, bool value);
void tn_json_null(struct tn_json *json, const char *name);

#endif
