// SPDX-License-Identifier: MIT
//
// deque — laws of src/sync/deque: each item is taken once, with its contents.
//
// Laws:
//   L1 every item pushed is taken exactly once, by pop, by steal, or by the
//      pops after the end
//   L2 who takes an item may read what its pusher wrote in it
//   L3 steal reports the index at which the item was pushed
//   L4 a slot is overwritten only after the reads of those who claimed it
//   L5 pop finds an item unless thieves have claimed all that are left
//   L6 a thief that has looked at bottom knows every push before the store to
//      bottom that it saw, even if it then loses the item

#include "checker/model.h"
#include "checker/suite.h"

#include "sync/deque.h"

#include <string.h>

#define ITEMS 16
#define BATCH 2

struct plan {
    int capacity;
    const char *owner;   // u: push, f: push as a fork does, m: push many if
                         // there is room, o: pop, b: take the oldest ones, t:
                         // trim if it is empty
    int steals[3];       // attempts of each thief
    const char *before;  // what the owner has done before there are thieves
};

struct item {
    int content;
    int64_t index;
    int push_number;  // of the store to bottom, in its modification order
};

static struct tenon_deque deque;
static struct item items[ITEMS];
static int taken_counts[ITEMS];
static int pushed_count;
static int stealing_count;  // thieves that are inside tn_deque_steal()

static int content_of(int number)
{
    return 100 + number;
}

static int64_t index_of(const struct item *item)
{
    return mc_plain_read(&item->index);
}

static struct item *next_item(void)
{
    struct item *item = &items[pushed_count];

    mc_plain_write(&item->content, content_of(pushed_count));
    mc_plain_write(&item->index, tn_deque_bottom(&deque));
    return item;
}

static void note_push(struct item *item)
{
    item->push_number = mc_store_index(&deque.bottom);
    pushed_count++;
}

static void push(void)
{
    struct item *item = next_item();

    mc_check(tn_deque_push(&deque, item));
    note_push(item);
}

static void fork(void)
{
    struct item *item = next_item();
    int64_t bottom = tn_deque_bottom(&deque);

    tenon_deque_add(&deque, bottom, item);
    note_push(item);
    if (tenon_deque_must_look(&deque, bottom)) {
        mc_check(tn_deque_make_room(&deque));
    }
}

static void push_many(void)
{
    int64_t end = tn_deque_bottom(&deque);

    if (tn_deque_room(&deque) < BATCH) {
        push();
        push();
        return;
    }
    for (int i = 0; i < BATCH; i++, end++) {
        struct item *item = &items[pushed_count + i];

        mc_plain_write(&item->content, content_of(pushed_count + i));
        mc_plain_write(&item->index, end);
        tn_deque_put(&deque, end, item);
    }
    tn_deque_advance(&deque, end);
    for (int i = 0; i < BATCH; i++) {
        items[pushed_count++].push_number = mc_store_index(&deque.bottom);
    }
}

static void take(struct item *item)
{
    mc_check(item >= items);
    mc_check(item < items + ITEMS);
    int number = (int)(item - items);

    mc_check(mc_plain_read(&item->content) == content_of(number));  // L2
    taken_counts[number]++;
    mc_check(taken_counts[number] == 1);  // L1
}

static int left_count(void)
{
    int left = pushed_count;

    for (int i = 0; i < pushed_count; i++) {
        left -= taken_counts[i];
    }
    return left;
}

static void pop(void)
{
    struct item *item = tn_deque_pop(&deque);

    if (item != NULL) {
        take(item);
    } else {
        mc_check(left_count() <= stealing_count);  // L5
    }
}

static void take_oldest(void)
{
    void *batch[BATCH];
    size_t count = tn_deque_take_oldest(&deque, batch, BATCH);

    mc_check(count <= BATCH);
    for (size_t i = 0; i < count; i++) {
        take(batch[i]);
        mc_check(index_of(batch[i]) == index_of(batch[0]) + (int64_t)i);  // L3
    }
    if (count == 0) {
        mc_check(left_count() <= stealing_count);  // L5
    }
}

static void own(const char *steps)
{
    for (const char *step = steps; *step != '\0'; step++) {
        if (*step == 'u') {
            push();
        } else if (*step == 'f') {
            fork();
        } else if (*step == 'm') {
            push_many();
        } else if (*step == 'o') {
            pop();
        } else if (*step == 'b') {
            take_oldest();
        } else if (tn_deque_looks_empty(&deque)) {
            tn_deque_trim(&deque);
        }
    }
}

static void setup(const void *arg)
{
    const struct plan *plan = arg;

    memset(items, 0, sizeof(items));
    memset(taken_counts, 0, sizeof(taken_counts));
    pushed_count = 0;
    stealing_count = 0;
    mc_watch_reuse("slot");  // L4
    mc_check(tn_deque_init(&deque, (size_t)plan->capacity, true));
    own(plan->before);
}

static void owner(const void *arg)
{
    const struct plan *plan = arg;

    own(plan->owner);
}

static void check_pushes_known(void)
{
    int seen = mc_store_index(&deque.bottom);

    for (int i = 0; i < pushed_count; i++) {
        mc_check(
            items[i].push_number > seen || mc_knows_write(&items[i].content));
    }
}

static void steal(const void *arg)
{
    const struct plan *plan = arg;
    int attempts = plan->steals[mc_thread_index() - 1];

    for (int i = 0; i < attempts; i++) {
        void *item = NULL;
        int64_t index = -1;

        stealing_count++;
        enum tn_steal result = tn_deque_steal(&deque, 1, &item, &index);
        if (result != TN_STEAL_EMPTY) {
            check_pushes_known();  // L6
        }
        if (result == TN_STEAL_TAKEN) {
            take(item);
            mc_check(index == index_of(item));  // L3
        }
        stealing_count--;
        mc_note();
    }
}

static void check(const void *arg)
{
    (void)arg;
    mc_check(tn_deque_is_valid(&deque));
    struct item *item = tn_deque_pop(&deque);

    while (item != NULL) {
        take(item);
        item = tn_deque_pop(&deque);
    }
    mc_check(left_count() == 0);  // L1, L5
    tn_deque_fini(&deque);
}

static struct mc_program program_of(const void *arg)
{
    const struct plan *plan = arg;
    struct mc_program program = {
        .setup = setup,
        .check = check,
        .threads = {{"owner", owner}, {"thief", steal}},
    };

    if (plan->steals[1] > 0) {
        program.threads[2] = (struct mc_thread_spec){"thief 2", steal};
    }
    return program;
}

static const struct plan pop_one = {2, "uo", {1}, ""};
static const struct plan pop_two = {4, "uuoo", {2}, ""};
static const struct plan pop_two_three = {4, "uuoo", {1, 1}, ""};
static const struct plan push_after = {4, "uouo", {2}, ""};
static const struct plan grow = {2, "uuo", {2}, ""};
static const struct plan grow_three = {2, "uuuoo", {1, 1}, ""};
static const struct plan grow_twice = {2, "uuuuoo", {2}, ""};
static const struct plan forks = {4, "ffo", {2}, ""};
static const struct plan forks_three = {4, "ffo", {1, 1}, ""};
static const struct plan forks_grow = {2, "fffuo", {2}, ""};
static const struct plan many_forks = {2, "ffffff", {1}, ""};
static const struct plan reuse = {4, "bmbmbuu", {1}, "uu"};
static const struct plan slide = {4, "fuo", {2}, "mbmbuu"};
static const struct plan slide_forks = {4, "fffo", {1}, "mbmbuu"};
static const struct plan slide_far = {4, "uuuf", {1}, "umbbmbuu"};
static const struct plan slide_three = {4, "fuo", {1, 1}, "mbmbuu"};
static const struct plan trim = {4, "uuootu", {2}, ""};
static const struct plan trim_three = {4, "uuootu", {1, 1}, ""};
static const struct plan batch = {4, "uuubo", {2}, ""};
static const struct plan batch_three = {4, "uuub", {1, 1}, ""};
static const struct plan many = {2, "mom", {2}, ""};
static const struct plan many_three = {4, "mo", {1, 1}, ""};
static const struct plan batch_reuse = {2, "uubuu", {2}, ""};
static const struct plan large = {2, "ufouufoouboooo", {3, 3}, ""};

static const struct mc_scenario scenarios[] = {
    {"one_item_pop_against_steal", &pop_one, -1, -1, 0, MC_EXHAUSTIVE},
    {"two_items_pops_against_steals", &pop_two, 3, -1, 0, MC_EXHAUSTIVE},
    {"two_items_two_thieves", &pop_two_three, 2, 2, 0, MC_EXHAUSTIVE},
    {"push_after_pop", &push_after, 3, -1, 0, MC_EXHAUSTIVE},
    {"growth_under_a_thief", &grow, 3, -1, 0, MC_EXHAUSTIVE},
    {"growth_under_two_thieves", &grow_three, 2, 1, 0, MC_EXHAUSTIVE},
    {"two_growths", &grow_twice, 2, -1, 0, MC_EXHAUSTIVE},
    {"forks_against_steals", &forks, 3, -1, 0, MC_EXHAUSTIVE},
    {"forks_two_thieves", &forks_three, 2, 2, 0, MC_EXHAUSTIVE},
    {"forks_that_make_it_grow", &forks_grow, 2, -1, 0, MC_EXHAUSTIVE},
    {"many_forks", &many_forks, 1, -1, 0, MC_EXHAUSTIVE},
    {"slots_used_again", &reuse, 1, -1, 0, MC_EXHAUSTIVE},
    {"window_slides_under_a_thief", &slide, 2, -1, 0, MC_EXHAUSTIVE},
    {"window_slides_at_a_fork", &slide_forks, 2, -1, 0, MC_EXHAUSTIVE},
    {"window_slides_away_from_a_thief", &slide_far, 2, -1, 0, MC_EXHAUSTIVE},
    {"window_slides_under_two_thieves", &slide_three, 2, 1, 0, MC_EXHAUSTIVE},
    {"trim_under_a_thief", &trim, 2, -1, 0, MC_EXHAUSTIVE},
    {"trim_under_two_thieves", &trim_three, 2, 1, 0, MC_EXHAUSTIVE},
    {"batch_against_steals", &batch, 2, -1, 0, MC_EXHAUSTIVE},
    {"batch_and_two_thieves", &batch_three, 2, 1, 0, MC_EXHAUSTIVE},
    {"batch_and_slots_used_again", &batch_reuse, 2, -1, 0, MC_EXHAUSTIVE},
    {"two_at_a_time", &many, 2, -1, 0, MC_EXHAUSTIVE},
    {"two_at_a_time_two_thieves", &many_three, 2, 1, 0, MC_EXHAUSTIVE},
    {"many_items_random", &large, 0, 0, 0, MC_RANDOM},
    {"many_items_pct", &large, 0, 0, 0, MC_PCT},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    // The full fence is one side of TENON_FENCE_LIGHT, which is played here;
    // who sleeps is a matter of idle.c.
    static const char *const files[] = {
        "!sync/deque.c:tenon_fence_full",
        "!sync/deque.c:heed_call",
        "!sync/deque.c:tn_deque_watch",
        "!sync/deque.h:tn_deque_ring",
        "!tenon/inline.h:tenon_deque_must_look",
        "sync/deque",
        "tenon/inline.h:tenon_deque",
        NULL};
    static const struct mc_suite suite = {
        files, scenarios, program_of, NULL, .is_fenced = true};

    return mc_suite_main(&suite, argc, argv);
}
