// SPDX-License-Identifier: MIT
//
// choice — keeps the path of an execution and walks the tree of all paths.
//
// Source: stateless search by replay, after Godefroid, "Model Checking for
// Programming Languages using VeriSoft" (POPL 1997).
// Invariants: I1 depth <= length <= MC_CHOICES. I2 taken < count. A path read
// from digits has count 0 until an execution reaches the choice.

#include "checker/choice.h"

#include "checker/model.h"
#include "checker/search.h"

#include <string.h>

struct choice {
    uint8_t count;
    uint8_t explored;
    uint8_t taken;
};

static struct choice path[MC_CHOICES];
static int depth;
static int length;

static int retake(struct choice *choice, int count, int explored)
{
    if (choice->count == 0) {
        choice->count = (uint8_t)count;
        choice->explored = (uint8_t)explored;
    }
    if (choice->count != count || choice->taken >= count) {
        mc_fail("the same path led elsewhere: the driver depends on something "
                "that is not part of the model, or the digits on other code");
    }
    return choice->taken;
}

int mc_choice_take(
    enum mc_choice_kind kind, int count, int explored, const int *threads)
{
    if (count <= 1) {
        return 0;
    }
    if (count > MC_CHOICE_COUNT_MAX || depth == MC_CHOICES) {
        mc_fail("too many choices for the checker");
    }
    struct choice *choice = &path[depth++];

    if (depth <= length) {
        return retake(choice, count, explored);
    }
    length = depth;
    choice->count = (uint8_t)count;
    choice->explored = (uint8_t)explored;
    choice->taken = (uint8_t)mc_search_pick(kind, count, threads);
    return choice->taken;
}

void mc_choice_rewind(void)
{
    depth = 0;
}

void mc_choice_clear(void)
{
    depth = 0;
    length = 0;
}

bool mc_choice_next(void)
{
    length = depth;
    while (length > 0 &&
           path[length - 1].taken + 1 >= path[length - 1].explored) {
        length--;
    }
    if (length == 0) {
        return false;
    }
    path[length - 1].taken++;
    return true;
}

bool mc_choice_parse(const char *digits)
{
    static const char all[] = "0123456789abcdefghijklmnopqrstuvwxyz";

    mc_choice_clear();
    for (const char *digit = digits; *digit != '\0'; digit++) {
        const char *found = strchr(all, *digit);

        if (found == NULL || length == MC_CHOICES) {
            return false;
        }
        path[length++] = (struct choice){.taken = (uint8_t)(found - all)};
    }
    return true;
}

void mc_choice_print(char *digits, int size_bytes)
{
    int count = depth < size_bytes - 1 ? depth : size_bytes - 1;

    while (count > 0 && path[count - 1].taken == 0) {
        count--;
    }
    for (int i = 0; i < count; i++) {
        int taken = path[i].taken;

        digits[i] = (char)(taken < 10 ? '0' + taken : 'a' + taken - 10);
    }
    digits[count] = '\0';
}
