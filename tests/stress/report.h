// SPDX-License-Identifier: MIT
//
// report — what a scope's members say about themselves, against what its report
// says about them.
//
// Members count; the joiner compares. Any thread; a tally belongs to one scope.

#ifndef TESTS_STRESS_REPORT_H
#define TESTS_STRESS_REPORT_H

#include "support.h"

#include <tenon/tenon.h>

struct report_tally {
    tenon_policy policy;
    uint32_t max_errors;
    uint64_t body_failed_count;  // 0 or 1; the owner's
    _Atomic(uint64_t) admitted_count;
    _Atomic(uint64_t) refused_count;
    _Atomic(uint64_t) ok_count;
    _Atomic(uint64_t) failed_count;
    _Atomic(uint64_t) cancelled_count;
    _Atomic(uint64_t) forked_failed_count;  // in no counter of the report
    _Atomic(uint64_t) passed_on_count;      // failed with an error of a child's
    uint64_t stopped_alone_count;  // by their own tokens; known after the join
};

// [main] Name the laws that are checked here.
void report_laws(void);

// [any] A spawn said `status`.
void report_count_spawn(struct report_tally *tally, tenon_status status);

// [any] A member is about to return `status`.
void report_count_end(struct report_tally *tally, int status, bool is_forked);

// [any] How many errors the scope must have counted.
uint64_t report_error_count(const struct report_tally *tally);

// [joiner] Compare, after the join said `status`.
void report_check(
    const struct report_tally *tally, const tenon_report *report,
    tenon_status status);

// [joiner] As far as possible without a report.
void report_check_status(const struct report_tally *tally, tenon_status status);

#endif
