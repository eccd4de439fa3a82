// SPDX-License-Identifier: MIT
//
// uts openmp — totals per thread, no task for a leaf. What is best besides
// depends on the runtime.
//
// libgomp: a task for each child that has children, but the last of them, to
// which its parent goes down itself. Nobody waits until the barrier at the end.
// A taskgroup as for libomp took 2 workers twice as long on T1.
//
// libomp: a task for the rest of the children, and a taskgroup around it and
// the one that is gone down to. A waiting thread that has run a task and waits
// on yields its CPU first; here it has mostly run the task that it waits for.
// With libgomp's way 2 workers took 1.8 times as long on T1.
//
// `untied` and `mergeable` make no difference that repeats.

#include "common/openmp.h"
#include "uts/uts.h"

static struct uts_result thread_result;
#pragma omp threadprivate(thread_result)

#ifdef __clang__

// The children of `node` from `first` on, and all that is below them.
static void search_rest(
    const struct uts_tree *tree, const struct uts_node *node, uint32_t first,
    uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        struct uts_node child = uts_child(node, i);
        uint32_t child_count = uts_child_count(tree, &child);
        struct uts_result one = uts_result_of(&child, child_count);

        uts_result_add(&thread_result, &one);
        if (child_count == 0) {
            continue;
        }
        if (i + 1 == end) {
            search_rest(tree, &child, 0, child_count);
            return;
        }
#pragma omp taskgroup
        {
#pragma omp task
            search_rest(tree, node, i + 1, end);
            search_rest(tree, &child, 0, child_count);
        }
        return;
    }
}

static void search(
    const struct uts_tree *tree, struct uts_node node, uint32_t child_count)
{
    search_rest(tree, &node, 0, child_count);
}

#else

// What is below `node`, which has that many children.
static void search(
    const struct uts_tree *tree, struct uts_node node, uint32_t child_count)
{
    struct uts_result result = {.node_count = 0};

    while (child_count > 0) {
        struct uts_node last = {.depth = 0};  // of those that have children
        uint32_t last_count = 0;

        for (uint32_t i = 0; i < child_count; i++) {
            struct uts_node child = uts_child(&node, i);
            uint32_t count = uts_child_count(tree, &child);
            struct uts_result one = uts_result_of(&child, count);

            uts_result_add(&result, &one);
            if (count == 0) {
                continue;
            }
            if (last_count > 0) {
#pragma omp task
                search(tree, last, last_count);
            }
            last = child;
            last_count = count;
        }
        node = last;
        child_count = last_count;
    }
    uts_result_add(&thread_result, &result);
}

#endif

static struct uts_result search_all(
    const struct uts_tree *tree, int thread_count)
{
    struct uts_node root = uts_root(tree);
    uint32_t child_count = uts_child_count(tree, &root);
    struct uts_result result = uts_result_of(&root, child_count);

#pragma omp parallel num_threads(thread_count)
    {
        thread_result = (struct uts_result){.node_count = 0};
#pragma omp barrier
#pragma omp single
        search(tree, root, child_count);
        // The barrier at the end of single has seen every task end.
#pragma omp critical
        uts_result_add(&result, &thread_result);
    }
    return result;
}

int main(int argc, char **argv)
{
    struct bench bench;
    const struct uts_tree *tree =
        uts_start(&bench, bench_openmp_name(), argc, argv);

    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        struct uts_result result = search_all(tree, (int)bench.worker_count);
        bench_end(&bench);
        uts_check(&bench, tree, &result);
    }
    return bench_report(&bench);
}
