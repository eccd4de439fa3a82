// SPDX-License-Identifier: MIT
//
// site — reads the list of sites that the linker has put together.
//
// An inline function of a header has a site in every file that includes it;
// the first stands for all of them, and a mutant weakens them all.

#include "checker/site.h"

#include "checker/model.h"

#include <stdio.h>
#include <string.h>

extern struct mc_site *__start_mc_sites[];
extern struct mc_site *__stop_mc_sites[];

// Filled by apply, read by restore: the shipped order of the mutated site.
static uint8_t shipped_order;

static const char *order_name(unsigned order)
{
    switch (order) {
    case MC_RELAXED:
        return "relaxed";
    case MC_ACQUIRE:
        return "acquire";
    case MC_RELEASE:
        return "release";
    case MC_ACQREL:
        return "acq_rel";
    case MC_SEQCST:
        return "seq_cst";
    case MC_NO_FENCE:
        return "nothing";
    default:
        return "?";
    }
}

static bool is_same(const struct mc_site *a, const struct mc_site *b)
{
    return a->line == b->line && a->op == b->op &&
           strcmp(a->file, b->file) == 0 && strcmp(a->name, b->name) == 0 &&
           strcmp(a->object, b->object) == 0;
}

static bool is_first(struct mc_site **entry)
{
    for (struct mc_site **other = __start_mc_sites; other < entry; other++) {
        if (is_same(*other, *entry)) {
            return false;
        }
    }
    return true;
}

static bool is_in(const struct mc_site *site, const char *const *files)
{
    char name[256];

    snprintf(
        name, sizeof(name), "%s:%s", mc_file_name(site->file), site->function);
    for (; *files != NULL; files++) {
        bool is_exclusion = (*files)[0] == '!';
        const char *prefix = *files + (is_exclusion ? 1 : 0);

        if (strncmp(name, prefix, strlen(prefix)) == 0) {
            return !is_exclusion;
        }
    }
    return false;
}

const struct mc_site *mc_site_at(const char *const *files, int index)
{
    for (struct mc_site **entry = __start_mc_sites; entry < __stop_mc_sites;
         entry++) {
        if (is_in(*entry, files) && is_first(entry) && index-- == 0) {
            return *entry;
        }
    }
    return NULL;
}

int mc_site_count(const char *const *files)
{
    int count = 0;

    while (mc_site_at(files, count) != NULL) {
        count++;
    }
    return count;
}

bool mc_site_was_reached(const struct mc_site *site)
{
    for (struct mc_site **entry = __start_mc_sites; entry < __stop_mc_sites;
         entry++) {
        if (is_same(*entry, site) && (*entry)->was_reached) {
            return true;
        }
    }
    return false;
}

static int add(
    struct mc_mutant *mutants, int count, const struct mc_site *site,
    unsigned order, bool is_failure)
{
    struct mc_mutant *mutant = &mutants[count];

    mutant->site = site;
    mutant->is_failure = is_failure;
    mutant->order = (uint8_t)order;
    snprintf(
        mutant->name, sizeof(mutant->name), "%s:%d %s(%s)%s -> %s",
        mc_file_name(site->file), site->line, site->name, site->object,
        is_failure ? " on failure" : "", order_name(order));
    snprintf(
        mutant->place, sizeof(mutant->place), "%s:%s %s(%s)%s -> %s",
        mc_file_name(site->file), site->function, site->name, site->object,
        is_failure ? " on failure" : "", order_name(order));
    return count + 1;
}

static int add_weaker(
    struct mc_mutant *mutants, int count, const struct mc_site *site,
    unsigned order, bool is_failure)
{
    if (order & MC_SC_BIT) {
        return add(mutants, count, site, order & ~MC_SC_BIT, is_failure);
    }
    if (order & MC_ACQUIRE) {
        count = add(mutants, count, site, order & ~MC_ACQUIRE, is_failure);
    }
    if (order & MC_RELEASE) {
        count = add(mutants, count, site, order & ~MC_RELEASE, is_failure);
    }
    return count;
}

int mc_site_mutants(const struct mc_site *site, struct mc_mutant *mutants)
{
    int count = 0;

    switch ((enum mc_op)site->op) {
    case MC_OP_FENCE:
    case MC_OP_FENCE_LIGHT:
        return add(mutants, 0, site, MC_NO_FENCE, false);
    case MC_OP_FENCE_HEAVY:
        count = add(mutants, 0, site, MC_NO_FENCE, false);
        return add(mutants, count, site, MC_SEQCST, false);
    case MC_OP_FUTEX_WAIT:
    case MC_OP_FUTEX_WAKE:
        return 0;
    case MC_OP_CAS:
        count = add_weaker(mutants, 0, site, site->failure, true);
        break;
    case MC_OP_LOAD:
    case MC_OP_STORE:
    case MC_OP_UPDATE:
        break;
    }
    return add_weaker(mutants, count, site, site->order, false);
}

static void set_all(const struct mc_mutant *mutant, uint8_t order)
{
    for (struct mc_site **entry = __start_mc_sites; entry < __stop_mc_sites;
         entry++) {
        if (!is_same(*entry, mutant->site)) {
            continue;
        }
        if (mutant->is_failure) {
            (*entry)->failure = order;
        } else {
            (*entry)->order = order;
        }
    }
}

void mc_site_apply(const struct mc_mutant *mutant)
{
    shipped_order =
        mutant->is_failure ? mutant->site->failure : mutant->site->order;
    set_all(mutant, mutant->order);
}

void mc_site_restore(const struct mc_mutant *mutant)
{
    set_all(mutant, shipped_order);
}

// What follows the last `root` in `path`, or NULL.
static const char *after_last(const char *path, const char *root)
{
    const char *found = NULL;

    for (const char *at = path; (at = strstr(at, root)) != NULL; at++) {
        found = at + strlen(root);
    }
    return found;
}

const char *mc_file_name(const char *path)
{
    static const char *const roots[] = {"src/", "include/", "model/"};
    const char *last = path;

    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        const char *found = after_last(path, roots[i]);
        last = found != NULL && found > last ? found : last;
    }
    return last;
}
