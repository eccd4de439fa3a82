// SPDX-License-Identifier: MIT
//
// hash — the SHA-256 of an open file, block by block, by OpenSSL.

#ifndef TREESUM_HASH_H
#define TREESUM_HASH_H

#include <openssl/evp.h>
#include <tenon/tenon.h>

#include "progress.h"

/// Read `fd` to its end and set the DIGEST_SIZE bytes at `digest`. Polls the
/// token of `self` between blocks and tells `progress` of each.
///
/// Errors:   TENON_CANCELLED; else the errno of what failed.
tenon_status hash_file(
    tenon_task *self, int fd, const EVP_MD *sha256, struct progress *progress,
    unsigned char *digest);

#endif
