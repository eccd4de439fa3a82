// SPDX-License-Identifier: MIT
//
// uts onetbb — one task_group for the tree, totals per thread: a task for each
// child that has children, but the last of them, to which its parent goes down
// itself. A leaf is counted where it is found, and nobody waits at a node.
//
// On two cores parallel_for_each with a feeder is as fast; a task_group or
// parallel_invoke for the rest of a node's children and one of them took up to
// a fifth more, parallel_reduce over the children 1.3 to 1.8 times as long.

#include "common/onetbb.hpp"
#include "uts/uts.h"

#include <oneapi/tbb/enumerable_thread_specific.h>
#include <oneapi/tbb/task_group.h>

using totals = tbb::enumerable_thread_specific<uts_result>;

// What is below `node`, which has that many children.
static void search(
    tbb::task_group &group, totals &thread_results, const uts_tree *tree,
    uts_node node, uint32_t child_count)
{
    uts_result result = {};

    while (child_count > 0) {
        uts_node last = {};  // of the children that have children
        uint32_t last_count = 0;

        for (uint32_t i = 0; i < child_count; i++) {
            uts_node child = uts_child(&node, i);
            uint32_t count = uts_child_count(tree, &child);
            uts_result one = uts_result_of(&child, count);

            uts_result_add(&result, &one);
            if (count == 0) {
                continue;
            }
            if (last_count > 0) {
                group.run([&group, &thread_results, tree, last, last_count] {
                    search(group, thread_results, tree, last, last_count);
                });
            }
            last = child;
            last_count = count;
        }
        node = last;
        child_count = last_count;
    }
    uts_result_add(&thread_results.local(), &result);
}

static uts_result search_all(
    tbb::task_group_context &context, const uts_tree *tree)
{
    totals thread_results(uts_result{});
    tbb::task_group group(context);
    uts_node root = uts_root(tree);
    uint32_t child_count = uts_child_count(tree, &root);
    uts_result result = uts_result_of(&root, child_count);

    group.run_and_wait(
        [&] { search(group, thread_results, tree, root, child_count); });
    for (const uts_result &thread_result : thread_results) {
        uts_result_add(&result, &thread_result);
    }
    return result;
}

int main(int argc, char **argv)
{
    bench bench;
    const uts_tree *tree = uts_start(&bench, "onetbb", argc, argv);

    bench_onetbb_run(&bench, [&bench, tree] {
        tbb::task_group_context context;

        while (bench_again(&bench)) {
            bench_begin(&bench);
            uts_result result = search_all(context, tree);
            bench_end(&bench);
            uts_check(&bench, tree, &result);
        }
    });
    return bench_report(&bench);
}
