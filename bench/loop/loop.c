// SPDX-License-Identifier: MIT
//
// loop — the bytes, and the turn that every implementation calls.

#include "loop/loop.h"

#include <stdlib.h>
#include <string.h>

void loop_start(
    struct loop *loop, struct bench *bench, const char *implementation,
    int argc, char **argv)
{
    bench_init(bench, "loop", implementation);
    bench->size = LOOP_SIZE_DEFAULT;
    bench->repeat_count = 100;
    bench->warmup_count = 3;
    bench_parse(bench, argc, argv);
    bench->operation_count = bench_size_number(bench, LOOP_SIZE_MAX);
    loop->count = bench->operation_count;
    loop->marks = malloc(loop->count);
    bench_require(bench, loop->marks != NULL, "no memory for the marks");
    memset(loop->marks, 0, loop->count);
}

void loop_turn(uint8_t *marks, size_t i)
{
    marks[i]++;
}

void loop_check(const struct bench *bench, const struct loop *loop)
{
    uint64_t right_count = 0;

    for (size_t i = 0; i < loop->count; i++) {
        right_count += loop->marks[i] == (uint8_t)bench->round;
    }
    bench_check(
        bench, "the number of turns taken once", right_count, loop->count);
}

void loop_end(struct loop *loop)
{
    free(loop->marks);
}
