// SPDX-License-Identifier: MIT
//
// dump — a tree of scopes in debug mode grows, is cancelled and joined, while
// another thread shows it and looks for what is wrong.
//
// Tasks open scopes of their own, fork, wait for a moment, go on later, and
// some heed a cancel. Nobody is slow by the standards given.
//
// Laws: what is shown is whole: brackets match, and no line is cut; nothing is
// found, since nothing is wrong; every argument is destroyed once; at the end
// nothing lives. Overlap: trees shown with tasks in them.

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

#define LAW_TEXT "a tree shown as text ends with a line"
#define LAW_JSON "a tree shown as JSON has matching brackets"
#define LAW_FOUND "nothing is found where nothing is wrong"
#define LAW_DESTROYED "every argument is destroyed once"
#define LAW_EMPTY "at the end nothing lives"

enum { WIDTH = 6, DEPTH = 4 };

struct node {
    uint64_t stream;
    int depth;
};

static _Atomic(uint64_t) made_count;
static _Atomic(uint64_t) destroyed_count;
static _Atomic(bool) is_over;
static uint64_t shown_count;
static uint64_t busy_count;  // of these, with tasks in them

static int grow(tenon_task *self, void *arg);

static void destroy_node(void *arg)
{
    STRESS_COUNT(destroyed_count);
    free(arg);
}

static tenon_status spawn_node(
    tenon_scope *scope, int depth, struct stress_random *random)
{
    struct node *node = malloc(sizeof(*node));

    if (node == NULL) {
        stress_die("no memory");
    }
    *node = (struct node){stress_random_next(random), depth};
    STRESS_COUNT(made_count);
    return tenon_spawn_with(
        scope, grow, node,
        TENON_TASK_OPTIONS(
                .name = "node", .id = (uint64_t)depth,
                .delay_ns =
                    stress_chance(random, 8) ? stress_below(random, 100000) : 0,
                .destroy_arg = destroy_node));
}

static int grow_forked(tenon_task *self, void *arg)
{
    struct stress_random *random = arg;
    tenon_scope scope;

    (void)self;
    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.name = "forked")) !=
        TENON_OK) {
        return TENON_OK;
    }
    tenon_status body = spawn_node(&scope, 0, random);
    (void)!tenon_scope_join(&scope, body, NULL);
    return TENON_OK;
}

static void grow_children(
    tenon_task *self, int depth, struct stress_random *random)
{
    uint32_t count = 1 + stress_below(random, WIDTH);
    tenon_scope scope;
    tenon_task child;

    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.name = "level")) !=
        TENON_OK) {
        return;
    }
    tenon_status body = TENON_OK;
    for (uint32_t i = 0; i < count && body == TENON_OK; i++) {
        body = spawn_node(&scope, depth - 1, random);
    }
    if (stress_chance(random, 4)) {
        struct stress_random forked =
            stress_random_make(stress_random_next(random));
        tenon_fork(self, &child, grow_forked, &forked);
        (void)!tenon_join(self, &child);
    }
    if (stress_chance(random, 6)) {
        tenon_scope_cancel(&scope, 1, "enough of this level");
    }
    (void)!tenon_scope_join(&scope, body, NULL);
}

static int grow(tenon_task *self, void *arg)
{
    struct node *node = arg;
    struct stress_random random = stress_random_make(node->stream);

    if (node->depth > 0) {
        grow_children(self, node->depth, &random);
    }
    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (stress_chance(&random, 10)) {
        (void)!tenon_sleep(self, stress_below(&random, 50000));
    }
    if (node->depth == 0 && stress_chance(&random, 10)) {
        node->stream = stress_random_next(&random);
        return tenon_again(self, stress_below(&random, 20000));
    }
    return TENON_OK;
}

// What `write` shows; to be freed.
static char *show(
    tenon_executor *executor,
    tenon_status (*write)(tenon_executor *executor, FILE *stream))
{
    char *text = NULL;
    size_t size_bytes = 0;
    FILE *stream = open_memstream(&text, &size_bytes);

    if (stream == NULL || write(executor, stream) != TENON_OK ||
        fclose(stream) != 0) {
        stress_die("no memory");
    }
    return text;
}

static void check_text(const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || text[length - 1] != '\n') {
        stress_broke(LAW_TEXT, "'%.40s'", text);
    }
    shown_count++;
    busy_count += strstr(text, "task '") != NULL;
}

static void check_json(const char *text)
{
    int64_t depth = 0;

    for (const char *at = text; *at != '\0'; at++) {
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
    }
    if (depth != 0 || text[0] != '{') {
        stress_broke(LAW_JSON, "%lld are left open", (long long)depth);
    }
}

static void *look(void *arg)
{
    tenon_executor *executor = arg;

    while (!atomic_load(&is_over)) {
        char *text = show(executor, tenon_dump);
        char *json = show(executor, tenon_dump_json);
        check_text(text);
        check_json(json);
        free(text);
        free(json);
        tenon_executor_inspect(executor);
    }
    return NULL;
}

static void find(const tenon_finding *finding, void *context)
{
    (void)context;
    stress_broke(LAW_FOUND, "%s", finding->text);
}

static void play_round(tenon_executor *executor, struct stress_random *random)
{
    tenon_executor_info info = {.struct_size = sizeof(info)};
    tenon_scope scope;

    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(
                            .executor = executor, .name = "root",
                            .policy = TENON_POLICY_COLLECT_ALL)) != TENON_OK) {
        stress_die("no scope");
    }
    tenon_status body = spawn_node(&scope, DEPTH, random);
    if (stress_chance(random, 5)) {
        tenon_scope_cancel(&scope, 2, "the whole tree");
    }
    (void)!tenon_scope_join(&scope, body, NULL);
    stress_expect_equal(LAW_DESTROYED, destroyed_count, made_count);
    (void)!tenon_executor_info_get(executor, &info);
    stress_expect_equal(LAW_EMPTY, info.task_count, 0);
    stress_expect_equal(LAW_EMPTY, info.inner_scope_count, 0);
    stress_step();
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "dump");
    stress_law(LAW_TEXT);
    stress_law(LAW_JSON);
    stress_law(LAW_FOUND);
    struct stress_random random = stress_random_make(0);
    tenon_executor *executor = NULL;
    pthread_t thread;

    if (tenon_executor_create(
            &executor,
            TENON_EXECUTOR_OPTIONS(
                    .worker_count = stress_worker_count(4), .debug = true,
                    .cancel_grace_ns = TENON_SECONDS(100),
                    .slow_poll_ns = TENON_SECONDS(100))) != TENON_OK) {
        stress_die("no executor");
    }
    tenon_set_finding_hook(find, NULL);
    if (pthread_create(&thread, NULL, look, executor) != 0) {
        stress_die("no thread");
    }
    while (stress_goes_on()) {
        play_round(executor, &random);
    }
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    (void)!tenon_executor_destroy(executor);
    stress_need("trees shown with tasks in them", busy_count, shown_count, 20);
    return stress_end();
}
