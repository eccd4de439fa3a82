// SPDX-License-Identifier: MIT
//
// report — the laws that every report obeys.

#include "report.h"

#define LAW_SPAWN "a spawn is admitted, or refused as cancelled"
#define LAW_COUNTS "a report counts what its members counted"
#define LAW_SUM "spawned is ok, failed, cancelled and dropped"
#define LAW_ERRORS "every error is counted"
#define LAW_BOUND "the kept errors are bounded and in order"
#define LAW_PRIMARY "the primary error is the right one"
#define LAW_AFTER "an error knows whether it came after the cancel"
#define LAW_POLICY "a failure cancels, unless the policy collects"
#define LAW_STATUS "the status follows from the counters and the cause"

void report_laws(void)
{
    stress_law(LAW_SPAWN);
    stress_law(LAW_COUNTS);
    stress_law(LAW_SUM);
    stress_law(LAW_ERRORS);
    stress_law(LAW_BOUND);
    stress_law(LAW_PRIMARY);
    stress_law(LAW_AFTER);
    stress_law(LAW_POLICY);
    stress_law(LAW_STATUS);
}

void report_count_spawn(struct report_tally *tally, tenon_status status)
{
    if (status == TENON_OK) {
        STRESS_COUNT(tally->admitted_count);
    } else if (status == TENON_CANCELLED) {
        STRESS_COUNT(tally->refused_count);
    } else {
        stress_broke(LAW_SPAWN, "%s", tenon_status_name(status));
    }
}

void report_count_end(struct report_tally *tally, int status, bool is_forked)
{
    bool is_good = status == TENON_OK || status == TENON_CANCELLED;

    if (is_forked) {
        atomic_fetch_add(&tally->forked_failed_count, is_good ? 0 : 1);
    } else if (status == TENON_OK) {
        STRESS_COUNT(tally->ok_count);
    } else if (status == TENON_CANCELLED) {
        STRESS_COUNT(tally->cancelled_count);
    } else {
        STRESS_COUNT(tally->failed_count);
    }
}

uint64_t report_error_count(const struct report_tally *tally)
{
    return STRESS_READ(tally->failed_count) +
           STRESS_READ(tally->forked_failed_count) -
           STRESS_READ(tally->passed_on_count) + tally->body_failed_count;
}

static void check_equal(
    const char *law, const char *what, uint64_t found, uint64_t wanted)
{
    if (found != wanted) {
        stress_broke(
            law, "%s: %llu, not %llu", what, (unsigned long long)found,
            (unsigned long long)wanted);
    }
}

static void check_counts(
    const struct report_tally *tally, const tenon_report *report)
{
    check_equal(
        LAW_COUNTS, "spawned", report->spawned_count, tally->admitted_count);
    check_equal(LAW_COUNTS, "ok", report->ok_count, tally->ok_count);
    check_equal(
        LAW_COUNTS, "failed", report->failed_count, tally->failed_count);
    check_equal(
        LAW_COUNTS, "cancelled", report->cancelled_count,
        tally->cancelled_count);
    check_equal(
        LAW_COUNTS, "rejected", report->rejected_count, tally->refused_count);
    check_equal(
        LAW_SUM, "spawned", report->spawned_count,
        report->ok_count + report->failed_count + report->cancelled_count +
            report->dropped_count);
    check_equal(
        LAW_ERRORS, "errors", report->error_count, report_error_count(tally));
}

static void check_list(
    const struct report_tally *tally, const tenon_report *report)
{
    uint64_t count = 0;
    uint64_t last_sequence = 0;

    for (const tenon_error *error = report->errors; error != NULL;
         error = error->next) {
        if (error->sequence <= last_sequence || error->parent != NULL) {
            stress_broke(LAW_BOUND, "not sorted, or not a root");
        }
        last_sequence = error->sequence;
        count++;
        bool is_late = report->cause.source == TENON_CAUSE_FAILURE &&
                       error->sequence > report->cause.sequence;
        if (is_late && !error->after_cancel) {
            stress_broke(LAW_AFTER, "it came later, and says before");
        }
        if (error->after_cancel && !report->cancel_requested) {
            stress_broke(LAW_AFTER, "there was no cancel");
        }
    }
    check_equal(LAW_BOUND, "kept", report->kept_count, count);
    uint64_t wanted = report->error_count < tally->max_errors
                          ? report->error_count
                          : tally->max_errors;
    if (count < wanted || count > wanted + 2 ||
        last_sequence > report->error_count) {
        stress_broke(LAW_BOUND, "%llu kept", (unsigned long long)count);
    }
}

static const tenon_error *primary_of(const tenon_report *report)
{
    for (const tenon_error *error = report->errors; error != NULL;
         error = error->next) {
        if (error->severity == TENON_SEVERITY_FATAL) {
            return error;
        }
    }
    for (const tenon_error *error = report->errors; error != NULL;
         error = error->next) {
        if (report->cause.source == TENON_CAUSE_FAILURE &&
            error->sequence == report->cause.sequence) {
            return error;
        }
    }
    return report->errors;
}

static void check_primary(const tenon_report *report)
{
    const tenon_error *primary = primary_of(report);

    if (report->primary != primary) {
        stress_broke(LAW_PRIMARY, "it is another one");
    }
    if (report->cause.source == TENON_CAUSE_FAILURE &&
        (primary == NULL || (primary->severity != TENON_SEVERITY_FATAL &&
                             (primary->sequence != report->cause.sequence ||
                              primary->code != report->cause.code)))) {
        stress_broke(LAW_PRIMARY, "it is not the one of the cause");
    }
}

static tenon_status status_of(const tenon_report *report)
{
    bool was_stopped = report->cancelled_count + report->dropped_count +
                               report->rejected_count >
                           report->alone_count ||
                       report->body_status == TENON_CANCELLED;

    if (report->error_count > 0) {
        return TENON_ERRORS;
    }
    if (!was_stopped) {
        return TENON_OK;
    }
    switch (report->cause.source) {
    case TENON_CAUSE_DEADLINE:
        return TENON_TIMEOUT;
    case TENON_CAUSE_PARENT:
        return TENON_CANCELLED;
    default:
        return TENON_OK;
    }
}

static void check_cause(
    const struct report_tally *tally, const tenon_report *report)
{
    bool has_cause = report->cause.source != TENON_CAUSE_NONE;
    bool is_own = has_cause && report->cause.source != TENON_CAUSE_PARENT;
    bool must_cancel =
        tally->body_failed_count > 0 ||
        (tally->policy == TENON_POLICY_FAIL_FAST && report->error_count > 0);

    if (must_cancel && !has_cause) {
        stress_broke(LAW_POLICY, "it did not");
    }
    if (report->cancel_requested != has_cause || report->cancelled != is_own) {
        stress_broke(LAW_STATUS, "the flags do not fit the cause");
    }
    if (!has_cause && report->cancelled_count + report->dropped_count +
                              report->rejected_count >
                          tally->stopped_alone_count) {
        stress_broke(LAW_STATUS, "something was stopped without a cause");
    }
}

void report_check(
    const struct report_tally *tally, const tenon_report *report,
    tenon_status status)
{
    if (status != report->status || status != status_of(report)) {
        stress_broke(
            LAW_STATUS, "join said %s, the report %s, the counters %s",
            tenon_status_name(status), tenon_status_name(report->status),
            tenon_status_name(status_of(report)));
    }
    check_counts(tally, report);
    check_list(tally, report);
    check_primary(report);
    check_cause(tally, report);
}

void report_check_status(const struct report_tally *tally, tenon_status status)
{
    bool has_errors = report_error_count(tally) > 0;

    if (has_errors != (status == TENON_ERRORS)) {
        stress_broke(
            LAW_STATUS, "%llu errors, yet %s",
            (unsigned long long)report_error_count(tally),
            tenon_status_name(status));
    }
}
