// SPDX-License-Identifier: MIT
//
// uts serial — depth first.

#include "uts/uts.h"

static struct uts_result search(
    const struct uts_tree *tree, const struct uts_node *node)
{
    uint32_t child_count = uts_child_count(tree, node);
    struct uts_result result = uts_result_of(node, child_count);

    for (uint32_t i = 0; i < child_count; i++) {
        struct uts_node child = uts_child(node, i);
        struct uts_result subtree = search(tree, &child);

        uts_result_add(&result, &subtree);
    }
    return result;
}

int main(int argc, char **argv)
{
    struct bench bench;
    const struct uts_tree *tree = uts_start(&bench, "serial", argc, argv);

    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        struct uts_node root = uts_root(tree);
        struct uts_result result = search(tree, &root);
        bench_end(&bench);
        uts_check(&bench, tree, &result);
    }
    return bench_report(&bench);
}
