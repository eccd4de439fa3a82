// SPDX-License-Identifier: MIT
//
// uts openmp — a task per child, totals per thread, one barrier at the end.
//
// Nobody waits at a node: a taskwait there and results handed up took libgomp
// 1.7 (1 worker) to 6 times (2 workers) as long on T1.

#include "common/openmp.h"
#include "uts/uts.h"

static struct uts_result thread_result;
#pragma omp threadprivate(thread_result)

static void search(const struct uts_tree *tree, struct uts_node node)
{
    uint32_t child_count = uts_child_count(tree, &node);
    struct uts_result result = uts_result_of(&node, child_count);

    uts_result_add(&thread_result, &result);
    for (uint32_t i = 0; i < child_count; i++) {
        struct uts_node child = uts_child(&node, i);

#pragma omp task firstprivate(tree, child)
        search(tree, child);
    }
}

static struct uts_result search_all(
    const struct uts_tree *tree, int thread_count)
{
    struct uts_result result = {.node_count = 0};

#pragma omp parallel num_threads(thread_count)
    {
        thread_result = (struct uts_result){.node_count = 0};
#pragma omp barrier
#pragma omp single
        search(tree, uts_root(tree));
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
