// SPDX-License-Identifier: MIT
//
// walk — the tasks of treesum: one per directory and one per file.

#ifndef TREESUM_WALK_H
#define TREESUM_WALK_H

#include <openssl/evp.h>
#include <tenon/tenon.h>

#include "node.h"
#include "progress.h"

struct walk {
    struct node *first;  // the paths of the command line, in their order
    EVP_MD *sha256;
    struct progress progress;
};

/// Prepare a walk over the `count` paths.
///
/// Errors:   TENON_ENOMEM.
tenon_status walk_init(struct walk *walk, char **paths, size_t count);

/// Spawn a task for each path into `scope`; these spawn all others. When the
/// scope is joined, every node that could be hashed is.
///
/// Errors:   as tenon_spawn(): the body's status, for the join.
tenon_status walk_start(struct walk *walk, tenon_scope *scope);

/// Free it all. Accepts zeroed memory.
void walk_fini(struct walk *walk);

#endif
