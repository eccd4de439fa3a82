// SPDX-License-Identifier: MIT
//
// cpu — asks affinity, cgroups and the system; the smallest answer counts.

#include "base/cpu.h"

#include "base/cgroup.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

// Room in the first mask, and where we stop looking for a larger one.
#define MASK_CPUS_FIRST 1024
#define MASK_CPUS_MAX (1 << 20)

static unsigned clamp(unsigned count)
{
    return count < TN_CPU_COUNT_MAX ? count : TN_CPU_COUNT_MAX;
}

// The bits in our affinity mask. 0: unknown; -1: `mask_cpus` is too few.
static int count_mask(size_t mask_cpus)
{
    cpu_set_t *mask = CPU_ALLOC(mask_cpus);
    size_t mask_bytes = CPU_ALLOC_SIZE(mask_cpus);
    int count = 0;

    if (mask == NULL) {
        return count;
    }
    if (sched_getaffinity(0, mask_bytes, mask) == 0) {
        count = CPU_COUNT_S(mask_bytes, mask);
    } else if (errno == EINVAL) {
        count = -1;
    }
    CPU_FREE(mask);
    return count;
}

unsigned tn_cpu_affinity_count(void)
{
    size_t mask_cpus = MASK_CPUS_FIRST;
    int count = count_mask(mask_cpus);

    // The kernel takes no mask that is smaller than its own.
    while (count < 0 && mask_cpus < MASK_CPUS_MAX) {
        mask_cpus *= 2;
        count = count_mask(mask_cpus);
    }
    return count > 0 ? clamp((unsigned)count) : TN_CPU_COUNT_MAX;
}

static unsigned online_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count > 0 ? clamp((unsigned)count) : 1;
}

unsigned tn_cpu_count_at(const char *root_path)
{
    unsigned count = online_count();
    unsigned affinity = tn_cpu_affinity_count();
    unsigned quota = tn_cgroup_cpu_limit(root_path);

    count = affinity < count ? affinity : count;
    return quota < count ? quota : count;
}

unsigned tn_cpu_count(void)
{
    return tn_cpu_count_at("/");
}

bool tn_cpu_parse_count(const char *text, unsigned *out)
{
    unsigned count = 0;

    if (text == NULL) {
        return false;
    }
    for (; *text >= '0' && *text <= '9'; text++) {
        count = count * 10 + (unsigned)(*text - '0');
        if (count > TN_CPU_COUNT_MAX) {
            return false;
        }
    }
    if (*text != '\0' || count == 0) {
        return false;
    }
    *out = count;
    return true;
}

bool tn_cpu_default_count(unsigned *out)
{
    const char *text = getenv("TENON_NUM_THREADS");

    if (text != NULL) {
        return tn_cpu_parse_count(text, out);
    }
    *out = tn_cpu_count();
    return true;
}
