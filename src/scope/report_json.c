// SPDX-License-Identifier: MIT
//
// report_json — a report as one JSON object. The tree is walked, not recursed
// into: it may be deep.

#include "base/json.h"
#include "scope/error.h"
#include "scope/token.h"
#include "tenon/report.h"

static void write_counts(struct tn_json *json, const tenon_report *report)
{
    tn_json_open(json, "counts", '{');
    tn_json_uint(json, "spawned", report->spawned_count);
    tn_json_uint(json, "ok", report->ok_count);
    tn_json_uint(json, "failed", report->failed_count);
    tn_json_uint(json, "cancelled", report->cancelled_count);
    tn_json_uint(json, "dropped", report->dropped_count);
    tn_json_uint(json, "rejected", report->rejected_count);
    tn_json_uint(json, "alone", report->alone_count);
    tn_json_uint(json, "errors", report->error_count);
    tn_json_uint(json, "kept", report->kept_count);
    tn_json_close(json, '}');
}

static void write_cause(struct tn_json *json, const tenon_cause *cause)
{
    if (cause->source == TENON_CAUSE_NONE) {
        tn_json_null(json, "cause");
        return;
    }
    tn_json_open(json, "cause", '{');
    tn_json_text(json, "source", tn_cause_source_name(cause->source));
    tn_json_text(json, "origin", tn_cause_source_name(cause->origin));
    tn_json_int(json, "code", cause->code);
    tn_json_uint(json, "time_ns", cause->time_ns);
    tn_json_uint(json, "sequence", cause->sequence);
    tn_json_uint(json, "task_id", cause->task_id);
    tn_json_text(json, "task", cause->task_name);
    tn_json_text(json, "scope", cause->scope_name);
    tn_json_text(json, "text", cause->text);
    tn_json_close(json, '}');
}

// Leaves the object and its list of children open.
static void open_error(
    struct tn_json *json, const tenon_error *error, bool is_primary)
{
    tn_json_open(json, NULL, '{');
    tn_json_uint(json, "sequence", error->sequence);
    tn_json_text(json, "domain", error->domain);
    tn_json_int(json, "code", error->code);
    tn_json_bool(json, "fatal", error->severity == TENON_SEVERITY_FATAL);
    tn_json_bool(json, "primary", is_primary);
    tn_json_bool(json, "after_cancel", error->after_cancel);
    tn_json_text(json, "text", error->text);
    tn_json_text(json, "file", error->file);
    tn_json_int(json, "line", error->line);
    tn_json_text(json, "task", error->task_name);
    tn_json_uint(json, "task_id", error->task_id);
    tn_json_text(json, "scope", error->scope_name);
    tn_json_uint(json, "children_dropped", error->children_dropped_count);
    tn_json_open(json, "children", '[');
}

static void close_errors(struct tn_json *json, size_t count)
{
    for (; count > 0; count--) {
        tn_json_close(json, ']');
        tn_json_close(json, '}');
    }
}

static void write_errors(struct tn_json *json, const tenon_report *report)
{
    const tenon_error *error = NULL;
    size_t open_count = 0;
    size_t depth = 0;

    tn_json_open(json, "errors", '[');
    while ((error = tenon_report_next(report, error, &depth)) != NULL) {
        close_errors(json, open_count - depth);
        open_error(json, error, error == report->primary);
        open_count = depth + 1;
    }
    close_errors(json, open_count);
    tn_json_close(json, ']');
}

tenon_status tenon_report_print_json(const tenon_report *report, FILE *stream)
{
    struct tn_json json = {.stream = stream};

    tn_json_open(&json, NULL, '{');
    tn_json_text(&json, "status", tenon_status_name(report->status));
    tn_json_int(&json, "code", report->status);
    tn_json_int(&json, "body", report->body_status);
    tn_json_bool(&json, "cancel_requested", report->cancel_requested);
    tn_json_bool(&json, "cancelled", report->cancelled);
    write_counts(&json, report);
    write_cause(&json, &report->cause);
    write_errors(&json, report);
    tn_json_close(&json, '}');
    fputc('\n', stream);
    return ferror(stream) ? TENON_EAGAIN : TENON_OK;
}
