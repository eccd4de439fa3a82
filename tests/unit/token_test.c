// SPDX-License-Identifier: MIT
//
// token_test — set once, for ever, with one cause, seen by everything below.

#include "gate.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

// By this name the compiler does not insist on a format.
static bool (*const cancel)(tenon_token *, int, const char *, ...) =
    tenon_token_cancel;

TestSuite(token, .timeout = 30);

Test(token, new_one_is_not_cancelled)
{
    tenon_token token;

    tenon_token_init(&token, NULL);
    cr_expect(not(tenon_token_cancelled(&token)));
    tenon_token_fini(&token);
}

Test(token, cancel_sets_it_for_ever)
{
    tenon_token token;

    tenon_token_init(&token, NULL);
    cr_expect(tenon_token_cancel(&token, 1, "stop"));
    for (int i = 0; i < 10; i++) {
        cr_assert(tenon_token_cancelled(&token));
    }
    tenon_token_fini(&token);
}

Test(token, cause_says_who_why_and_when)
{
    tenon_token token;
    tenon_cause cause;
    uint64_t begin_ns = tenon_now_ns();

    tenon_token_init(&token, NULL);
    tenon_token_cancel(&token, 42, "number %d of %s", 7, "many");
    cr_assert(tenon_token_cause(&token, &cause));
    cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, (int)cause.origin, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, cause.code, 42));
    cr_expect(eq(u64, cause.sequence, 0));
    cr_expect(ge(u64, cause.time_ns, begin_ns));
    cr_expect(le(u64, cause.time_ns, tenon_now_ns()));
    cr_expect(eq(str, cause.text, "number 7 of many"));
    cr_expect(eq(str, cause.task_name, ""));
    cr_expect(eq(str, cause.scope_name, ""));
    tenon_token_fini(&token);
}

Test(token, cause_of_an_unset_one_is_left_untouched)
{
    tenon_token token;
    tenon_cause cause = {.code = 99};

    tenon_token_init(&token, NULL);
    cr_expect(not(tenon_token_cause(&token, &cause)));
    cr_expect(eq(int, cause.code, 99));
    tenon_token_fini(&token);
}

Test(token, first_cause_wins)
{
    tenon_token token;
    tenon_cause cause;

    tenon_token_init(&token, NULL);
    cr_expect(tenon_token_cancel(&token, 1, "first"));
    cr_expect(not(tenon_token_cancel(&token, 2, "second")));
    cr_assert(tenon_token_cause(&token, &cause));
    cr_expect(eq(int, cause.code, 1));
    cr_expect(eq(str, cause.text, "first"));
    tenon_token_fini(&token);
}

Test(token, text_may_be_missing)
{
    tenon_token token;
    tenon_cause cause;

    tenon_token_init(&token, NULL);
    cancel(&token, 5, NULL);
    cr_assert(tenon_token_cause(&token, &cause));
    cr_expect(eq(str, cause.text, ""));
    tenon_token_fini(&token);
}

Test(token, long_text_is_cut)
{
    tenon_token token;
    tenon_cause cause;
    char text[1000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    tenon_token_init(&token, NULL);
    tenon_token_cancel(&token, 5, "%s", text);
    cr_assert(tenon_token_cause(&token, &cause));
    cr_expect(eq(sz, strlen(cause.text), 127));
    tenon_token_fini(&token);
}

Test(token, child_sees_its_parent_as_the_cause)
{
    tenon_token parent;
    tenon_token child;
    tenon_cause cause;

    tenon_token_init(&parent, NULL);
    tenon_token_init(&child, &parent);
    cr_assert(not(tenon_token_cancelled(&child)));
    tenon_token_cancel(&parent, 9, "from above");
    cr_expect(tenon_token_cancelled(&child));
    cr_assert(tenon_token_cause(&child, &cause));
    cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_PARENT));
    cr_expect(eq(int, (int)cause.origin, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, cause.code, 9));
    cr_expect(eq(str, cause.text, "from above"));
    tenon_token_fini(&child);
    tenon_token_fini(&parent);
}

Test(token, child_of_a_set_one_is_born_set)
{
    tenon_token parent;
    tenon_token child;

    tenon_token_init(&parent, NULL);
    tenon_token_cancel(&parent, 1, "early");
    tenon_token_init(&child, &parent);
    cr_expect(tenon_token_cancelled(&child));
    cr_expect(not(tenon_token_cancel(&child, 2, "late")));
    tenon_token_fini(&child);
    tenon_token_fini(&parent);
}

Test(token, cancel_touches_nothing_above_or_beside)
{
    tenon_token parent;
    tenon_token child;
    tenon_token sibling;
    tenon_token stranger;

    tenon_token_init(&parent, NULL);
    tenon_token_init(&child, &parent);
    tenon_token_init(&sibling, &parent);
    tenon_token_init(&stranger, NULL);
    cr_expect(tenon_token_cancel(&child, 1, "only below"));
    cr_expect(not(tenon_token_cancelled(&parent)));
    cr_expect(not(tenon_token_cancelled(&sibling)));
    cr_expect(not(tenon_token_cancelled(&stranger)));
    // A clean poll is not kept beyond the next cancel.
    cr_expect(tenon_token_cancel(&parent, 2, "all"));
    cr_expect(tenon_token_cancelled(&sibling));
    cr_expect(not(tenon_token_cancelled(&stranger)));
    tenon_token_fini(&stranger);
    tenon_token_fini(&sibling);
    tenon_token_fini(&child);
    tenon_token_fini(&parent);
}

Test(token, own_cause_stays_when_a_parent_is_set_later)
{
    tenon_token parent;
    tenon_token child;
    tenon_cause cause;

    tenon_token_init(&parent, NULL);
    tenon_token_init(&child, &parent);
    tenon_token_cancel(&child, 1, "own");
    cr_expect(tenon_token_cancel(&parent, 2, "later"));
    cr_assert(tenon_token_cause(&child, &cause));
    cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, cause.code, 1));
    tenon_token_fini(&child);
    tenon_token_fini(&parent);
}

Test(token, cause_from_above_stays_when_something_between_is_asked_to_stop)
{
    tenon_token top;
    tenon_token middle;
    tenon_token bottom;
    tenon_cause cause;

    tenon_token_init(&top, NULL);
    tenon_token_init(&middle, &top);
    tenon_token_init(&bottom, &middle);
    tenon_token_cancel(&top, 1, "top");
    cr_expect(not(tenon_token_cancel(&middle, 2, "middle")));
    cr_assert(tenon_token_cause(&bottom, &cause));
    cr_expect(eq(int, cause.code, 1));
    cr_assert(tenon_token_cause(&middle, &cause));
    cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_PARENT));
    cr_expect(eq(int, cause.code, 1));
    tenon_token_fini(&bottom);
    tenon_token_fini(&middle);
    tenon_token_fini(&top);
}

enum { DEPTH = 1000 };

static tenon_token chain[DEPTH];

static void make_chain(void)
{
    for (int i = 0; i < DEPTH; i++) {
        tenon_token_init(&chain[i], i == 0 ? NULL : &chain[i - 1]);
    }
}

static void end_chain(void)
{
    for (int i = DEPTH - 1; i >= 0; i--) {
        tenon_token_fini(&chain[i]);
    }
}

Test(token, every_descendant_is_set_when_cancel_has_returned)
{
    make_chain();
    for (int i = 0; i < DEPTH; i++) {
        cr_assert(not(tenon_token_cancelled(&chain[i])));
    }
    tenon_token_cancel(&chain[DEPTH / 2], 1, "half");
    for (int i = 0; i < DEPTH; i++) {
        cr_assert(eq(int, tenon_token_cancelled(&chain[i]), i >= DEPTH / 2));
    }
    end_chain();
}

Test(token, every_depth_tells_the_same_origin)
{
    tenon_cause cause;

    make_chain();
    tenon_token_cancel(&chain[0], 17, "root");
    for (int i = DEPTH - 1; i > 0; i -= 37) {
        cr_assert(tenon_token_cause(&chain[i], &cause));
        cr_assert(eq(int, (int)cause.source, (int)TENON_CAUSE_PARENT));
        cr_assert(eq(int, (int)cause.origin, (int)TENON_CAUSE_EXPLICIT));
        cr_assert(eq(int, cause.code, 17));
        cr_assert(eq(str, cause.text, "root"));
    }
    end_chain();
}

enum { RACE_COUNT = 5000 };

// Two threads cancel one token after the other, side by side.
struct race {
    tenon_token tokens[RACE_COUNT];
    atomic_uint won_count[RACE_COUNT];
    atomic_int winner[RACE_COUNT];
    atomic_uint unseen_count;
    atomic_uint arrived_count;
};

static struct race race;

// Both have arrived `round` times.
static bool have_arrived(void *round)
{
    return atomic_load(&race.arrived_count) >= 2 * *(unsigned *)round;
}

static void *cancel_main(void *arg)
{
    int number = *(int *)arg;

    for (unsigned i = 0; i < RACE_COUNT; i++) {
        unsigned round = i + 1;
        atomic_fetch_add(&race.arrived_count, 1);
        gate_poll(have_arrived, &round);
        if (tenon_token_cancel(&race.tokens[i], number, "by %d", number)) {
            atomic_fetch_add(&race.won_count[i], 1);
            atomic_store(&race.winner[i], number);
        }
        if (!tenon_token_cancelled(&race.tokens[i])) {
            atomic_fetch_add(&race.unseen_count, 1);
        }
    }
    return NULL;
}

static void run_race(void)
{
    static int numbers[] = {1, 2};
    pthread_t threads[2];

    for (int i = 0; i < RACE_COUNT; i++) {
        tenon_token_init(&race.tokens[i], NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, cancel_main, &numbers[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void end_race(void)
{
    for (int i = 0; i < RACE_COUNT; i++) {
        tenon_token_fini(&race.tokens[i]);
    }
}

// One cancel wins and its cause is whole.
Test(token, one_of_two_concurrent_cancels_wins)
{
    tenon_cause cause;
    char text[32];

    run_race();
    for (int i = 0; i < RACE_COUNT; i++) {
        cr_assert(eq(uint, atomic_load(&race.won_count[i]), 1));
        cr_assert(tenon_token_cause(&race.tokens[i], &cause));
        int winner = atomic_load(&race.winner[i]);
        snprintf(text, sizeof(text), "by %d", winner);
        cr_assert(eq(int, cause.code, winner));
        cr_assert(eq(str, cause.text, text));
    }
    end_race();
}

// Also who was second polls true when its call has returned.
Test(token, both_of_two_concurrent_cancels_are_seen_when_they_return)
{
    run_race();
    cr_expect(eq(uint, atomic_load(&race.unseen_count), 0));
    end_race();
}

Test(token, fini_accepts_zeroed_memory_and_a_second_call)
{
    tenon_token token = {.name = NULL};

    tenon_token_fini(&token);
    tenon_token_init(&token, NULL);
    tenon_token_cancel(&token, 1, "stop");
    tenon_token_fini(&token);
    tenon_token_fini(&token);
}

Test(token, linked_one_is_set_by_any_of_its_parents)
{
    enum { COUNT = 5 };
    tenon_cause cause;

    for (int i = 0; i < COUNT; i++) {
        tenon_token tokens[COUNT];
        tenon_token_link parents[COUNT];
        tenon_token linked;
        tenon_token below;

        for (int k = 0; k < COUNT; k++) {
            tenon_token_init(&tokens[k], NULL);
            parents[k].parent = &tokens[k];
        }
        tenon_token_init_linked(&linked, parents, COUNT);
        tenon_token_init(&below, &linked);
        cr_assert(not(tenon_token_cancelled(&below)));
        tenon_token_cancel(&tokens[i], 40 + i, "that one");
        cr_assert(tenon_token_cancelled(&below));
        cr_assert(tenon_token_cause(&linked, &cause));
        cr_assert(eq(int, (int)cause.source, (int)TENON_CAUSE_PARENT));
        cr_assert(eq(int, cause.code, 40 + i));
        for (int k = 0; k < COUNT; k++) {
            cr_assert(eq(int, tenon_token_cancelled(&tokens[k]), k == i));
        }
        tenon_token_fini(&below);
        tenon_token_fini(&linked);
        for (int k = 0; k < COUNT; k++) {
            tenon_token_fini(&tokens[k]);
        }
    }
}

Test(token, linked_one_is_born_set_below_a_set_one)
{
    tenon_token set;
    tenon_token unset;
    tenon_token_link parents[] = {{.parent = &unset}, {.parent = &set}};
    tenon_token linked;
    tenon_token unlinked;

    tenon_token_init(&set, NULL);
    tenon_token_init(&unset, NULL);
    tenon_token_cancel(&set, 1, NULL);
    tenon_token_init_linked(&linked, parents, 2);
    cr_expect(tenon_token_cancelled(&linked));
    tenon_token_init_linked(&unlinked, parents, 0);
    cr_expect(not(tenon_token_cancelled(&unlinked)));
    cr_expect(tenon_token_cancel(&unlinked, 1, NULL));
    tenon_token_fini(&unlinked);
    tenon_token_fini(&linked);
    tenon_token_fini(&unset);
    tenon_token_fini(&set);
}

Test(token, linked_one_that_ended_leaves_nothing_at_its_parents)
{
    tenon_token parent;
    tenon_token_link parents[] = {{.parent = &parent}};

    tenon_token_init(&parent, NULL);
    for (int i = 0; i < 1000; i++) {
        tenon_token *linked = malloc(sizeof(*linked));
        cr_assert(ne(ptr, linked, NULL));
        tenon_token_init_linked(linked, parents, 1);
        tenon_token_fini(linked);
        free(linked);
    }
    cr_expect(tenon_token_cancel(&parent, 1, NULL));
    tenon_token_fini(&parent);
}
