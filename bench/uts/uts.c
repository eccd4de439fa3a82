// SPDX-License-Identifier: MIT
//
// uts — the trees, and what a node is, by SHA-1.
//
// Source:  Olivier et al., "UTS: An Unbalanced Tree Search Benchmark", LCPC
//          2006. A node's state is a SHA-1: the root's of 16 zero bytes and
//          the seed, a child's of its parent's state and its own index, both
//          numbers big-endian. The low 31 bits of its end are the node's
//          random number.
// Shape:   hashing is libcrypto's low-level SHA1: 55 ns for these 24 bytes on
//          a machine with SHA instructions, where EVP with a fetched digest
//          takes 107 and the one-call SHA1() 380.

#define OPENSSL_SUPPRESS_DEPRECATED
#include "uts/uts.h"

#include <math.h>
#include <openssl/sha.h>
#include <string.h>

// As published: a geometric node never has more.
#define GEOMETRIC_CHILDREN_MAX 100

static const struct uts_tree trees[] = {
    {.name = "T1",
     .kind = UTS_GEOMETRIC,
     .seed = 19,
     .depth_max = 10,
     .branching = 4,
     .node_count = 4130071,
     .leaf_count = 3305118,
     .depth = 10},
    {.name = "T1L",
     .kind = UTS_GEOMETRIC,
     .seed = 29,
     .depth_max = 13,
     .branching = 4,
     .node_count = 102181082,
     .leaf_count = 81746377,
     .depth = 13},
    {.name = "T3",
     .kind = UTS_BINOMIAL,
     .seed = 42,
     .branching = 2000,
     .probability = 0.124875,
     .child_count = 8,
     .node_count = 4112897,
     .leaf_count = 3599034,
     .depth = 1572},
    {.name = "T3L",
     .kind = UTS_BINOMIAL,
     .seed = 7,
     .branching = 2000,
     .probability = 0.200014,
     .child_count = 5,
     .node_count = 111345631,
     .leaf_count = 89076904,
     .depth = 17844},
};

const struct uts_tree *uts_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    bench_init(bench, "uts", implementation);
    bench->size = "T1";
    bench_parse(bench, argc, argv);
    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
        if (strcmp(trees[i].name, bench->size) == 0) {
            bench->operation_count = trees[i].node_count;
            return &trees[i];
        }
    }
    bench_usage(bench, "the sizes are T1, T1L, T3 and T3L");
}

static void put_big_endian(uint8_t bytes[4], uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 24);
    bytes[1] = (uint8_t)(value >> 16);
    bytes[2] = (uint8_t)(value >> 8);
    bytes[3] = (uint8_t)value;
}

static void hash(
    uint8_t state[UTS_STATE_BYTES], const uint8_t *bytes, size_t byte_count)
{
    // Stores across cache lines would cost a tenth of a node, and where a stack
    // lies, and how deep it is, is nobody's merit.
    _Alignas(64) SHA_CTX context;

    SHA1_Init(&context);
    SHA1_Update(&context, bytes, byte_count);
    SHA1_Final(state, &context);
}

// From 0 up to, not including, 1.
static double node_random(const struct uts_node *node)
{
    const uint8_t *end = &node->state[UTS_STATE_BYTES - 4];
    uint32_t bits = (uint32_t)(end[0] & 0x7f) << 24 | (uint32_t)end[1] << 16 |
                    (uint32_t)end[2] << 8 | (uint32_t)end[3];

    return bits / 2147483648.0;
}

struct uts_node uts_root(const struct uts_tree *tree)
{
    uint8_t bytes[UTS_STATE_BYTES] = {0};
    struct uts_node root = {.depth = 0};

    put_big_endian(&bytes[UTS_STATE_BYTES - 4], tree->seed);
    hash(root.state, bytes, sizeof(bytes));
    return root;
}

struct uts_node uts_child(const struct uts_node *parent, uint32_t index)
{
    uint8_t bytes[UTS_STATE_BYTES + 4];
    struct uts_node child = {.depth = parent->depth + 1};

    memcpy(bytes, parent->state, UTS_STATE_BYTES);
    put_big_endian(&bytes[UTS_STATE_BYTES], index);
    hash(child.state, bytes, sizeof(bytes));
    return child;
}

static uint32_t geometric_count(
    const struct uts_tree *tree, const struct uts_node *node)
{
    if (node->depth >= tree->depth_max) {
        return 0;
    }
    double p = 1 / (1 + tree->branching);
    double count = floor(log(1 - node_random(node)) / log(1 - p));

    return count < GEOMETRIC_CHILDREN_MAX ? (uint32_t)count
                                          : GEOMETRIC_CHILDREN_MAX;
}

static uint32_t binomial_count(
    const struct uts_tree *tree, const struct uts_node *node)
{
    if (node->depth == 0) {
        return (uint32_t)tree->branching;
    }
    return node_random(node) < tree->probability ? tree->child_count : 0;
}

uint32_t uts_child_count(
    const struct uts_tree *tree, const struct uts_node *node)
{
    return tree->kind == UTS_GEOMETRIC ? geometric_count(tree, node)
                                       : binomial_count(tree, node);
}

void uts_check(
    const struct bench *bench, const struct uts_tree *tree,
    const struct uts_result *result)
{
    bench_check(
        bench, "the number of nodes", result->node_count, tree->node_count);
    bench_check(
        bench, "the number of leaves", result->leaf_count, tree->leaf_count);
    bench_check(bench, "the depth", result->depth, tree->depth);
}
