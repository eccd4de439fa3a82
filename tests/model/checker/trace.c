// SPDX-License-Identifier: MIT
//
// trace — one line per step: number, thread, place, operation, value, age.

#include "checker/trace.h"

#include "checker/schedule.h"
#include "checker/thread.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

bool mc_trace_is_on;

static void print_head(const char *place)
{
    printf("# %4d  %-10s  %-22s  ", mc_schedule_steps(), mc_self->name, place);
}

void mc_trace_write(const char *format, ...)
{
    va_list args;

    print_head("");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

static void print_site(const struct mc_site *site)
{
    char place[64];

    snprintf(
        place, sizeof(place), "%s:%d", mc_file_name(site->file), site->line);
    print_head(place);
    printf("%s", site->name);
}

void mc_trace_site(const struct mc_site *site, const char *what)
{
    print_site(site);
    printf(" %s %s\n", site->object, what);
}

void mc_trace_access(
    const struct mc_site *site, const struct mc_location *location,
    const char *verb, uint64_t value, int index)
{
    const char *writer = "before all";
    int behind = location->count - 1 - index;

    if (location->history[index]->thread >= 0) {
        writer = mc_threads[location->history[index]->thread].name;
    }
    print_site(site);
    printf(" %s %s ", site->object, verb);
    printf((int64_t)value > 0xffff ? "0x%" PRIx64 : "%" PRId64, value);
    printf(" [store %d, %s", index, writer);
    printf(behind > 0 ? "; OLD, %d behind]\n" : "]\n", behind);
}

void mc_trace_access_plain(
    bool is_write, const char *name, const volatile void *p, size_t size_bytes)
{
    print_head("");
    printf(
        "plain %s %s at %p (%zu bytes)\n", is_write ? "write" : "read", name,
        (const void *)p, size_bytes);
}
