// SPDX-License-Identifier: MIT
//
// dump — the census's tree, written as text or as JSON.
//
// It is made in memory while nothing may be added or taken away, and written
// afterwards: a slow stream holds up nobody. The tree is walked, not recursed
// into: it may be deep.
//
// Roles:    any thread.
// Progress: takes the census's lock, for as long as the text takes.

#include "tenon/dump.h"

#include "base/json.h"
#include "base/text.h"
#include "sched/executor.h"
#include "scope/census.h"
#include "scope/executor.h"
#include "scope/open.h"
#include "scope/token.h"

#include <inttypes.h>
#include <stdlib.h>

#define NS_PER_S 1e9
#define INDENT_MAX 40

static const char *state_name(uint32_t state)
{
    static const char *const names[] = {
        [TN_STATE_QUEUED] = "queued",     [TN_STATE_DELAYED] = "delayed",
        [TN_STATE_LIMITED] = "limited",   [TN_STATE_RUNNING] = "running",
        [TN_STATE_JOINING] = "joining",   [TN_STATE_WAITING] = "waiting",
        [TN_STATE_BLOCKING] = "blocking",
    };

    return names[state];
}

// A node as of now.
struct view {
    const char *name;
    const char *state;
    uint64_t for_ns;
    tenon_cause cause;
};

static struct view view_locked(struct tn_node *node, uint64_t now_ns)
{
    // relaxed: for people.
    uint64_t since_ns = tn_load_relaxed(&node->since_ns);
    // relaxed: likewise.
    uint32_t state = tn_load_relaxed(&node->state);
    struct view view = {
        .name = node->name == NULL ? "" : node->name,
        .state = state_name(state),
        .for_ns = now_ns > since_ns ? now_ns - since_ns : 0,
    };

    if (!node->is_gone) {
        view.cause = tn_token_cause(node->token);
    }
    return view;
}

static void print_node(
    FILE *stream, struct tn_node *node, size_t depth, uint64_t now_ns)
{
    struct view view = view_locked(node, now_ns);

    // The text stays linear in the number of nodes.
    int indent = (int)(depth < INDENT_MAX ? depth : INDENT_MAX) * 2;

    fprintf(stream, "%*s", indent, "");
    fputs(node->kind == TN_NODE_SCOPE ? "scope '" : "task '", stream);
    tn_text_print(stream, view.name);
    if (node->kind == TN_NODE_SCOPE) {
        fprintf(stream, "': open for %.3f s", (double)view.for_ns / NS_PER_S);
    } else {
        fprintf(
            stream, "' #%" PRIu64 ": %s for %.3f s", node->id, view.state,
            (double)view.for_ns / NS_PER_S);
    }
    if (view.cause.source != TENON_CAUSE_NONE) {
        fprintf(
            stream,
            ", cancelled (%s: ", tn_cause_source_name(view.cause.origin));
        tn_text_print(stream, view.cause.text);
        fputc(')', stream);
    }
    fputs(node->is_gone ? ", its frame has ended\n" : "\n", stream);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void print(
    FILE *stream, tenon_executor *executor, const tenon_executor_info *info,
    uint64_t now_ns)
{
    struct tn_node *root = &tn_open_upper(executor)->census.root;
    size_t depth = 0;

    fputs("executor '", stream);
    tn_text_print(stream, executor->name);
    fprintf(
        stream,
        "': %" PRIu32 " worker%s, %" PRIu32 " root scope%s, %" PRIu64
        " inner scope%s, %" PRIu64 " task%s\n",
        info->worker_count, plural(info->worker_count), info->scope_count,
        plural(info->scope_count), info->inner_scope_count,
        plural(info->inner_scope_count), info->task_count,
        plural(info->task_count));
    for (struct tn_node *node = tn_census_next(root, root, &depth);
         node != NULL; node = tn_census_next(root, node, &depth)) {
        print_node(stream, node, depth, now_ns);
    }
}

static void write_cancel(struct tn_json *json, const tenon_cause *cause)
{
    if (cause->source == TENON_CAUSE_NONE) {
        tn_json_null(json, "cancel");
        return;
    }
    tn_json_open(json, "cancel", '{');
    tn_json_text(json, "source", tn_cause_source_name(cause->origin));
    tn_json_text(json, "text", cause->text);
    tn_json_close(json, '}');
}

// Leaves the object and the list of its children open.
static void open_node(
    struct tn_json *json, struct tn_node *node, uint64_t now_ns)
{
    struct view view = view_locked(node, now_ns);

    tn_json_open(json, NULL, '{');
    tn_json_text(json, "name", view.name);
    if (node->kind == TN_NODE_SCOPE) {
        tn_json_uint(json, "age_ns", view.for_ns);
    } else {
        tn_json_uint(json, "id", node->id);
        tn_json_text(json, "state", view.state);
        tn_json_uint(json, "for_ns", view.for_ns);
    }
    write_cancel(json, &view.cause);
    tn_json_open(json, node->kind == TN_NODE_SCOPE ? "tasks" : "scopes", '[');
}

static void close_node(struct tn_json *json)
{
    tn_json_close(json, ']');
    tn_json_close(json, '}');
}

static void write_tree(
    struct tn_json *json, struct tn_node *root, uint64_t now_ns)
{
    size_t depth = 0;
    size_t open_count = 0;

    for (struct tn_node *node = tn_census_next(root, root, &depth);
         node != NULL; node = tn_census_next(root, node, &depth)) {
        for (; open_count >= depth; open_count--) {
            close_node(json);
        }
        open_node(json, node, now_ns);
        open_count++;
    }
    for (; open_count > 0; open_count--) {
        close_node(json);
    }
}

static void write_json(
    FILE *stream, tenon_executor *executor, const tenon_executor_info *info,
    uint64_t now_ns)
{
    struct tn_json json = {.stream = stream};

    tn_json_open(&json, NULL, '{');
    tn_json_text(&json, "executor", executor->name);
    tn_json_uint(&json, "workers", info->worker_count);
    tn_json_uint(&json, "root_scopes", info->scope_count);
    tn_json_uint(&json, "inner_scopes", info->inner_scope_count);
    tn_json_uint(&json, "tasks", info->task_count);
    tn_json_bool(&json, "debug", executor->is_debugged);
    tn_json_open(&json, "scopes", '[');
    write_tree(&json, &tn_open_upper(executor)->census.root, now_ns);
    tn_json_close(&json, ']');
    tn_json_close(&json, '}');
    fputc('\n', stream);
}

typedef void write_fn(
    FILE *stream, tenon_executor *executor, const tenon_executor_info *info,
    uint64_t now_ns);

static tenon_status dump(
    tenon_executor *executor, FILE *stream, write_fn *write)
{
    tenon_executor_info info = {.struct_size = sizeof(info)};
    char *text = NULL;
    size_t size_bytes = 0;

    if (tn_has_forked) {
        return TENON_EFORK;
    }
    executor = executor == NULL ? tn_executor_at_hand() : executor;
    tenon_status status = tenon_executor_info_get(executor, &info);
    if (status != TENON_OK || stream == NULL) {
        return status == TENON_OK ? TENON_EINVAL : status;
    }
    FILE *memory = open_memstream(&text, &size_bytes);
    if (memory == NULL) {
        return TENON_ENOMEM;
    }
    // The clock may be the user's, with a lock of its own: not below ours.
    uint64_t now_ns = tn_timer_now_ns(&executor->timer);
    tn_census_lock();
    write(memory, executor, &info, now_ns);
    tn_census_unlock();
    bool is_whole = ferror(memory) == 0;
    is_whole = fclose(memory) == 0 && is_whole;
    if (is_whole && (fwrite(text, 1, size_bytes, stream) != size_bytes ||
                     fflush(stream) != 0)) {
        status = TENON_EAGAIN;
    }
    free(text);
    return is_whole ? status : TENON_ENOMEM;
}

tenon_status tenon_dump(tenon_executor *executor, FILE *stream)
{
    return dump(executor, stream, print);
}

tenon_status tenon_dump_json(tenon_executor *executor, FILE *stream)
{
    return dump(executor, stream, write_json);
}
