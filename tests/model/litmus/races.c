// SPDX-License-Identifier: MIT
//
// races — plain memory, first values, and memory that was given back.

#include "litmus/litmus.h"

#include <stdlib.h>

struct box {
    int content;
    _Atomic(int) state;
};

static _Atomic(struct box *) published;

THREAD(write_plain_release)
{
    mc_plain_write(&plain, 1);
    tn_store_release(&x, 1);
}

THREAD(write_plain_relaxed)
{
    mc_plain_write(&plain, 1);
    tn_store_relaxed(&x, 1);
}

THREAD(read_plain_acquire)
{
    if (tn_load_acquire(&x) == 1) {
        r[0] = mc_plain_read(&plain);
    }
}

THREAD(read_plain_relaxed)
{
    if (tn_load_relaxed(&x) == 1) {
        r[0] = mc_plain_read(&plain);
    }
}

THREAD(write_plain)
{
    mc_plain_write(&plain, 2);
}

THREAD(read_plain_only)
{
    r[0] = mc_plain_read(&plain);
}

THREAD(read_then_release)
{
    (void)mc_plain_read(&plain);
    tn_store_release(&x, 1);
}

THREAD(acquire_then_write)
{
    if (tn_load_acquire(&x) == 1) {
        mc_plain_write(&plain, 1);
    }
}

THREAD(write_after_release)
{
    tn_store_release(&x, 1);
    mc_plain_write(&plain, 1);
}

static struct box *create_box(void)
{
    struct box *box = malloc(sizeof(*box));

    mc_plain_write(&box->content, 1);
    tn_atomic_init(&box->state, 1);
    return box;
}

THREAD(publish_box_release)
{
    tn_store_release(&published, create_box());
}

THREAD(publish_box_relaxed)
{
    tn_store_relaxed(&published, create_box());
}

THREAD(use_box)
{
    struct box *box = tn_load_acquire(&published);

    if (box != NULL) {
        r[0] = tn_load_relaxed(&box->state);
    }
}

THREAD(publish_and_free)
{
    struct box *box = create_box();

    tn_store_release(&published, box);
    while (tn_load_acquire(&x) == 0) {
        tn_pause();
    }
    free(box);
}

THREAD(use_box_and_leave)
{
    struct box *box = tn_load_acquire(&published);

    if (box != NULL) {
        r[0] = tn_load_relaxed(&box->state);
    }
    tn_store_release(&x, 1);
}

THREAD(use_box_and_leave_relaxed)
{
    struct box *box = tn_load_acquire(&published);

    if (box != NULL) {
        r[0] = tn_load_relaxed(&box->state);
    }
    tn_store_relaxed(&x, 1);
}

THREAD(leave_and_use_box)
{
    struct box *box = tn_load_acquire(&published);

    tn_store_release(&x, 1);
    if (box != NULL) {
        r[0] = tn_load_relaxed(&box->state);
    }
}

const struct litmus litmus_races[] = {
    {.name = "published_plain_memory_is_no_race",
     .bodies = {write_plain_release, read_plain_acquire},
     .register_count = 1,
     .expected = "0 1"},
    {.name = "plain_memory_behind_a_relaxed_store_is_a_race",
     .bodies = {write_plain_relaxed, read_plain_acquire},
     .expected_failure = "data race"},
    {.name = "plain_memory_behind_a_relaxed_load_is_a_race",
     .bodies = {write_plain_release, read_plain_relaxed},
     .expected_failure = "data race"},
    {.name = "two_writers_are_a_race",
     .bodies = {write_plain, write_plain},
     .expected_failure = "data race"},
    {.name = "two_readers_are_no_race",
     .bodies = {read_plain_only, read_plain_only},
     .register_count = 1,
     .expected = "0"},
    {.name = "write_after_a_published_read_is_no_race",
     .bodies = {read_then_release, acquire_then_write},
     .register_count = 1,
     .expected = "0"},
    {.name = "write_after_the_release_is_a_race",
     .bodies = {write_after_release, read_plain_acquire},
     .expected_failure = "data race"},
    {.name = "published_object_is_usable",
     .bodies = {publish_box_release, use_box},
     .register_count = 1,
     .expected = "0 1"},
    {.name = "unpublished_first_value_is_a_race",
     .bodies = {publish_box_relaxed, use_box},
     .expected_failure = "never published"},
    {.name = "free_after_the_last_use_is_right",
     .bodies = {publish_and_free, use_box_and_leave},
     .register_count = 1,
     .expected = "0 1"},
    {.name = "free_without_knowing_the_last_use_is_caught",
     .bodies = {publish_and_free, use_box_and_leave_relaxed},
     .expected_failure = "freed while in use"},
    {.name = "use_after_free_is_caught",
     .bodies = {publish_and_free, leave_and_use_box},
     .expected_failure = "free"},
    {.name = NULL},
};
