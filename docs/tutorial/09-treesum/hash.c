// SPDX-License-Identifier: MIT
//
// hash — the SHA-256 of an open file, block by block, by OpenSSL.
//
// A block of 128 KiB takes a tenth of a millisecond or so: large enough for the
// system calls not to count, small enough for the second-level cache and for a
// cancel to be heeded at once. It lies on the worker's stack, which is
// there anyway and warm; so a file costs no memory but OpenSSL's.

#include "hash.h"

#include <errno.h>
#include <unistd.h>

enum { BLOCK_SIZE = 128 * 1024 };

// Like read(), but a signal does not end it.
static ssize_t read_block(int fd, void *block)
{
    ssize_t size;

    do {
        size = read(fd, block, BLOCK_SIZE);
    } while (size < 0 && errno == EINTR);
    return size;
}

static tenon_status hash_blocks(
    tenon_task *self, int fd, EVP_MD_CTX *context, struct progress *progress)
{
    unsigned char block[BLOCK_SIZE];
    ssize_t size;

    while ((size = read_block(fd, block)) > 0) {
        if (EVP_DigestUpdate(context, block, (size_t)size) != 1) {
            return EIO;
        }
        progress_add_bytes(progress, (uint64_t)size);
        if (tenon_cancelled(self)) {
            return TENON_CANCELLED;
        }
    }
    return size < 0 ? errno : TENON_OK;
}

tenon_status hash_file(
    tenon_task *self, int fd, const EVP_MD *sha256, struct progress *progress,
    unsigned char *digest)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    // OpenSSL fails here only without memory.
    if (context == NULL || EVP_DigestInit_ex(context, sha256, NULL) != 1) {
        EVP_MD_CTX_free(context);
        return ENOMEM;
    }
    tenon_status status = hash_blocks(self, fd, context, progress);
    if (status == TENON_OK && EVP_DigestFinal_ex(context, digest, NULL) != 1) {
        status = EIO;
    }
    EVP_MD_CTX_free(context);
    return status;
}
