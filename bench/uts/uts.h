// SPDX-License-Identifier: MIT
//
// uts — the problem: count the nodes and leaves of an unbalanced tree, and its
// depth, with no task for a leaf. Every implementation calls the same code for
// a node.

#ifndef BENCH_UTS_UTS_H
#define BENCH_UTS_UTS_H

#include "common/bench.h"

#define UTS_STATE_BYTES 20

enum uts_kind {
    UTS_GEOMETRIC,  // numbers of children geometrically distributed
    UTS_BINOMIAL    // a fixed number of children, or none
};

struct uts_tree {
    const char *name;
    enum uts_kind kind;
    uint32_t seed;
    uint32_t depth_max;    // geometric: nodes this deep have no children
    double branching;      // geometric: mean; binomial: children of the root
    double probability;    // binomial: of having children
    uint32_t child_count;  // binomial: that many

    // The right answer.
    uint64_t node_count;
    uint64_t leaf_count;
    uint32_t depth;
};

struct uts_node {
    uint32_t depth;
    uint8_t state[UTS_STATE_BYTES];  // of the random sequence
};

// What is known of a whole subtree.
struct uts_result {
    uint64_t node_count;
    uint64_t leaf_count;
    uint32_t depth;  // of the deepest node
};

#ifdef __cplusplus
extern "C" {
#endif

// [driver] Begin the program; the size names the tree. Exits with 2 if there
// is no such tree.
const struct uts_tree *uts_start(
    struct bench *bench, const char *implementation, int argc, char **argv);

// [any] The root of the tree.
struct uts_node uts_root(const struct uts_tree *tree);

// [any] How many children `node` has.
uint32_t uts_child_count(
    const struct uts_tree *tree, const struct uts_node *node);

// [any] The child of `parent` at `index`, from 0.
struct uts_node uts_child(const struct uts_node *parent, uint32_t index);

// [any] Exits with 1 unless `result` is what is published for the tree.
void uts_check(
    const struct bench *bench, const struct uts_tree *tree,
    const struct uts_result *result);

#ifdef __cplusplus
}
#endif

// [any] A tree of `node` alone, which has that many children.
static inline struct uts_result uts_result_of(
    const struct uts_node *node, uint32_t child_count)
{
    struct uts_result result;

    result.node_count = 1;
    result.leaf_count = child_count == 0;
    result.depth = node->depth;
    return result;
}

// [any] Add a subtree.
static inline void uts_result_add(
    struct uts_result *result, const struct uts_result *subtree)
{
    result->node_count += subtree->node_count;
    result->leaf_count += subtree->leaf_count;
    if (subtree->depth > result->depth) {
        result->depth = subtree->depth;
    }
}

#endif
