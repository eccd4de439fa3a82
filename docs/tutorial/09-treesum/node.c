// SPDX-License-Identifier: MIT
//
// node — a file or directory found, and what became of it.
//
// The order of output is that of the whole paths, byte by byte. Siblings are
// compared by name, but a directory counts as if a slash came after its name,
// as it does in the paths below it: "a-b" is before "a/c", since '-' < '/'.

#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct node *node_create(void *context, struct node *parent, const char *name)
{
    size_t size = strlen(name) + 1;
    struct node *node = calloc(1, sizeof(*node) + size);

    if (node != NULL) {
        node->context = context;
        node->parent = parent;
        memcpy(node->name, name, size);
    }
    return node;
}

// Without recursion: a tree may be deeper than a stack.
void node_destroy_all(struct node *first)
{
    struct node *node = first;

    while (node != NULL) {
        struct node *child = node->child;
        if (child != NULL) {
            node->child = NULL;  // when we come back it has none
            node = child;
            continue;
        }
        struct node *after = node->next != NULL ? node->next : node->parent;
        free(node);
        node = after;
    }
}

static int byte_at(const struct node *node, size_t i)
{
    if (node->name[i] == '\0' && node->is_directory) {
        return '/';
    }
    return (unsigned char)node->name[i];
}

static int compare(const void *left, const void *right)
{
    const struct node *a = *(struct node *const *)left;
    const struct node *b = *(struct node *const *)right;
    size_t i = 0;

    while (a->name[i] != '\0' && a->name[i] == b->name[i]) {
        i++;
    }
    return byte_at(a, i) - byte_at(b, i);
}

struct node *node_link_sorted(struct node **nodes, size_t count)
{
    if (count == 0) {
        return NULL;
    }
    qsort(nodes, count, sizeof(struct node *), compare);
    for (size_t i = 0; i + 1 < count; i++) {
        nodes[i]->next = nodes[i + 1];
    }
    nodes[count - 1]->next = NULL;
    return nodes[0];
}

struct node *node_next(const struct node *node)
{
    if (node->child != NULL) {
        return node->child;
    }
    while (node->next == NULL && node->parent != NULL) {
        node = node->parent;
    }
    return node->next;
}

// Does a slash come after its name in the paths below it?
static bool needs_slash(const struct node *node)
{
    size_t length = strlen(node->name);
    return length == 0 || node->name[length - 1] != '/';
}

static size_t length_below(const struct node *node)
{
    return strlen(node->name) + needs_slash(node);
}

// Write the name of `node` so that it ends at `end`; returns its beginning.
static char *prepend(char *end, const struct node *node)
{
    size_t length = strlen(node->name);
    return memcpy(end - length, node->name, length);
}

// The same for a directory in the path of something below it.
static char *prepend_directory(char *end, const struct node *node)
{
    if (needs_slash(node)) {
        *--end = '/';
    }
    return prepend(end, node);
}

char *node_path(const struct node *node)
{
    size_t length = strlen(node->name);
    for (const struct node *up = node->parent; up != NULL; up = up->parent) {
        length += length_below(up);
    }
    char *path = malloc(length + 1);
    if (path == NULL) {
        return NULL;
    }
    path[length] = '\0';
    char *start = prepend(path + length, node);
    for (const struct node *up = node->parent; up != NULL; up = up->parent) {
        start = prepend_directory(start, up);
    }
    return path;
}

static int close_keeping_errno(int fd)
{
    int error = errno;
    int result = close(fd);
    errno = error;
    return result;
}

// By its path, in one call. Only where the path is longer than the system
// takes, from the directory at which the piece that fits begins: so one
// descriptor more is open for a moment, and no directory stays open while the
// tasks below it wait for their turn.
int node_open(const struct node *node, int flags)
{
    char buffer[PATH_MAX];
    int base_fd = AT_FDCWD;

    if (strlen(node->name) >= sizeof(buffer)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    buffer[sizeof(buffer) - 1] = '\0';
    char *path = prepend(buffer + sizeof(buffer) - 1, node);
    const struct node *up = node->parent;
    while (up != NULL && length_below(up) <= (size_t)(path - buffer)) {
        path = prepend_directory(path, up);
        up = up->parent;
    }
    if (up != NULL) {
        base_fd = node_open(up, O_DIRECTORY);
        if (base_fd < 0) {
            return -1;
        }
    }
    flags |= O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    flags |= node->parent != NULL ? O_NOFOLLOW : 0;
    int fd = openat(base_fd, path, flags);
    if (base_fd != AT_FDCWD) {
        close_keeping_errno(base_fd);
    }
    return fd;
}
