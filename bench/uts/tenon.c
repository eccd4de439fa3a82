// SPDX-License-Identifier: MIT
//
// uts tenon — the children of a node halved until single: fork one half, do
// the other, take the first back or join it. So a frame holds one child, however
// many a node has.

#include "common/tenon.h"
#include "uts/uts.h"

// Some of the children of a node, and the sum of what is below them.
struct span {
    const struct uts_tree *tree;
    const struct uts_node *parent;
    uint32_t first;
    uint32_t count;  // at least 1
    struct uts_result sum;
};

static int search(
    tenon_task *self, const struct span *span, uint32_t first, uint32_t count,
    struct uts_result *sum);

static int search_span(tenon_task *self, void *arg)
{
    struct span *span = arg;

    return search(self, span, span->first, span->count, &span->sum);
}

static int search_child(
    tenon_task *self, const struct uts_tree *tree,
    const struct uts_node *parent, uint32_t index, struct uts_result *sum)
{
    struct uts_node node = uts_child(parent, index);
    uint32_t child_count = uts_child_count(tree, &node);
    struct uts_result result = uts_result_of(&node, child_count);

    uts_result_add(sum, &result);
    if (child_count == 0) {
        return TENON_OK;
    }
    struct span children = {.tree = tree, .parent = &node};

    return search(self, &children, 0, child_count, sum);
}

// Children of the same parent as `span`'s; adds to `*sum`.
static int search(
    tenon_task *self, const struct span *span, uint32_t first, uint32_t count,
    struct uts_result *sum)
{
    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (count == 1) {
        return search_child(self, span->tree, span->parent, first, sum);
    }
    struct span left = {
        .tree = span->tree,
        .parent = span->parent,
        .first = first,
        .count = count / 2};
    tenon_task child;

    int64_t place = tenon_fork(self, &child, search_span, &left);
    int right_status =
        search(self, span, first + left.count, count - left.count, sum);
    int left_status = TENON_OK;

    if (tenon_unfork(self, &child, place)) {
        left_status = search(self, span, first, left.count, sum);
    } else {
        left_status = tenon_join(self, &child);
        uts_result_add(sum, &left.sum);
    }
    return left_status != TENON_OK ? left_status : right_status;
}

struct drive {
    struct bench *bench;
    const struct uts_tree *tree;
};

static int search_tree(
    tenon_task *self, const struct uts_tree *tree, struct uts_result *result)
{
    struct uts_node root = uts_root(tree);
    struct span children = {.tree = tree, .parent = &root};
    uint32_t child_count = uts_child_count(tree, &root);

    *result = uts_result_of(&root, child_count);
    return search(self, &children, 0, child_count, result);
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    while (bench_again(bench)) {
        struct uts_result result;

        bench_begin(bench);
        int status = search_tree(self, drive->tree, &result);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        uts_check(bench, drive->tree, &result);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    arg.tree = uts_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    return bench_report(&bench);
}
