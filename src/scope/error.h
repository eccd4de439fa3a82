// SPDX-License-Identifier: MIT
//
// error — records of what went wrong: made, linked into trees, freed.
//
// Behind include/tenon/error.h. Which errors a scope keeps is in ledger.c.

#ifndef TN_SCOPE_ERROR_H
#define TN_SCOPE_ERROR_H

#include "tenon/report.h"

#include <stdarg.h>
#include <stdint.h>

// What a task or a body has to say about its failure until it ends: one word.
//   0            nothing
//   bits 00      a record; code 0 if it only gathers: errors of inner scopes,
//                or codes of children whose errors are recorded already
//   bits 01      code << 2: the error with that code is recorded already
typedef uintptr_t tn_failure;

#define TN_FAILURE_NONE ((tn_failure)0)

// [any] A record that owns copies of all strings. Without memory, one without
// its text from a small reserve; NULL when that is used up as well.
tenon_error *tn_error_create(
    const tenon_fail_place *place, int code, const char *text);

// [any] Set the names of a record; a failure to copy them loses the names.
void tn_error_set_names(
    tenon_error *error, const char *task_name, const char *scope_name);

// [any] A copy without its children (but with the count of those not kept), or
// NULL without memory for all of it.
tenon_error *tn_error_copy(const tenon_error *error);

// [any] Add a copy to the list, and to the children of `parent` unless NULL.
void tn_error_append(tenon_error *parent, tenon_error *error);

// [any] Free a list with all children. Accepts NULL.
void tn_error_free_list(tenon_error *first);

// [any] Add the list `children` and a count of others not kept.
void tn_error_adopt(
    tenon_error *error, tenon_error *children, uint64_t dropped_count);

// [any] The error with `code` that `said` describes and `said` with it; NULL
// with `*is_recorded` if it is recorded already, or NULL without memory.
tenon_error *tn_failure_take(tn_failure *said, int code, bool *is_recorded);

// [any] Replace what was said by a description of `code`; children stay.
void tn_failure_describe(
    tn_failure *said, const tenon_fail_place *place, int code,
    const char *format, va_list args);

// [any] The errors of a nested scope wait here for the task's own end. Has
// somebody had them to read?
void tn_failure_gather(
    tn_failure *said, tenon_error *children, uint64_t dropped_count,
    bool is_read);

// [any] A child's error was recorded; the parent may return its code.
void tn_failure_pass_on(tn_failure *said, int code);

// [any] Forget what was said but for the errors of nested scopes that nobody
// has had to read: their list, now the caller's. Those not kept are counted.
tenon_error *tn_failure_take_unread(tn_failure *said, uint64_t *dropped_count);

// [any] Forget what was said.
void tn_failure_clear(tn_failure *said);

#endif
