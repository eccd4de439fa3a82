// SPDX-License-Identifier: MIT
//
// mixed onetbb — task_arena::enqueue() for both, which comes closest to first
// come, first served. (Short ones in an arena of their own with high priority:
// medians up to twice as long, with 2 workers.)

#include "common/onetbb.hpp"
#include "mixed/mixed.h"

struct round_state {
    tbb::task_arena *arena;
    mixed_wait wait;
};

static void submit_long(round_state *round)
{
    round->arena->enqueue([round] {
        if (mixed_wait_long(&round->wait)) {
            submit_long(round);
        }
    });
}

static void submit_short(void *context, mixed_short *one)
{
    round_state *round = static_cast<round_state *>(context);

    round->arena->enqueue(
        [round, one] { mixed_wait_short(&round->wait, one); });
}

int main(int argc, char **argv)
{
    bench bench;
    mixed mixed;

    mixed_start(&mixed, &bench, "onetbb", argc, argv);
    bench_onetbb_foreign pool(&bench);

    while (bench_again(&bench)) {
        round_state round = {&pool.arena, {}};

        mixed_wait_init(&round.wait, &mixed);
        bench_begin(&bench);
        for (uint64_t i = 0; i < bench.worker_count; i++) {
            submit_long(&round);
        }
        mixed_submit(&mixed, submit_short, &round);
        mixed_wait_end(&round.wait);
        mixed_round_end(&mixed);
    }
    return mixed_end(&mixed);
}
