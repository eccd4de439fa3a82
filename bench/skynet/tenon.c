// SPDX-License-Identifier: MIT
//
// skynet tenon — ten forks, then each taken back or joined, the last one first;
// poll in each.

#include "common/tenon.h"
#include "skynet/skynet.h"

struct subtree {
    uint64_t first;
    uint64_t leaf_count;
    uint64_t sum;
};

static inline int add_subtree(
    tenon_task *self, uint64_t first, uint64_t leaf_count, uint64_t *sum);

static int skynet(tenon_task *self, void *arg)
{
    struct subtree *subtree = arg;

    subtree->sum = 0;
    return add_subtree(
        self, subtree->first, subtree->leaf_count, &subtree->sum);
}

// Apart from add_subtree(), so that a leaf needs no frame.
static __attribute__((noinline)) int add_children(
    tenon_task *self, uint64_t first, uint64_t leaf_count, uint64_t *sum)
{
    struct subtree subtrees[SKYNET_CHILDREN];
    tenon_task children[SKYNET_CHILDREN];
    int64_t places[SKYNET_CHILDREN];
    int status = TENON_OK;

    for (int i = 0; i < SKYNET_CHILDREN; i++) {
        subtrees[i] =
            (struct subtree){.first = first, .leaf_count = leaf_count};
        places[i] = tenon_fork(self, &children[i], skynet, &subtrees[i]);
        first += leaf_count;
    }
    for (int i = SKYNET_CHILDREN - 1; i >= 0; i--) {
        int child_status;

        if (tenon_unfork(self, &children[i], places[i])) {
            child_status =
                add_subtree(self, subtrees[i].first, leaf_count, sum);
        } else {
            child_status = tenon_join(self, &children[i]);
            *sum += subtrees[i].sum;
        }
        status = child_status != TENON_OK ? child_status : status;
    }
    return status;
}

static inline int add_subtree(
    tenon_task *self, uint64_t first, uint64_t leaf_count, uint64_t *sum)
{
    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (leaf_count == 1) {
        *sum += first;
        return TENON_OK;
    }
    return add_children(self, first, leaf_count / SKYNET_CHILDREN, sum);
}

static int drive(tenon_task *self, void *arg)
{
    struct bench *bench = arg;
    uint64_t leaf_count = bench_size_number(bench, SKYNET_SIZE_MAX);

    while (bench_again(bench)) {
        struct subtree root = {.leaf_count = leaf_count};

        bench_begin(bench);
        int status = skynet(self, &root);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        skynet_check(bench, leaf_count, root.sum);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;

    skynet_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &bench);
    return bench_report(&bench);
}
