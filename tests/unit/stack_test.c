// SPDX-License-Identifier: MIT
//
// stack_test — which places are in frames that have returned.

#include "base/platform.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

TestSuite(stack, .timeout = 20);

// A number: the compiler would warn of the address of what has gone.
static __attribute__((noinline)) uintptr_t place_of_callee(void)
{
    return (uintptr_t)__builtin_frame_address(0);
}

static __attribute__((noinline)) bool has_left(uintptr_t place)
{
    return tn_stack_has_left((const void *)place, __builtin_frame_address(0));
}

Test(stack, frame_that_has_returned_is_left)
{
    cr_expect(has_left(place_of_callee() - 64));
}

Test(stack, own_frame_is_not_left)
{
    char own = 0;

    cr_expect(not(has_left((uintptr_t)__builtin_frame_address(0))));
    cr_expect(not(has_left((uintptr_t)&own)));
}

Test(stack, heap_and_statics_are_not_left)
{
    static char fixed;
    char *block = malloc(64);

    cr_expect(not(has_left((uintptr_t)block)));
    cr_expect(not(has_left((uintptr_t)&fixed)));
    free(block);
}

#define STACK_BYTES ((size_t)1024 * 1024)

struct look {
    char *low;
    bool is_lowest_left;
    bool is_below_left;
    bool is_other_left;
};

static void *look_around(void *arg)
{
    struct look *look = arg;

    look->is_lowest_left = has_left((uintptr_t)look->low);
    look->is_below_left = has_left((uintptr_t)look->low - 1);
    const char *other = look->low + STACK_BYTES;  // a coroutine's
    look->is_other_left = tn_stack_has_left(other, other + STACK_BYTES / 2);
    return NULL;
}

Test(stack, what_lies_below_a_stack_or_on_another_is_not_left)
{
    char *block = aligned_alloc(4096, 3 * STACK_BYTES);
    struct look look = {
        .low = block + STACK_BYTES,
        .is_below_left = true,
        .is_other_left = true};
    pthread_attr_t attr;
    pthread_t thread;

    cr_assert(ne(ptr, block, NULL));
    cr_assert(eq(int, pthread_attr_init(&attr), 0));
    cr_assert(eq(int, pthread_attr_setstack(&attr, look.low, STACK_BYTES), 0));
    cr_assert(eq(int, pthread_create(&thread, &attr, look_around, &look), 0));
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    cr_expect(look.is_lowest_left);
    cr_expect(not(look.is_below_left));
    cr_expect(not(look.is_other_left));
    pthread_attr_destroy(&attr);
    free(block);
}
