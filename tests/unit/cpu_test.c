// SPDX-License-Identifier: MIT
//
// cpu_test — worker counts from affinity, cgroups and the environment.
//
// The cgroup tests build a /proc and a /sys/fs/cgroup in a directory of their
// own and hand it to the function as the root of the file system.

#include "base/cgroup.h"
#include "base/cpu.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define V2_MOUNT "35 24 0:31 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
#define V1_MOUNT "36 24 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"

static char root[] = "/tmp/tenon_cpu_test_XXXXXX";

static void make_root(void)
{
    cr_assert(ne(ptr, mkdtemp(root), NULL));
}

static int remove_entry(
    const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static void remove_root(void)
{
    nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

// Makes the directories above `name` in the fake root, and its full path.
static void make_parents(const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", root, name);
    char *slash = path + strlen(root);
    while ((slash = strchr(slash + 1, '/')) != NULL) {
        *slash = '\0';
        cr_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
}

static FILE *open_in_root(const char *name, const char *mode)
{
    char path[PATH_MAX];

    make_parents(name, path);
    FILE *file = fopen(path, mode);
    cr_assert(ne(ptr, file, NULL));
    return file;
}

static void put(const char *name, const char *text)
{
    FILE *file = open_in_root(name, "w");

    cr_assert(ge(int, fputs(text, file), 0));
    cr_assert(eq(int, fclose(file), 0));
}

static void put_v2(const char *path, const char *mountinfo)
{
    char line[PATH_MAX];

    snprintf(line, sizeof(line), "0::%s\n", path);
    put("proc/self/cgroup", line);
    put("proc/self/mountinfo", mountinfo);
}

static void put_v1_quota(const char *dir, const char *quota, const char *period)
{
    char name[PATH_MAX];

    snprintf(name, sizeof(name), "%s/cpu.cfs_quota_us", dir);
    put(name, quota);
    snprintf(name, sizeof(name), "%s/cpu.cfs_period_us", dir);
    put(name, period);
}

static unsigned limit(void)
{
    return tn_cgroup_cpu_limit(root);
}

// The limit that a v2 cgroup with this cpu.max sets.
static unsigned limit_of(const char *cpu_max)
{
    put_v2("/app", V2_MOUNT);
    put("sys/fs/cgroup/app/cpu.max", cpu_max);
    return limit();
}

static unsigned limit_of_v1(const char *quota, const char *period)
{
    put("proc/self/cgroup", "4:memory:/other\n3:cpu:/app\n");
    put("proc/self/mountinfo", V1_MOUNT);
    put_v1_quota("sys/fs/cgroup/cpu/app", quota, period);
    return limit();
}

TestSuite(cgroup, .init = make_root, .fini = remove_root, .timeout = 20);
TestSuite(cpu, .init = make_root, .fini = remove_root, .timeout = 20);

Test(cgroup, v2_quota_is_rounded_up)
{
    cr_expect(eq(uint, limit_of("100000 100000\n"), 1));
    cr_expect(eq(uint, limit_of("100001 100000\n"), 2));
    cr_expect(eq(uint, limit_of("150000 100000\n"), 2));
    cr_expect(eq(uint, limit_of("1000 100000\n"), 1));
    cr_expect(eq(uint, limit_of("25000 5000\n"), 5));
}

Test(cgroup, v1_quota_is_rounded_up)
{
    cr_expect(eq(uint, limit_of_v1("200000\n", "100000\n"), 2));
    cr_expect(eq(uint, limit_of_v1("200001\n", "100000\n"), 3));
    cr_expect(eq(uint, limit_of_v1("1000\n", "100000\n"), 1));
}

Test(cgroup, unlimited_cgroups_are_no_limit)
{
    cr_expect(eq(uint, limit_of("max 100000\n"), TN_CGROUP_NO_LIMIT));
    cr_expect(eq(uint, limit_of_v1("-1\n", "100000\n"), TN_CGROUP_NO_LIMIT));
}

Test(cgroup, tightest_quota_on_the_path_wins)
{
    put_v2("/top/middle/leaf", V2_MOUNT);
    put("sys/fs/cgroup/top/cpu.max", "600000 100000\n");
    put("sys/fs/cgroup/top/middle/cpu.max", "250000 100000\n");
    put("sys/fs/cgroup/top/middle/leaf/cpu.max", "800000 100000\n");
    cr_expect(eq(uint, limit(), 3));

    put("sys/fs/cgroup/top/cpu.max", "100000 50000\n");
    cr_expect(eq(uint, limit(), 2));

    put("sys/fs/cgroup/cpu.max", "100000 100000\n");  // at the mount point
    cr_expect(eq(uint, limit(), 1));
}

Test(cgroup, tightest_v1_quota_on_the_path_wins)
{
    put("proc/self/cgroup", "3:cpu:/top/leaf\n");
    put("proc/self/mountinfo", V1_MOUNT);
    put_v1_quota("sys/fs/cgroup/cpu/top/leaf", "-1\n", "100000\n");
    put_v1_quota("sys/fs/cgroup/cpu/top", "300000\n", "100000\n");
    put_v1_quota("sys/fs/cgroup/cpu", "700000\n", "100000\n");
    cr_expect(eq(uint, limit(), 3));
}

Test(cgroup, quotas_beside_and_below_the_path_do_not_count)
{
    put_v2("/app", V2_MOUNT);
    put("sys/fs/cgroup/app/cpu.max", "500000 100000\n");
    put("sys/fs/cgroup/app/child/cpu.max", "100000 100000\n");
    put("sys/fs/cgroup/ap/cpu.max", "200000 100000\n");
    put("sys/fs/cpu.max", "300000 100000\n");  // above the mount point
    cr_expect(eq(uint, limit(), 5));
}

Test(cgroup, process_at_the_root_reads_the_mount_point)
{
    put_v2("/", V2_MOUNT);
    put("sys/fs/cgroup/cpu.max", "400000 100000\n");
    cr_expect(eq(uint, limit(), 4));
}

Test(cgroup, comounted_v1_controllers_are_told_apart)
{
    put("proc/self/cgroup",
        "5:cpuset:/app\n4:name=cpu:/app\n3:cpuacct,cpu:/app\n2:cpuacct:/app\n");
    put("proc/self/mountinfo",
        "30 24 0:30 / /cg/cpuset rw - cgroup cgroup rw,cpuset\n"
        "31 24 0:31 / /cg/named rw - cgroup cgroup rw,xattr,name=cpu\n"
        "33 24 0:33 / /cg/source rw - cgroup a,cpu,b rw,memory\n"
        "32 24 0:32 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpuacct,cpu\n");
    put_v1_quota("cg/cpuset/app", "100000\n", "100000\n");
    put_v1_quota("cg/named/app", "100000\n", "100000\n");
    put_v1_quota("cg/source/app", "100000\n", "100000\n");
    put_v1_quota("cg/cpu,cpuacct/app", "300000\n", "100000\n");
    cr_expect(eq(uint, limit(), 3));
}

Test(cgroup, hybrid_takes_the_tighter_of_both_hierarchies)
{
    put("proc/self/cgroup", "3:cpu:/old\n1:name=systemd:/x\n0::/new\n");
    put("proc/self/mountinfo", V1_MOUNT
        "37 24 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    put_v1_quota("sys/fs/cgroup/cpu/old", "300000\n", "100000\n");
    cr_expect(eq(uint, limit(), 3));

    put("sys/fs/cgroup/unified/new/cpu.max", "200000 100000\n");
    cr_expect(eq(uint, limit(), 2));

    put_v1_quota("sys/fs/cgroup/cpu/old", "100000\n", "100000\n");
    cr_expect(eq(uint, limit(), 1));
}

Test(cgroup, mount_of_a_container_hides_what_is_above)
{
    put_v2(
        "/docker/c0de/app",
        "35 24 0:31 /docker/c0de /sys/fs/cgroup ro,nosuid shared:7 master:2 - "
        "cgroup2 cgroup2 rw,nsdelegate\n");
    put("sys/fs/cgroup/cpu.max", "400000 100000\n");
    put("sys/fs/cgroup/app/cpu.max", "300000 100000\n");
    put("sys/fs/cgroup/docker/c0de/app/cpu.max", "100000 100000\n");
    cr_expect(eq(uint, limit(), 3));
}

Test(cgroup, mount_point_counts_if_no_mount_shows_the_path)
{
    // A cgroup namespace whose mount was made outside it.
    put_v2(
        "/app", "35 24 0:31 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put("sys/fs/cgroup/cpu.max", "400000 100000\n");
    cr_expect(eq(uint, limit(), 4));

    // A neighbour whose name starts like ours.
    put_v2(
        "/appendix", "35 24 0:31 /app /sys/fs/cgroup rw - cgroup2 none rw\n");
    put("sys/fs/cgroup/endix/cpu.max", "100000 100000\n");
    cr_expect(eq(uint, limit(), 4));
}

Test(cgroup, mount_that_shows_the_path_beats_one_that_does_not)
{
    put_v2(
        "/app", "35 24 0:31 /other /mnt/other rw - cgroup2 none rw\n" V2_MOUNT
                "39 24 0:31 /third /mnt/third rw - cgroup2 none rw\n");
    put("sys/fs/cgroup/app/cpu.max", "500000 100000\n");
    put("mnt/other/cpu.max", "100000 100000\n");
    put("mnt/third/cpu.max", "200000 100000\n");
    cr_expect(eq(uint, limit(), 5));
}

Test(cgroup, path_outside_the_namespace_never_leaves_the_mount)
{
    put_v2("/../neighbour", V2_MOUNT);
    put("sys/fs/cgroup/cpu.max", "400000 100000\n");
    put("sys/fs/neighbour/cpu.max", "100000 100000\n");
    put("sys/fs/cpu.max", "100000 100000\n");
    cr_expect(eq(uint, limit(), 4));

    put_v2(
        "/../neighbour",
        "35 24 0:31 /.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put("sys/fs/cgroup/neighbour/cpu.max", "200000 100000\n");
    cr_expect(eq(uint, limit(), 2));
}

Test(cgroup, whole_octal_escapes_are_decoded)
{
    put_v2(
        "/a b\\c/leaf",
        "35 24 0:31 /a\\040b\\134c /my\\040cg\\0111 rw - cgroup2 none rw\n");
    put("my cg\t1/leaf/cpu.max", "200000 100000\n");
    cr_expect(eq(uint, limit(), 2));

    put_v2("/app", "35 24 0:31 / /x\\04 rw - cgroup2 none rw\n");
    put("x\\04/app/cpu.max", "300000 100000\n");
    cr_expect(eq(uint, limit(), 3));
}

Test(cgroup, empty_mount_source_is_a_field)
{
    put_v2("/app", "35 24 0:31 / /cg rw - cgroup2  rw\n");
    put("cg/app/cpu.max", "200000 100000\n");
    cr_expect(eq(uint, limit(), 2));
}

Test(cgroup, colons_belong_to_the_path)
{
    put_v2("/a:b:c", V2_MOUNT);
    put("sys/fs/cgroup/a:b:c/cpu.max", "200000 100000\n");
    cr_expect(eq(uint, limit(), 2));
}

Test(cgroup, directories_that_are_gone_are_passed)
{
    put_v2("/app/gone/too (deleted)", V2_MOUNT);
    put("sys/fs/cgroup/app/cpu.max", "200000 100000\n");
    cr_expect(eq(uint, limit(), 2));
}

Test(cgroup, missing_files_are_no_limit)
{
    cr_expect(eq(uint, limit(), TN_CGROUP_NO_LIMIT));
    put("proc/self/cgroup", "0::/app\n");
    cr_expect(eq(uint, limit(), TN_CGROUP_NO_LIMIT));
    put("proc/self/mountinfo", V2_MOUNT);
    cr_expect(eq(uint, limit(), TN_CGROUP_NO_LIMIT));
    cr_expect(eq(
        uint, tn_cgroup_cpu_limit("/nowhere/to/be/found"), TN_CGROUP_NO_LIMIT));
}

Test(cgroup, mounts_do_not_count_where_the_process_is_in_no_cgroup)
{
    put("proc/self/mountinfo", V1_MOUNT V2_MOUNT);
    put("sys/fs/cgroup/cpu.max", "100000 100000\n");
    put_v1_quota("sys/fs/cgroup/cpu", "100000\n", "100000\n");
    cr_expect(eq(uint, limit(), TN_CGROUP_NO_LIMIT));
    put("proc/self/cgroup", "0::app\n3:cpu:app\n4:memory:/\n");
    cr_expect(eq(uint, limit(), TN_CGROUP_NO_LIMIT));
}

Test(cgroup, malformed_quotas_are_no_limit)
{
    static const char *const texts[] = {
        "",       "\n",     "max",    "1\n",      "1 \n",       "1 0\n",
        "0 1\n",  "-1 1\n", "+1 1\n", " 1 1\n",   "1  1\n",     "1 1 1\n",
        "1 1x\n", "1,1\n",  "1 1",    "1 1e30\n", "1 1000001\n"};
    char text[80];

    cr_expect(eq(uint, limit_of("1 1\n"), 1));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_expect(
            eq(uint, limit_of(texts[i]), TN_CGROUP_NO_LIMIT), "text %zu", i);
    }
    cr_expect(
        eq(uint, limit_of("1 99999999999999999999\n"), TN_CGROUP_NO_LIMIT));
    cr_expect(
        eq(uint, limit_of("99999999999999999999 1\n"), TN_CGROUP_NO_LIMIT));
    snprintf(text, sizeof(text), "%070d 1\n", 1);  // does not fit
    cr_expect(eq(uint, limit_of(text), TN_CGROUP_NO_LIMIT));
    cr_expect(eq(uint, limit_of_v1("1 1\n", "1\n"), TN_CGROUP_NO_LIMIT));
    cr_expect(eq(uint, limit_of_v1("100000\n", "\n"), TN_CGROUP_NO_LIMIT));
    cr_expect(eq(uint, limit_of_v1("100000\n", "x\n"), TN_CGROUP_NO_LIMIT));
}

Test(cgroup, malformed_lines_are_skipped)
{
    put("sys/fs/cgroup/app/cpu.max", "200000 100000\n");
    put(".x/app/cpu.max", "100000 100000\n");
    put("proc/self/cgroup", "\n:\n::\n0\n0:\n0::app\n4:cpu\n::::\n0::/app\n::");
    put("proc/self/mountinfo",
        "\n - \n - cgroup2\n - cgroup\n1 2 - cgroup2 x rw\n1 2 3 / - cgroup2\n"
        "1 2 3 / - cgroup c cpu\n1 2 3 / /x rw cgroup2 x rw\n"
        "1 2 3 / /x rw - cgroup\n1 2 3 / \\ rw - cgroup2 x rw\n"
        "1 2 3 / x rw - cgroup2 x rw\n1 2 3  /x rw - cgroup2 x rw\n"
        "1 2 3 / /\\04 rw - cgroup2 x rw\n" V2_MOUNT "1 2 3 / /x rw - cgroup2");
    cr_expect(eq(uint, limit(), 2));
}

// Appends a line whose end would be a good one, if its beginning were lost.
static void append_overlong(const char *name, const char *end)
{
    FILE *file = open_in_root(name, "a");

    fprintf(file, "%01000000d%s\n", 0, end);
    cr_assert(eq(int, fclose(file), 0));
}

Test(cgroup, overlong_lines_are_skipped)
{
    put("sys/fs/cgroup/app/cpu.max", "200000 100000\n");
    put("sys/fs/cgroup/no/cpu.max", "100000 100000\n");
    put("no/app/cpu.max", "100000 100000\n");
    put("proc/self/cgroup", "0::/app\n");
    append_overlong("proc/self/cgroup", "::/no");
    put("proc/self/mountinfo", V2_MOUNT);
    append_overlong("proc/self/mountinfo", " 2 3 / /no rw - cgroup2 x rw");
    cr_expect(eq(uint, limit(), 2));
}

Test(cgroup, paths_too_long_to_open_still_have_ancestors)
{
    char text[2 * PATH_MAX];

    put("proc/self/mountinfo", V2_MOUNT);
    put("sys/fs/cgroup/app/cpu.max", "200000 100000\n");
    snprintf(text, sizeof(text), "0::/app%04090d\n", 0);
    cr_assert(eq(sz, strlen(strchr(text, '/')), PATH_MAX - 1));
    text[strlen("0::/app")] = '/';
    put("proc/self/cgroup", text);
    cr_expect(eq(uint, limit(), 2));
}

Test(cgroup, paths_longer_than_the_kernel_writes_are_skipped)
{
    char text[2 * PATH_MAX];

    put("proc/self/mountinfo", V1_MOUNT V2_MOUNT);
    put("sys/fs/cgroup/app/cpu.max", "200000 100000\n");
    snprintf(text, sizeof(text), "0::/app/%05000d\n", 0);
    put("proc/self/cgroup", text);
    cr_expect(eq(uint, limit(), TN_CGROUP_NO_LIMIT));
    snprintf(text, sizeof(text), "1:cpu:/app/%05000d\n", 0);
    put("proc/self/cgroup", text);
    cr_expect(eq(uint, limit(), TN_CGROUP_NO_LIMIT));
}

Test(cgroup, files_of_another_kind_are_no_limit)
{
    char path[PATH_MAX];

    put_v2("/app", V2_MOUNT);
    make_parents("sys/fs/cgroup/app/cpu.max/", path);  // a directory
    cr_expect(eq(uint, limit(), TN_CGROUP_NO_LIMIT));

    make_parents("proc/self/mountinfo", path);
    cr_assert(eq(int, unlink(path), 0));
    cr_assert(eq(int, mkfifo(path, 0600), 0));  // must not block
    cr_expect(eq(uint, limit(), TN_CGROUP_NO_LIMIT));

    cr_assert(eq(int, unlink(path), 0));
    cr_assert(eq(int, symlink("/dev/zero", path), 0));  // must come to an end
    cr_expect(eq(uint, limit(), TN_CGROUP_NO_LIMIT));
}

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    cr_assert(ne(ptr, dir, NULL));
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}

Test(cgroup, no_descriptor_is_left_open)
{
    int before = count_descriptors();

    limit_of("100000 100000\n");
    limit_of_v1("100000\n", "100000\n");
    cr_expect(eq(int, count_descriptors(), before));
}

// A kernel for more CPUs than fit in cpu_set_t, if a test says so.
static size_t fake_mask_bytes;
static int fake_error;

// In the place of the C library's.
int sched_getaffinity(pid_t pid, size_t mask_bytes, cpu_set_t *mask)
{
    memset(mask, 0, mask_bytes);
    if (fake_mask_bytes == 0) {
        long count = syscall(SYS_sched_getaffinity, pid, mask_bytes, mask);
        return count < 0 ? -1 : 0;
    }
    if (mask_bytes < fake_mask_bytes) {
        errno = fake_error;
        return -1;
    }
    CPU_SET_S(3, mask_bytes, mask);
    CPU_SET_S(fake_mask_bytes * 8 - 1, mask_bytes, mask);
    return 0;
}

Test(cpu, affinity_narrows_the_count)
{
    cpu_set_t allowed;
    cpu_set_t one;
    int first = 0;

    cr_assert(eq(int, sched_getaffinity(0, sizeof(allowed), &allowed), 0));
    cr_expect(eq(uint, tn_cpu_affinity_count(), (unsigned)CPU_COUNT(&allowed)));
    while (!CPU_ISSET(first, &allowed)) {
        first++;
    }
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    cr_assert(eq(int, sched_setaffinity(0, sizeof(one), &one), 0));
    cr_expect(eq(uint, tn_cpu_affinity_count(), 1));
    cr_expect(eq(uint, tn_cpu_count(), 1));
}

Test(cpu, affinity_counts_more_cpus_than_fit_in_cpu_set_t)
{
    fake_mask_bytes = 1024;
    fake_error = EINVAL;
    cr_expect(eq(uint, tn_cpu_affinity_count(), 2));
}

Test(cpu, unknown_affinity_narrows_nothing)
{
    fake_mask_bytes = SIZE_MAX;  // refuses every mask
    fake_error = EINVAL;
    cr_expect(eq(uint, tn_cpu_affinity_count(), TN_CPU_COUNT_MAX));
    fake_error = ENOSYS;
    cr_expect(eq(uint, tn_cpu_affinity_count(), TN_CPU_COUNT_MAX));
}

Test(cpu, quota_narrows_the_count)
{
    cr_expect(ge(uint, tn_cpu_count_at(root), 1));
    limit_of("50000 100000\n");
    cr_expect(eq(uint, tn_cpu_count_at(root), 1));
    limit_of("429496729500000 100000\n");
    cr_expect(le(uint, tn_cpu_count_at(root), tn_cpu_affinity_count()));
}

Test(cpu, count_is_within_every_limit)
{
    unsigned count = tn_cpu_count();

    cr_expect(ge(uint, count, 1));
    cr_expect(le(uint, count, tn_cpu_affinity_count()));
    cr_expect(le(uint, count, tn_cgroup_cpu_limit("/")));
    cr_expect(le(uint, count, (unsigned)sysconf(_SC_NPROCESSORS_ONLN)));
}

Test(cpu, environment_sets_the_default_count)
{
    unsigned count = 0;

    cr_assert(eq(int, setenv("TENON_NUM_THREADS", "777", 1), 0));
    cr_expect(tn_cpu_default_count(&count));
    cr_expect(eq(uint, count, 777));

    cr_assert(eq(int, unsetenv("TENON_NUM_THREADS"), 0));
    cr_expect(tn_cpu_default_count(&count));
    cr_expect(eq(uint, count, tn_cpu_count()));
}

Test(cpu, nonsense_in_the_environment_is_refused)
{
    unsigned count = 7;

    cr_assert(eq(int, setenv("TENON_NUM_THREADS", "many", 1), 0));
    cr_expect(not(tn_cpu_default_count(&count)));
    cr_assert(eq(int, setenv("TENON_NUM_THREADS", "", 1), 0));
    cr_expect(not(tn_cpu_default_count(&count)));
    cr_expect(eq(uint, count, 7));
}

Test(cpu, counts_are_parsed)
{
    static const char *const texts[] = {"1", "0016", "65535"};
    static const unsigned counts[] = {1, 16, TN_CPU_COUNT_MAX};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        unsigned count = 0;
        cr_expect(tn_cpu_parse_count(texts[i], &count), "text %zu", i);
        cr_expect(eq(uint, count, counts[i]));
    }
}

Test(cpu, anything_but_digits_in_range_is_refused)
{
    static const char *const texts[] = {
        NULL,
        "",
        "0",
        "00",
        "65536",
        "4294967297",
        "18446744073709551617",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1.5",
        "0x10",
        "1e3",
        "8,",
        "a",
        "max",
        "\xd9\xa1",
    };
    unsigned count = 7;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_expect(not(tn_cpu_parse_count(texts[i], &count)), "text %zu", i);
        cr_expect(eq(uint, count, 7));
    }
}
