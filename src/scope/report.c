// SPDX-License-Identifier: MIT
//
// report — a join's result: walked, printed as a tree, freed.

#include "tenon/report.h"
#include "base/text.h"
#include "scope/error.h"
#include "scope/token.h"

#include <inttypes.h>
#include <string.h>

const char *tenon_status_name(tenon_status status)
{
    static const char *const names[] = {
        "TENON_OK",        "TENON_CANCELLED", "TENON_ERRORS", "TENON_TIMEOUT",
        "TENON_EINVAL",    "TENON_ENOMEM",    "TENON_EPERM",  "TENON_EDEADLK",
        "TENON_EALREADY",  "TENON_ECLOSED",   "TENON_EBUSY",  "TENON_EAGAIN",
        "TENON_ENOTREADY", "TENON_ESTRUCT",   "TENON_EFORK",  "TENON_ENORESULT",
        "TENON_END",       "TENON_AGAIN",
    };
    int count = (int)(sizeof(names) / sizeof(names[0]));

    if (status > 0 || status <= -count) {
        return "error";
    }
    return names[-status];
}

bool tenon_error_is(const tenon_error *error, const char *domain, int code)
{
    return (domain == NULL || strcmp(error->domain, domain) == 0) &&
           (code == 0 || error->code == code);
}

static size_t depth_of(const tenon_error *error)
{
    size_t depth = 0;

    for (; error != NULL && error->parent != NULL; error = error->parent) {
        depth++;
    }
    return depth;
}

static const tenon_error *after(const tenon_error *error)
{
    if (error->children != NULL) {
        return error->children;
    }
    while (error->next == NULL && error->parent != NULL) {
        error = error->parent;
    }
    return error->next;
}

const tenon_error *tenon_report_next(
    const tenon_report *report, const tenon_error *previous, size_t *depth)
{
    const tenon_error *next =
        previous == NULL ? report->errors : after(previous);

    if (depth != NULL) {
        *depth = depth_of(next);
    }
    return next;
}

static void print_after_colon(FILE *stream, const char *text)
{
    if (text[0] != '\0') {
        fputs(": ", stream);
        tn_text_print(stream, text);
    }
    fputc('\n', stream);
}

static void print_quoted(FILE *stream, const char *what, const char *name)
{
    if (name[0] != '\0') {
        fprintf(stream, " %s '", what);
        tn_text_print(stream, name);
        fputc('\'', stream);
    }
}

static void print_cause(const tenon_cause *cause, FILE *stream)
{
    fprintf(stream, "  cancelled: %s", tn_cause_source_name(cause->origin));
    if (cause->source == TENON_CAUSE_PARENT) {
        fputs(" further out", stream);
    }
    print_quoted(stream, "in task", cause->task_name);
    print_quoted(stream, "of scope", cause->scope_name);
    if (cause->code != 0) {
        fprintf(stream, " code %d", cause->code);
    }
    print_after_colon(stream, cause->text);
}

static void print_error(
    const tenon_error *error, size_t depth, bool is_primary, FILE *stream)
{
    fprintf(
        stream, "%*s#%" PRIu64 " ", (int)(2 + 2 * depth), "", error->sequence);
    tn_text_print(stream, error->domain);
    fprintf(stream, " %d", error->code);
    print_quoted(stream, "in task", error->task_name);
    print_quoted(stream, "of scope", error->scope_name);
    if (error->file[0] != '\0') {
        fprintf(stream, " at %s:%d", error->file, error->line);
    }
    fputs(error->severity == TENON_SEVERITY_FATAL ? " [fatal]" : "", stream);
    fputs(is_primary ? " [primary]" : "", stream);
    fputs(error->after_cancel ? " [after cancel]" : "", stream);
    print_after_colon(stream, error->text);
    if (error->children_dropped_count > 0) {
        fprintf(
            stream, "%*s... %" PRIu64 " more\n", (int)(4 + 2 * depth), "",
            error->children_dropped_count);
    }
}

static void print_counts(const tenon_report *report, FILE *stream)
{
    fprintf(
        stream,
        "%s: %" PRIu64 " spawned, %" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64
        " cancelled, %" PRIu64 " dropped, %" PRIu64 " rejected\n",
        tenon_status_name(report->status), report->spawned_count,
        report->ok_count, report->failed_count, report->cancelled_count,
        report->dropped_count, report->rejected_count);
}

tenon_status tenon_report_print(const tenon_report *report, FILE *stream)
{
    const tenon_error *error = NULL;
    size_t depth = 0;

    print_counts(report, stream);
    if (report->cancel_requested) {
        print_cause(&report->cause, stream);
    }
    while ((error = tenon_report_next(report, error, &depth)) != NULL) {
        print_error(error, depth, error == report->primary, stream);
    }
    if (report->error_count > report->kept_count) {
        fprintf(
            stream, "  ... %" PRIu64 " more\n",
            report->error_count - report->kept_count);
    }
    return ferror(stream) ? TENON_EAGAIN : TENON_OK;
}

void tenon_report_free(tenon_report *report)
{
    if (report != NULL) {
        tn_error_free_list((tenon_error *)report->errors);
        memset(report, 0, sizeof(*report));
    }
}
