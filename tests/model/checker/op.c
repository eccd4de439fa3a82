// SPDX-License-Identifier: MIT
//
// op — loads, stores and read-modify-writes on views.
//
// Source: Kang et al. (POPL 2017) without promises, hence without load
// buffering; release sequences as C++20 has them: read-modify-writes continue
// one, plain stores of the same thread do not.
// Ordering:
//   relaxed load     sees the store, learns nothing else until a fence
//   acquire load     learns what the store's writer released with it
//   relaxed store    releases what the last release fence saw
//   release store    releases all that the thread knows
//   read-modify-write reads the newest store, and its own store passes on what
//                    the one it read had released
//   failed cas       is a load; it may read any visible store that differs
//                    from the value expected

#include "checker/op.h"

#include "checker/choice.h"
#include "checker/fence.h"
#include "checker/read.h"
#include "checker/schedule.h"
#include "checker/search.h"
#include "checker/thread.h"
#include "checker/trace.h"

#include <string.h>

static bool is_new(const struct mc_location *location, int index)
{
    return mc_schedule_could_be_within(
        location->history[index]->time + 1, location->history[index + 1]->time);
}

// List the newest store, then others that count as new (schedule.c), then those
// that do not, down to `oldest`. Returns how many are new.
static int list_readable(
    const struct mc_location *location, int oldest, int *found)
{
    int old[MC_STORES];
    int new_count = 0;
    int old_count = 0;

    found[new_count++] = location->count - 1;
    for (int i = location->count - 2; i >= oldest; i--) {
        if (is_new(location, i)) {
            found[new_count++] = i;
        } else {
            old[old_count++] = i;
        }
    }
    memcpy(found + new_count, old, (size_t)old_count * sizeof(*old));
    return new_count;
}

int mc_read_choose(const struct mc_location *location, int oldest)
{
    int found[MC_STORES];
    int count = location->count - oldest;

    if (mc_self->index < 0) {
        return location->count - 1;
    }
    int new_count = list_readable(location, oldest, found);
    int explored = mc_search_may_read_old() ? count : new_count;
    int taken = mc_choice_take(MC_CHOICE_STORE, count, explored, NULL);

    if (taken >= new_count) {
        mc_search_count_old();
    }
    mc_schedule_not_before(location->history[found[taken]]->time + 1);
    return found[taken];
}

void mc_read_learn(struct mc_location *location, int index, unsigned order)
{
    const struct mc_view *released = &location->history[index]->view;

    mc_self->current.lanes[location->lane] = (int16_t)index;
    mc_view_join(&mc_self->acquired, released);
    mc_self->acquired.lanes[location->lane] =
        mc_view_newer(mc_self->acquired.lanes[location->lane], (int16_t)index);
    if (order & MC_ACQUIRE) {
        mc_view_join(&mc_self->current, released);
    } else {
        mc_memory_note_loose_read(location);
    }
    if (mc_self->index >= 0) {
        location->last_stores[mc_self->index] = (int16_t)index;
    }
    for (int i = 0; i < MC_THREADS; i++) {
        mc_self->causes[i] = mc_view_newer(
            mc_self->causes[i], location->history[index]->causes[i]);
    }
}

static int oldest_readable(const struct mc_location *location, unsigned order)
{
    int oldest = mc_view_newer(
        mc_self->current.lanes[location->lane],
        mc_self->settled.lanes[location->lane]);

    if (order & MC_SC_BIT) {
        int shared = mc_fence_oldest(location);
        oldest = shared > oldest ? shared : oldest;
    }
    return oldest;
}

// Append `value` with what `order` releases, and with what `passed_on`, the
// store that a read-modify-write has read, had released; NULL for a store.
static void write(
    struct mc_location *location, uint64_t value, unsigned order,
    const struct mc_message *passed_on)
{
    struct mc_message *message = mc_memory_append(location, value);
    int16_t index = (int16_t)(location->count - 1);

    mc_self->current.lanes[location->lane] = index;
    mc_self->acquired.lanes[location->lane] = index;
    message->view = order & MC_RELEASE ? mc_self->current : mc_self->released;
    if (passed_on != NULL) {
        mc_view_join(&message->view, &passed_on->view);
    }
    message->view.lanes[location->lane] = index;
    if (order & MC_SC_BIT) {
        mc_fence_note_store(location);
    }
    if (mc_self->index >= 0) {
        location->last_stores[mc_self->index] = index;
        mc_self->causes[mc_self->index] = mc_thread_clock();
    }
    memcpy(message->causes, mc_self->causes, sizeof(message->causes));
    mc_thread_tick();
}

static struct mc_location *begin(
    struct mc_site *site, const volatile void *address, unsigned size,
    enum mc_step step)
{
    site->was_reached = true;
    mc_schedule_point(step);
    return mc_memory_find(address, size, site->object);
}

int mc_store_index(const volatile void *p)
{
    const struct mc_location *location = mc_memory_peek(p);

    if (location == NULL || mc_self->index < 0) {
        return 0;
    }
    return location->last_stores[mc_self->index];
}

bool mc_could_read(const volatile void *p, int age, uint64_t *value)
{
    const struct mc_location *location = mc_memory_peek(p);

    if (location == NULL) {
        mc_fail("asked for a location that is not in use");
    }
    int index = location->count - 1 - age;

    if (index < oldest_readable(location, MC_RELAXED)) {
        return false;
    }
    *value = location->history[index]->value;
    return true;
}

void mc_op_init(
    const volatile void *address, unsigned size, uint64_t value,
    const char *object)
{
    memcpy((void *)address, &value, size);
    mc_memory_init(mc_memory_find(address, size, object), value);
}

uint64_t mc_op_load(
    struct mc_site *site, const volatile void *address, unsigned size)
{
    struct mc_location *location =
        begin(site, address, size, mc_schedule_step_of(site->order));
    int oldest = oldest_readable(location, site->order);
    int index = mc_read_choose(location, oldest);

    mc_read_learn(location, index, site->order);
    uint64_t value = location->history[index]->value;

    mc_trace_op(site, location, "is", value, index);
    return value;
}

void mc_op_store(
    struct mc_site *site, const volatile void *address, unsigned size,
    uint64_t value)
{
    struct mc_location *location = begin(site, address, size, MC_STEP_LOUD);

    if (location->is_reuse_watched) {
        mc_memory_judge_reuse(location);
    }
    write(location, value, site->order, NULL);
    mc_trace_op(site, location, "<-", value, location->count - 1);
}

static uint64_t update_value(
    enum mc_update update, uint64_t old, uint64_t operand)
{
    switch (update) {
    case MC_EXCHANGE:
        return operand;
    case MC_ADD:
        return old + operand;
    case MC_SUB:
        return old - operand;
    case MC_AND:
        return old & operand;
    case MC_OR:
        return old | operand;
    case MC_XOR:
        return old ^ operand;
    }
    __builtin_unreachable();
}

static uint64_t truncated(uint64_t value, unsigned size)
{
    return size == 8 ? value : value & ((UINT64_C(1) << (8 * size)) - 1);
}

uint64_t mc_op_update(
    struct mc_site *site, const volatile void *address, unsigned size,
    enum mc_update update, uint64_t operand)
{
    struct mc_location *location = begin(site, address, size, MC_STEP_LOUD);
    const struct mc_message *read = mc_memory_newest(location);
    uint64_t value =
        truncated(update_value(update, read->value, operand), size);

    mc_read_learn(location, location->count - 1, site->order);
    write(location, value, site->order, read);
    mc_trace_op(site, location, "<-", value, location->count - 1);
    return read->value;
}

// The newest store, or an older one that makes the compare-and-swap fail.
static int choose_compared(
    const struct mc_location *location, int oldest, uint64_t expected)
{
    int found[MC_STORES];
    int count = 0;

    found[count++] = location->count - 1;
    for (int i = location->count - 2; i >= oldest; i--) {
        if (location->history[i]->value != expected) {
            found[count++] = i;
        }
    }
    if (mc_self->index < 0) {
        return found[0];
    }
    int explored = mc_search_may_read_old() ? count : 1;
    int taken = mc_choice_take(MC_CHOICE_STORE, count, explored, NULL);

    if (taken > 0) {
        mc_search_count_old();
    }
    return found[taken];
}

bool mc_op_cas(
    struct mc_site *site, const volatile void *address, unsigned size,
    uint64_t *expected, uint64_t desired)
{
    struct mc_location *location = begin(site, address, size, MC_STEP_LOUD);
    int oldest = oldest_readable(location, site->failure);
    int index = choose_compared(location, oldest, *expected);
    const struct mc_message *read = location->history[index];

    if (read->value != *expected) {
        mc_read_learn(location, index, site->failure);
        mc_memory_drop_loose_reads();
        mc_trace_op(site, location, "fails:", read->value, index);
        *expected = read->value;
        return false;
    }
    mc_read_learn(location, index, site->order);
    write(location, desired, site->order, read);
    mc_trace_op(site, location, "<-", desired, location->count - 1);
    return true;
}

// A system call is no store: mc_watch_reuse() does not apply.
void mc_op_discard(const volatile void *begin, size_t size_bytes)
{
    int lane = MC_THREADS - 1;
    struct mc_location *location;

    while ((location = mc_memory_next_in(begin, size_bytes, lane)) != NULL) {
        lane = location->lane;
        mc_schedule_point(MC_STEP_LOUD);
        write(location, 0, MC_RELAXED, NULL);
        mc_trace_note("%s is taken away by the system", location->object);
    }
}

// A store becomes visible in finite time: a thread that waits sees, after two
// pauses, all that was stored before the first. It learns nothing else by it.
void mc_op_pause(void)
{
    mc_self->settled = mc_self->settling;
    mc_memory_newest_all(&mc_self->settling);
    mc_schedule_yield();
}
