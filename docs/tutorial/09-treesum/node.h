// SPDX-License-Identifier: MIT
//
// node — a file or directory found, and what became of it. Nodes know their
// parents, so a path is stored once however many files lie below it. A node is
// written by the task that works on it, and read by all once that has ended.

#ifndef TREESUM_NODE_H
#define TREESUM_NODE_H

#include <stdbool.h>
#include <stddef.h>

enum { DIGEST_SIZE = 32 };

struct node {
    void *context;        // what the tasks share; the same in all nodes
    struct node *parent;  // NULL: named on the command line
    struct node *next;    // the sibling after it, in the order of output
    struct node *child;   // the first one
    unsigned char digest[DIGEST_SIZE];
    bool is_directory;
    bool is_hashed;  // digest is set
    char name[];     // below `parent`
};

/// A new node; NULL without memory.
struct node *node_create(void *context, struct node *parent, const char *name);

/// Free `first`, the siblings after it and everything below. Accepts NULL.
void node_destroy_all(struct node *first);

/// Sort the `count` nodes of the array and chain them; returns the first.
struct node *node_link_sorted(struct node **nodes, size_t count);

/// The node after `node` in the order of output, or NULL.
struct node *node_next(const struct node *node);

/// Its path, to be freed; NULL without memory.
char *node_path(const struct node *node);

/// Open it for reading, with `flags` besides. Does not follow a symbolic link
/// unless it was named on the command line, and does not wait for the other
/// end of a pipe. -1 and errno on failure.
int node_open(const struct node *node, int flags);

#endif
