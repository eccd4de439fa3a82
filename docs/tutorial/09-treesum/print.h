// SPDX-License-Identifier: MIT
//
// print — lines as sha256sum writes them, for sha256sum --check to read.

#ifndef TREESUM_PRINT_H
#define TREESUM_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "node.h"

/// Print a line for each hashed node, from `first` on. False, and errno, if the
/// stream does not take it all.
bool print_nodes(FILE *stream, const struct node *first);

#endif
