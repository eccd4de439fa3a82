// SPDX-License-Identifier: MIT
//
// cgroup — reads CPU quotas by walking from our cgroup up to its mount point.
//
// Source: cgroups(7), proc(5), cgroup-v2.rst and sched-bwc.rst of the kernel.
// Shape: self/cgroup names our cgroup once per hierarchy, self/mountinfo says
// where one, or a part of it, can be seen. A hybrid system has both v1 and v2.
// Memory: one block for the length of the call.
// What is missing, unreadable, malformed or too long limits nothing.

#include "base/cgroup.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A mount line of ours is two escaped paths and a few words.
#define LINE_BYTES 16384
// More than there are mounts; a file without an end must not hang us.
#define LINE_COUNT_MAX 65536
// Two 64-bit numbers fit.
#define QUOTA_BYTES 64
// The longest period that the kernel accepts.
#define PERIOD_US_MAX 1000000

struct hierarchy {
    char path[PATH_MAX];  // our cgroup; "" if we are not in this hierarchy
    bool is_path_seen;    // some mount shows our cgroup
    unsigned path_cpus;   // tightest on our path, in mounts that show it
    unsigned mount_cpus;  // tightest at the top of the other mounts
};

struct search {
    int root_fd;
    struct hierarchy v1;
    struct hierarchy v2;
    char line[LINE_BYTES];
    char dir[2 * PATH_MAX];
};

static unsigned tighter(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

// NULL if it cannot be read. Non-blocking, so that a fifo reads as empty.
static FILE *open_file(int dir_fd, const char *path)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;

    if (fd >= 0 && file == NULL) {
        close(fd);
    }
    return file;
}

// The first line of `name`, or "" if there is none that fits.
static void read_word(int dir_fd, const char *name, char word[QUOTA_BYTES])
{
    FILE *file = open_file(dir_fd, name);
    char *newline = NULL;

    if (file != NULL) {
        bool is_read = fgets(word, QUOTA_BYTES, file) != NULL;
        newline = is_read ? strchr(word, '\n') : NULL;
        fclose(file);
    }
    *(newline != NULL ? newline : word) = '\0';
}

// `text` is "<quota> <period>" in microseconds; "max" and "-1" are no numbers.
static unsigned parse_quota(const char *text)
{
    char *end;
    uint64_t quota_us = strtoull(text, &end, 10);

    if (!isdigit((unsigned char)text[0]) || end[0] != ' ' ||
        !isdigit((unsigned char)end[1])) {
        return TN_CGROUP_NO_LIMIT;
    }
    uint64_t period_us = strtoull(end + 1, &end, 10);
    if (*end != '\0' || quota_us == 0 || period_us == 0 ||
        period_us > PERIOD_US_MAX) {
        return TN_CGROUP_NO_LIMIT;
    }
    uint64_t cpus = quota_us / period_us + (quota_us % period_us != 0);
    return cpus < TN_CGROUP_NO_LIMIT ? (unsigned)cpus : TN_CGROUP_NO_LIMIT;
}

// What the cgroup itself allows. The files of v1 and v2 have different names.
static unsigned read_quota(int dir_fd)
{
    char v2[QUOTA_BYTES];
    char quota[QUOTA_BYTES];
    char period[QUOTA_BYTES];
    char v1[2 * QUOTA_BYTES];

    read_word(dir_fd, "cpu.max", v2);
    read_word(dir_fd, "cpu.cfs_quota_us", quota);
    read_word(dir_fd, "cpu.cfs_period_us", period);
    snprintf(v1, sizeof(v1), "%s %s", quota, period);
    return tighter(parse_quota(v2), parse_quota(v1));
}

// The tightest quota from `below` the mount point up to the mount point.
static unsigned tightest_quota(
    struct search *search, const char *point, const char *below)
{
    // Relative to root_fd, hence the dot.
    size_t capacity = sizeof(search->dir);
    int length = snprintf(search->dir, capacity, ".%s%s", point, below);
    bool is_left = length >= 0 && (size_t)length < capacity;
    unsigned cpus = TN_CGROUP_NO_LIMIT;

    while (is_left) {
        int fd = openat(
            search->root_fd, search->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0) {
            cpus = tighter(cpus, read_quota(fd));
            close(fd);
        }
        char *slash = strrchr(search->dir + strlen(".") + strlen(point), '/');
        is_left = slash != NULL;
        if (is_left) {
            *slash = '\0';
        }
    }
    return cpus;
}

// Whether `item` is in the comma-separated `list`, which is cut up.
static bool has_item(char *list, const char *item)
{
    const char *word = strsep(&list, ",");

    while (word != NULL && strcmp(word, item) != 0) {
        word = strsep(&list, ",");
    }
    return word != NULL;
}

// "<id>:<controllers>:<path>"; only v2 has no controllers.
static void note_path(struct search *search, char *line)
{
    strsep(&line, ":");
    char *controllers = strsep(&line, ":");

    if (line == NULL || strlen(line) >= PATH_MAX) {
        return;
    }
    if (controllers[0] == '\0') {
        strcpy(search->v2.path, line);
    } else if (has_item(controllers, "cpu")) {
        strcpy(search->v1.path, line);
    }
}

// In place: "\040" is how mountinfo writes a space.
static void unescape(char *text)
{
    char *to = text;
    unsigned code;

    for (const char *from = text; *from != '\0'; from++) {
        *to = *from;
        if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3 &&
            sscanf(from + 1, "%3o", &code) == 1) {
            *to = (char)code;
            from += 3;
        }
        to++;
    }
    *to = '\0';
}

// What follows `root` in `path`, "" or "/...", or NULL if `path` is elsewhere.
// For a cgroup outside our namespace the kernel starts a path with "..".
static const char *path_below(const char *path, const char *root)
{
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);

    if (strncmp(path, root, length) != 0) {
        return NULL;
    }
    const char *below = path + length;
    bool climbs = strcmp(below, "/..") == 0 || strncmp(below, "/../", 4) == 0;
    bool is_below = below[0] == '/' || below[0] == '\0';
    return is_below && !climbs ? below : NULL;
}

// A mount that does not show our path is likely the top of our container: it
// counts if no other mount does.
static void weigh_mount(
    struct search *search, struct hierarchy *hierarchy, const char *root,
    const char *point)
{
    const char *below = path_below(hierarchy->path, root);
    bool is_seen = below != NULL;
    unsigned *cpus = is_seen ? &hierarchy->path_cpus : &hierarchy->mount_cpus;

    hierarchy->is_path_seen |= is_seen;
    *cpus = tighter(*cpus, tightest_quota(search, point, is_seen ? below : ""));
}

// NULL for a mount that cannot limit our CPUs.
static struct hierarchy *find_hierarchy(
    struct search *search, const char *type, char *options)
{
    struct hierarchy *found = NULL;

    if (strcmp(type, "cgroup2") == 0) {
        found = &search->v2;
    } else if (strcmp(type, "cgroup") == 0 && has_item(options, "cpu")) {
        found = &search->v1;
    }
    return found != NULL && found->path[0] == '/' ? found : NULL;
}

// "36 35 98:0 <root> <point> rw master:1 - <type> <source> <options>"
static void note_mount(struct search *search, char *line)
{
    char *tail = strstr(line, " - ");

    if (tail == NULL) {
        return;
    }
    *tail = '\0';
    tail += strlen(" - ");
    const char *type = strsep(&tail, " ");
    strsep(&tail, " ");
    struct hierarchy *hierarchy = find_hierarchy(search, type, tail);
    for (int skipped = 0; skipped < 3; skipped++) {
        strsep(&line, " ");
    }
    char *root = strsep(&line, " ");
    char *point = strsep(&line, " ");
    if (hierarchy != NULL && point != NULL && point[0] == '/') {
        unescape(root);
        unescape(point);
        weigh_mount(search, hierarchy, root, point);
    }
}

static void read_lines(
    struct search *search, const char *path,
    void (*note)(struct search *search, char *line))
{
    FILE *file = open_file(search->root_fd, path);
    int left = LINE_COUNT_MAX;
    bool is_rest = false;  // of a line that does not fit

    if (file == NULL) {
        return;
    }
    while (left-- > 0 && fgets(search->line, LINE_BYTES, file) != NULL) {
        char *newline = strchr(search->line, '\n');
        if (newline != NULL && !is_rest) {
            *newline = '\0';
            note(search, search->line);
        }
        is_rest = newline == NULL;
    }
    fclose(file);
}

static unsigned hierarchy_limit(const struct hierarchy *hierarchy)
{
    return hierarchy->is_path_seen ? hierarchy->path_cpus
                                   : hierarchy->mount_cpus;
}

unsigned tn_cgroup_cpu_limit(const char *root_path)
{
    struct search *search = calloc(1, sizeof(*search));
    unsigned cpus = TN_CGROUP_NO_LIMIT;

    if (search == NULL) {
        return cpus;
    }
    search->v1.path_cpus = search->v1.mount_cpus = TN_CGROUP_NO_LIMIT;
    search->v2.path_cpus = search->v2.mount_cpus = TN_CGROUP_NO_LIMIT;
    search->root_fd = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (search->root_fd >= 0) {
        read_lines(search, "proc/self/cgroup", note_path);
        read_lines(search, "proc/self/mountinfo", note_mount);
        close(search->root_fd);
        cpus =
            tighter(hierarchy_limit(&search->v1), hierarchy_limit(&search->v2));
    }
    free(search);
    return cpus;
}
