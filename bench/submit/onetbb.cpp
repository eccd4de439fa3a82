// SPDX-License-Identifier: MIT
//
// submit onetbb — task_arena::enqueue(), a counter of tasks left, an event: a
// fifth faster than deferred tasks of a task_group.

#include "common/onetbb.hpp"
#include "common/event.h"
#include "submit/submit.h"

struct round_state {
    tbb::task_arena *arena;
    uint64_t left_count;
    bench_event done;
};

// Ordering:
//   E1 done  sub left_count -> the sub that reaches 0  (all that ran)
static void count_down(round_state *round)
{
    uint64_t left_count =
        __atomic_sub_fetch(&round->left_count, 1, __ATOMIC_ACQ_REL);  // E1

    if (left_count == 0) {
        bench_event_set(&round->done);
    }
}

static void submit_share(void *context, uint64_t, uint64_t count)
{
    round_state *round = static_cast<round_state *>(context);

    for (uint64_t i = 0; i < count; i++) {
        round->arena->enqueue([round] { count_down(round); });
    }
}

int main(int argc, char **argv)
{
    bench bench;
    uint64_t n = submit_start(&bench, "onetbb", argc, argv);
    bench_onetbb_foreign pool(&bench);

    while (bench_again(&bench)) {
        round_state round = {&pool.arena, n, {0}};

        bench_begin(&bench);
        submit_all(&bench, submit_share, &round);
        bench_event_wait(&round.done);  // returns only if every task counted
        bench_end(&bench);
        submit_check(&bench, n - round.left_count);
    }
    return bench_report(&bench);
}
