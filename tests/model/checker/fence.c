// SPDX-License-Identifier: MIT
//
// fence — acquire, release and seq_cst fences, and the asymmetric pair.
//
// Source: Kang et al. (POPL 2017) for the global view of seq_cst fences;
// Goldblatt, "Asymmetric fences" (WG21 P1202), for what a pair must order.
// Ordering:
//   seq_cst  every fence learns what all earlier ones knew. This orders atomics
//            and creates no happens-before.
//   paired   a light fence learns what earlier heavy fences knew, a heavy one
//            what earlier light and heavy ones knew. Two light fences do not
//            see each other. It is the weakest of the three, and all that may
//            be relied upon: the compiler moves accesses across the moment at
//            which a heavy fence strikes, but not across a light fence.
//   all      a light fence does nothing; a heavy one is a seq_cst fence in
//            every thread at this moment
//   portable both are the seq_cst fence

#include "checker/fence.h"

#include "checker/schedule.h"
#include "checker/search.h"
#include "checker/thread.h"
#include "checker/trace.h"

#include <string.h>

static struct mc_view known_to_all;    // at seq_cst and heavy fences
static struct mc_view known_to_light;  // at light fences
static struct mc_view known_to_heavy;  // at heavy fences

void mc_fence_reset(void)
{
    memset(&known_to_all, 0, sizeof(known_to_all));
    memset(&known_to_light, 0, sizeof(known_to_light));
    memset(&known_to_heavy, 0, sizeof(known_to_heavy));
}

int mc_fence_oldest(const struct mc_location *location)
{
    return known_to_all.lanes[location->lane];
}

void mc_fence_note_store(const struct mc_location *location)
{
    known_to_all.lanes[location->lane] = (int16_t)(location->count - 1);
}

static void acquire(struct mc_thread *thread)
{
    mc_view_join(&thread->current, &thread->acquired);
}

static void release(struct mc_thread *thread)
{
    mc_view_join(&thread->acquired, &thread->current);
    thread->released = thread->current;
}

static void exchange(struct mc_thread *thread, struct mc_view *shared)
{
    mc_view_join_locations(&thread->current, shared);
    mc_view_join_locations(shared, &thread->current);
}

static void fence(unsigned order)
{
    if (order & MC_ACQUIRE) {
        acquire(mc_self);
    }
    if (order & MC_SC_BIT) {
        exchange(mc_self, &known_to_all);
    }
    if (order & MC_RELEASE) {
        release(mc_self);
        mc_thread_tick();
    }
}

static void strike_all(void)
{
    for (int i = 0; i < mc_thread_count; i++) {
        acquire(&mc_threads[i]);
        exchange(&mc_threads[i], &known_to_all);
    }
    for (int i = 0; i < mc_thread_count; i++) {
        exchange(&mc_threads[i], &known_to_all);
        release(&mc_threads[i]);
        mc_threads[i].current.lanes[i]++;
    }
}

static void heavy(void)
{
    mc_view_join_locations(&mc_self->current, &known_to_light);
    fence(MC_SEQCST);
    mc_view_join_locations(&known_to_heavy, &mc_self->current);
}

static void light(void)
{
    mc_view_join_locations(&known_to_light, &mc_self->current);
    mc_view_join_locations(&mc_self->current, &known_to_heavy);
}

// True if the fence is there: outside of the threads, and where a mutant has
// removed it, nothing happens.
static bool begin(struct mc_site *site, enum mc_step step)
{
    site->was_reached = true;
    if (mc_self->index < 0 || site->order == MC_NO_FENCE) {
        return false;
    }
    mc_schedule_point(step);
    mc_trace_at(site, "");
    return true;
}

void mc_op_fence(struct mc_site *site)
{
    if (begin(site, mc_schedule_step_of(site->order))) {
        fence(site->order);
    }
}

void mc_op_fence_light(struct mc_site *site)
{
    enum mc_fences fences = mc_search_current()->fences;

    if (fences == MC_FENCES_ALL) {
        site->was_reached = true;
        return;
    }
    if (begin(site, MC_STEP_LOUD)) {
        if (fences == MC_FENCES_PAIRED) {
            light();
        } else {
            fence(MC_SEQCST);
        }
    }
}

void mc_op_fence_heavy(struct mc_site *site)
{
    enum mc_fences fences = mc_search_current()->fences;

    if (!begin(site, MC_STEP_LOUD)) {
        return;
    }
    // A mutant leaves of a heavy fence only the thread's own.
    bool is_heavy = site->order == MC_HEAVY;

    if (is_heavy && fences == MC_FENCES_PAIRED) {
        heavy();
    } else if (is_heavy && fences == MC_FENCES_ALL) {
        strike_all();
    } else {
        fence(MC_SEQCST);
    }
}
