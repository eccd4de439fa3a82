// SPDX-License-Identifier: MIT
//
// search — exhaustive within bounds, by lot, by priorities, or one path again.
//
// Source: PCT after Burckhardt, Kothari, Musuvathi and Nagarakatte, "A
// Randomized Scheduler with Probabilistic Guarantees of Finding Bugs" (ASPLOS
// 2010); a failed search is repeated as a replay of the path that failed.

#include "checker/search.h"

#include "checker/execution.h"
#include "checker/random.h"
#include "checker/trace.h"

#include <string.h>
#include <time.h>

#define PCT_CHANGES 8

static const struct mc_search *current;
static uint64_t random_state;
static int old_count;
static int step_estimate;  // of one execution, for PCT

static int priorities[MC_THREADS];
static int change_steps[PCT_CHANGES];
static int next_low_priority;

struct mc_search mc_search_within(
    int preemption_bound, int stale_bound, int spurious_bound)
{
    return (struct mc_search){
        .preemption_bound = preemption_bound,
        .stale_bound = stale_bound,
        .spurious_bound = spurious_bound,
        .timeout_bound = 1,
        .step_limit = 1000,
        .pct_depth = 4,
        .seed = 1,
    };
}

struct mc_search mc_search_by_lot(enum mc_strategy strategy, long run_limit)
{
    struct mc_search search = mc_search_within(MC_UNBOUNDED, MC_UNBOUNDED, 1);

    search.strategy = strategy;
    search.step_limit = 5000;
    search.run_limit = run_limit;
    return search;
}

const char *mc_search_fences_name(enum mc_fences fences)
{
    static const char *const names[] = {"paired", "all", "portable"};

    return names[fences];
}

const char *mc_search_strategy_name(enum mc_strategy strategy)
{
    static const char *const names[] = {
        "exhaustive", "random", "pct", "replay"};

    return names[strategy];
}

const struct mc_search *mc_search_current(void)
{
    return current;
}

static int random_below(int count)
{
    return mc_random_below(&random_state, count);
}

static int pick_by_priority(int count, const int *threads)
{
    int best = 0;

    for (int i = 0; i < current->pct_depth - 1 && i < PCT_CHANGES; i++) {
        if (change_steps[i] == mc_schedule_steps()) {
            // The leader falls behind all others.
            change_steps[i] = -1;
            priorities[threads[0]] = next_low_priority--;
        }
    }
    for (int i = 1; i < count; i++) {
        if (priorities[threads[i]] > priorities[threads[best]]) {
            best = i;
        }
    }
    return best;
}

int mc_search_pick(enum mc_choice_kind kind, int count, const int *threads)
{
    if (current->strategy == MC_EXHAUSTIVE || current->strategy == MC_REPLAY) {
        return 0;
    }
    if (kind == MC_CHOICE_STORE && random_below(2) == 0) {
        return 0;
    }
    if (kind == MC_CHOICE_THREAD && current->strategy == MC_PCT) {
        return pick_by_priority(count, threads);
    }
    return random_below(count);
}

bool mc_search_may_read_old(void)
{
    return current->stale_bound < 0 || old_count < current->stale_bound;
}

void mc_search_count_old(void)
{
    old_count++;
}

static void begin_run(long run)
{
    old_count = 0;
    if (current->strategy == MC_RANDOM || current->strategy == MC_PCT) {
        mc_choice_clear();
        random_state = current->seed + (uint64_t)run;
    }
    if (current->strategy != MC_PCT) {
        return;
    }
    next_low_priority = -1;
    for (int i = 0; i < MC_THREADS; i++) {
        int other = random_below(i + 1);
        priorities[i] = priorities[other];
        priorities[other] = i;
    }
    for (int i = 0; i < PCT_CHANGES; i++) {
        change_steps[i] = 1 + random_below(step_estimate);
    }
}

static bool is_over(struct mc_result *result)
{
    switch (current->strategy) {
    case MC_REPLAY:
        return true;
    case MC_EXHAUSTIVE:
        if (!mc_choice_next()) {
            result->is_complete = true;
            return true;
        }
        break;
    case MC_RANDOM:
    case MC_PCT:
        break;
    }
    return current->run_limit > 0 && result->run_count >= current->run_limit;
}

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void note_failure(struct mc_result *result)
{
    result->has_failed = true;
    result->seed = current->seed + (uint64_t)(result->run_count - 1);
    strncpy(
        result->message, mc_execution_message(), sizeof(result->message) - 1);
    mc_choice_print(result->digits, sizeof(result->digits));
}

void mc_search_run(
    const struct mc_program *program, const struct mc_search *search,
    struct mc_result *result)
{
    double begin = now_seconds();

    memset(result, 0, sizeof(*result));
    current = search;
    step_estimate = 50;
    mc_choice_clear();
    if (search->strategy == MC_REPLAY && !mc_choice_parse(search->digits)) {
        strcpy(result->message, "the path to replay is not made of digits");
        result->has_failed = true;
        return;
    }
    do {
        begin_run(result->run_count);
        enum mc_ending ending = mc_execution_run(program);

        result->run_count++;
        result->cut_count += ending == MC_ENDING_CUT ? 1 : 0;
        if (mc_schedule_steps() > result->step_count_max) {
            result->step_count_max = mc_schedule_steps();
        }
        if (ending == MC_ENDING_FAILED) {
            note_failure(result);
            break;
        }
    } while (!is_over(result));
    result->seconds = now_seconds() - begin;
}
