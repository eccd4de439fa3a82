// SPDX-License-Identifier: MIT
//
// print — lines as sha256sum writes them: the digest, two spaces, the path.
//
// A line ends at its newline, so a path that has one in it is written with \n
// instead, and with \r for a carriage return and \\ for a backslash; a
// backslash before the digest says so. All other bytes are written as they are,
// whatever they mean to a terminal: the output is for a program to read.

#include "print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void print_digest(FILE *stream, const unsigned char *digest)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * DIGEST_SIZE];

    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    fwrite(text, 1, sizeof(text), stream);
}

static void print_escaped(FILE *stream, const char *path)
{
    for (; *path != '\0'; path++) {
        switch (*path) {
        case '\\':
            fputs("\\\\", stream);
            break;
        case '\n':
            fputs("\\n", stream);
            break;
        case '\r':
            fputs("\\r", stream);
            break;
        default:
            putc(*path, stream);
        }
    }
}

static void print_line(
    FILE *stream, const unsigned char *digest, const char *path)
{
    bool needs_escape = strpbrk(path, "\\\n\r") != NULL;

    if (needs_escape) {
        putc('\\', stream);
    }
    print_digest(stream, digest);
    fputs("  ", stream);
    if (needs_escape) {
        print_escaped(stream, path);
    } else {
        fputs(path, stream);
    }
    putc('\n', stream);
}

bool print_nodes(FILE *stream, const struct node *first)
{
    for (const struct node *node = first; node != NULL;
         node = node_next(node)) {
        if (!node->is_hashed) {
            continue;
        }
        char *path = node_path(node);
        if (path == NULL) {
            errno = ENOMEM;
            return false;
        }
        print_line(stream, node->digest, path);
        free(path);
        if (ferror(stream)) {
            return false;  // errno is that of the write
        }
    }
    return fflush(stream) == 0;
}
