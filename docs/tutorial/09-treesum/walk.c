// SPDX-License-Identifier: MIT
//
// walk — the tasks of treesum: one per directory and one per file.
//
// All of them belong to one scope, the root's. A directory's task lists it,
// spawns a task for each entry, and is done; it does not wait for them. Hence
// no task ever holds more than the file it reads, or the directory it lists: so
// many files are open as there are workers, however wide the tree. The tasks
// write to their own node only, and the nodes are read after the join. There is
// no lock here.
//
// The tree may change while it is walked. What was listed and then is gone, or
// has become something else, is an error that names it; no link is followed,
// and nothing is read that is not a regular file.

#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"
#include "quote.h"

// The nodes of a directory while it is listed.
struct list {
    struct node **nodes;
    size_t count;
    size_t capacity;
};

// The failure of a task, with the path it was about.
static int fail(
    tenon_task *self, const struct node *node, int code, const char *reason)
{
    char quoted[QUOTE_SIZE];
    char *path = node_path(node);

    quote_name(quoted, path != NULL ? path : node->name);
    free(path);
    return tenon_fail(self, code, "%s: %s", quoted, reason);
}

// strerror() of glibc, since 2.32, and of musl may be used by all threads.
static int fail_errno(tenon_task *self, const struct node *node, int error)
{
    return fail(self, node, error, strerror(error));
}

static tenon_status hash_node(tenon_task *self, struct node *node, int fd)
{
    struct walk *walk = node->context;
    struct stat info;

    if (fstat(fd, &info) != 0) {
        return fail_errno(self, node, errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return fail(self, node, EINVAL, "no longer a regular file");
    }
    tenon_status status =
        hash_file(self, fd, walk->sha256, &walk->progress, node->digest);
    if (status > 0) {
        return fail_errno(self, node, status);
    }
    if (status == TENON_OK) {
        node->is_hashed = true;
        progress_add_file(&walk->progress);
    }
    return status;
}

static int sum_file(tenon_task *self, void *arg)
{
    struct node *node = arg;

    int fd = node_open(node, 0);
    if (fd < 0) {
        return fail_errno(self, node, errno);
    }
    tenon_status status = hash_node(self, node, fd);
    close(fd);
    return status;
}

static bool list_add(struct list *list, struct node *node)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
        struct node **nodes =
            reallocarray(list->nodes, capacity, sizeof(struct node *));
        if (nodes == NULL) {
            return false;
        }
        list->nodes = nodes;
        list->capacity = capacity;
    }
    list->nodes[list->count++] = node;
    return true;
}

// DT_DIR, DT_REG, or what need not be looked at. A file system may leave it to
// us to ask. What does not answer counts as a file, whose task then says why.
static int entry_type(DIR *stream, const struct dirent *entry)
{
    struct stat info;

    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type;
    }
    int error =
        fstatat(dirfd(stream), entry->d_name, &info, AT_SYMLINK_NOFOLLOW);
    if (error != 0 || S_ISREG(info.st_mode)) {
        return DT_REG;
    }
    return S_ISDIR(info.st_mode) ? DT_DIR : DT_UNKNOWN;
}

// Make a node of one entry, if it is one to be visited. 0 or ENOMEM.
static int add_entry(
    struct list *list, struct node *directory, DIR *stream,
    const struct dirent *entry)
{
    int type = entry_type(stream, entry);

    if (type != DT_DIR && type != DT_REG) {
        return 0;
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
        return 0;
    }
    struct node *node =
        node_create(directory->context, directory, entry->d_name);
    if (node == NULL || !list_add(list, node)) {
        free(node);
        return ENOMEM;
    }
    node->is_directory = type == DT_DIR;
    return 0;
}

// Give `directory` its children. What was found before an error stays.
static tenon_status list_entries(
    tenon_task *self, struct node *directory, DIR *stream)
{
    struct list list = {0};
    const struct dirent *entry;
    tenon_status status = TENON_OK;

    while (status == TENON_OK) {
        errno = 0;
        entry = readdir(stream);
        if (entry == NULL) {
            status = errno;  // 0 at the end
            break;
        }
        status = tenon_cancelled(self)
                     ? TENON_CANCELLED
                     : add_entry(&list, directory, stream, entry);
    }
    directory->child = node_link_sorted(list.nodes, list.count);
    free(list.nodes);
    return status;
}

static tenon_status list_directory(tenon_task *self, struct node *directory)
{
    int fd = node_open(directory, O_DIRECTORY);
    if (fd < 0) {
        return errno;
    }
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        int error = errno;
        close(fd);
        return error;
    }
    tenon_status status = list_entries(self, directory, stream);
    closedir(stream);
    return status;
}

static int sum_directory(tenon_task *self, void *arg)
{
    struct node *directory = arg;
    tenon_scope *scope = tenon_task_scope(self);

    tenon_status listed = list_directory(self, directory);
    if (listed == TENON_CANCELLED) {
        return listed;
    }
    for (struct node *node = directory->child; node != NULL;
         node = node->next) {
        tenon_task_fn *fn = node->is_directory ? sum_directory : sum_file;
        tenon_status status = tenon_spawn(scope, fn, node);
        if (status == TENON_ENOMEM) {
            listed = ENOMEM;  // one error tells of all that are not begun
            break;
        }
        if (status != TENON_OK) {
            return status;
        }
    }
    return listed > 0 ? fail_errno(self, directory, listed) : TENON_OK;
}

// A path of the command line: the only place where a link is followed, and
// where what is neither a file nor a directory is an error.
static int sum_argument(tenon_task *self, void *arg)
{
    struct node *node = arg;
    struct stat info;

    if (stat(node->name, &info) != 0) {
        return fail_errno(self, node, errno);
    }
    if (S_ISDIR(info.st_mode)) {
        node->is_directory = true;
        return sum_directory(self, node);
    }
    if (S_ISREG(info.st_mode)) {
        return sum_file(self, node);
    }
    return fail(self, node, EINVAL, "neither a regular file nor a directory");
}

tenon_status walk_init(struct walk *walk, char **paths, size_t count)
{
    struct node **link = &walk->first;

    *walk = (struct walk){0};
    // Fetched once: OpenSSL searches its providers for it, behind a lock.
    walk->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (walk->sha256 == NULL) {
        return TENON_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        *link = node_create(walk, NULL, paths[i]);
        if (*link == NULL) {
            walk_fini(walk);
            return TENON_ENOMEM;
        }
        link = &(*link)->next;
    }
    return TENON_OK;
}

tenon_status walk_start(struct walk *walk, tenon_scope *scope)
{
    tenon_status status = TENON_OK;
    struct node *node = walk->first;

    for (; node != NULL && status == TENON_OK; node = node->next) {
        status = tenon_spawn(scope, sum_argument, node);
    }
    return status;
}

void walk_fini(struct walk *walk)
{
    node_destroy_all(walk->first);
    EVP_MD_free(walk->sha256);
    *walk = (struct walk){0};
}
