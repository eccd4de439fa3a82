// SPDX-License-Identifier: MIT
//
// cancel onetbb — a task_group, cancel, wait. It does not say how many tasks
// it has dropped: in the first round their closures count themselves.

#include "common/onetbb.hpp"
#include "cancel/cancel.h"

#include <oneapi/tbb/task_group.h>

struct round_state {
    uint64_t begun_count;
    uint64_t live_count;  // of closures
};

static void poll_until_cancelled(round_state *round)
{
    cancel_begun(&round->begun_count);
    while (!tbb::is_current_task_group_canceling()) {
    }
}

// A closure that is counted from its birth to its end.
class counted_poll
{
  public:
    explicit counted_poll(round_state *round) : round_(round)
    {
        count(1);
    }

    counted_poll(const counted_poll &other) : round_(other.round_)
    {
        count(1);
    }

    ~counted_poll()
    {
        count(-1);
    }

    void operator()() const
    {
        poll_until_cancelled(round_);
    }

  private:
    void count(int difference)
    {
        // relaxed: the wait orders it before the check
        __atomic_fetch_add(&round_->live_count, difference, __ATOMIC_RELAXED);
    }

    round_state *round_;
};

static void fill(
    bench *bench, tbb::task_group &group, uint64_t n, round_state *round)
{
    for (uint64_t i = 0; i < n; i++) {
        if (bench_is_first(bench)) {
            group.run(counted_poll(round));
        } else {
            group.run([round] { poll_until_cancelled(round); });
        }
    }
}

static void drive(bench *bench, uint64_t n)
{
    while (bench_again(bench)) {
        tbb::task_group group;
        round_state round = {0, 0};

        fill(bench, group, n, &round);
        bench_begin(bench);
        group.cancel();
        bool is_cancelled = group.wait() == tbb::canceled;
        bench_end(bench);
        bench_require(bench, is_cancelled, "wrong answer: not cancelled");
        cancel_check(
            bench, n, round.begun_count,
            n - round.begun_count - round.live_count);
    }
}

int main(int argc, char **argv)
{
    bench bench;
    uint64_t n = cancel_start(&bench, "onetbb", argc, argv);

    bench_onetbb_run(&bench, [&bench, n] { drive(&bench, n); });
    return bench_report(&bench);
}
