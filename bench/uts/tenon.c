// SPDX-License-Identifier: MIT
//
// uts tenon — before it goes down to a child that has children, who looks at the
// children of a node forks those that it has not looked at yet; on the way back
// it takes them back or joins them. So a leaf costs no fork, and a frame holds
// one child, however many a node has.

#include "common/tenon.h"
#include "uts/uts.h"

// Children of a node that nobody has looked at, and the sum of what is there.
struct rest {
    const struct uts_tree *tree;
    const struct uts_node *parent;
    uint32_t first;
    uint32_t end;
    struct uts_result sum;
};

static int search_rest(tenon_task *self, void *arg);

// The children of `parent` from `first` on; adds to `*sum`.
static int search(
    tenon_task *self, const struct uts_tree *tree,
    const struct uts_node *parent, uint32_t first, uint32_t end,
    struct uts_result *sum)
{
    struct rest rest = {.tree = tree, .parent = parent, .end = end};

    for (uint32_t i = first; i < end; i++) {
        if (tenon_cancelled(self)) {
            return TENON_CANCELLED;
        }
        struct uts_node node = uts_child(parent, i);
        uint32_t count = uts_child_count(tree, &node);
        struct uts_result result = uts_result_of(&node, count);
        tenon_task child;

        uts_result_add(sum, &result);
        if (count == 0) {
            continue;
        }
        rest.first = i + 1;
        rest.sum = (struct uts_result){.node_count = 0};
        int64_t place = tenon_fork(self, &child, search_rest, &rest);
        int status = search(self, tree, &node, 0, count, sum);
        if (!tenon_unfork(self, &child, place)) {
            int rest_status = tenon_join(self, &child);
            uts_result_add(sum, &rest.sum);
            return status != TENON_OK ? status : rest_status;
        }
        if (status != TENON_OK) {
            return status;
        }
    }
    return TENON_OK;
}

static int search_rest(tenon_task *self, void *arg)
{
    struct rest *rest = arg;

    return search(
        self, rest->tree, rest->parent, rest->first, rest->end, &rest->sum);
}

struct drive {
    struct bench *bench;
    const struct uts_tree *tree;
};

static int search_tree(
    tenon_task *self, const struct uts_tree *tree, struct uts_result *result)
{
    struct uts_node root = uts_root(tree);
    uint32_t child_count = uts_child_count(tree, &root);

    *result = uts_result_of(&root, child_count);
    return search(self, tree, &root, 0, child_count, result);
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
