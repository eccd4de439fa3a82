// SPDX-License-Identifier: MIT
//
// callback — registered, taken out, cancelled and ended by many threads at
// once.
//
// In each round a few threads share a small tree of tokens, one of them linked
// to two roots. Each thread registers a callback somewhere, in its frame, and
// takes it out again, or puts it into a token of its own that it ends with the
// callback inside. Meanwhile they cancel, one token after the other. And they
// meet: one offers a token with callbacks, another cancels it, and the first
// takes them out as they run, or they take themselves out.
//
// Laws: a callback runs once at most; not after it was taken out or its token
// ended; taking out says truly whether it ran; one whose token is set has run.

#include "support.h"

#include <sched.h>
#include <string.h>
#include <tenon/tenon.h>

#define LAW_ONCE "a callback runs once at most"
#define LAW_AFTER "no callback runs after it was taken out"
#define LAW_TRUE "taking out says whether it ran"
#define LAW_ALL "who is below a set token, and nobody else, has run in the end"
#define LAW_RAN "a callback below a set token has run when it is registered"

enum { THREAD_COUNT = 4, TOKEN_COUNT = 6, TURN_COUNT = 60 };

struct item {
    tenon_callback callback;
    const void *owner;
    bool goes;  // takes itself out as it runs
    _Atomic(uint32_t) run_count;
    _Atomic(bool) is_running;
    _Atomic(bool) is_out;
};

// A token that somebody else shall cancel, in a frame.
struct meeting {
    tenon_token token;
    struct item items[2];
    _Atomic(bool) is_over;
};

static _Atomic(struct meeting *) offered;  // or NULL
static tenon_token tokens[TOKEN_COUNT];
static tenon_token_link links[2];
static struct item watchers[TOKEN_COUNT];  // stay in all the round
static _Atomic(uint64_t) ran_count;
static _Atomic(uint64_t) elsewhere_count;
static _Atomic(uint64_t) item_count;
static _Atomic(uint64_t) ended_count;
static _Atomic(uint64_t) meeting_count;  // with another thread
static _Atomic(uint64_t) met_count;      // taken out as it ran
static _Atomic(uint64_t) gone_count;     // took itself out
static uint64_t round_number;

// Its memory is its own again, though it runs.
static void go(struct item *item)
{
    if (tenon_callback_unregister(&item->callback)) {
        stress_broke(LAW_TRUE, "it runs");
    }
    atomic_store(&item->is_out, true);
    memset(&item->callback, 0xa5, sizeof(item->callback));
    STRESS_COUNT(gone_count);
}

static int run_item(void *context, const tenon_cause *cause)
{
    struct item *item = context;

    if (atomic_load(&item->is_out) || cause->source == TENON_CAUSE_NONE) {
        stress_broke(LAW_AFTER, "source %d", (int)cause->source);
    }
    atomic_store(&item->is_running, true);
    if (atomic_fetch_add(&item->run_count, 1) > 0) {
        stress_broke(LAW_ONCE, "again");
    }
    STRESS_COUNT(ran_count);
    if (item->owner != stress_thread()) {
        STRESS_COUNT(elsewhere_count);
        stress_spin_ns(1000);
        sched_yield();
        stress_spin_ns(1000);
    }
    if (item->goes) {
        go(item);
    }
    atomic_store(&item->is_running, false);
    return 0;
}

static void begin_item(struct item *item, tenon_token *token, bool goes)
{
    memset(item, 0, sizeof(*item));
    item->owner = stress_thread();
    item->goes = goes;
    STRESS_COUNT(item_count);
    bool was_set = tenon_token_cancelled(token);
    tenon_callback_register(&item->callback, token, run_item, item);
    if (was_set && atomic_load(&item->run_count) == 0) {
        stress_broke(LAW_RAN, "it has not");
    }
}

// It has been taken out, or its token has ended.
static void end_item(struct item *item)
{
    atomic_store(&item->is_out, true);
    if (atomic_load(&item->is_running)) {
        stress_broke(LAW_AFTER, "still running");
    }
    memset(&item->callback, 0xa5, sizeof(item->callback));
}

static void take_out(struct item *item)
{
    bool was_running = atomic_load(&item->is_running);
    bool never_ran = tenon_callback_unregister(&item->callback);

    atomic_fetch_add(&met_count, was_running);
    if (never_ran != (atomic_load(&item->run_count) == 0)) {
        stress_broke(LAW_TRUE, "never_ran %d", never_ran);
    }
    end_item(item);
}

static void register_and_take_out(
    tenon_token *token, struct stress_random *random)
{
    struct item items[2];

    begin_item(&items[0], token, false);
    begin_item(&items[1], token, false);
    stress_perturb(random);
    take_out(&items[0]);
    take_out(&items[1]);
}

static void register_and_end_token(
    tenon_token *parent, struct stress_random *random)
{
    tenon_token own;
    struct item items[2];

    tenon_token_init(&own, parent);
    begin_item(&items[0], &own, false);
    begin_item(&items[1], &own, false);
    stress_perturb(random);
    if (stress_chance(random, 4)) {
        tenon_token_cancel(&own, 1, "own");
    }
    tenon_token_fini(&own);
    memset(&own, 0xa5, sizeof(own));
    end_item(&items[0]);
    end_item(&items[1]);
    STRESS_COUNT(ended_count);
}

// Cancel what somebody offers.
static void answer(struct stress_random *random)
{
    struct meeting *meeting = atomic_exchange(&offered, NULL);

    if (meeting != NULL) {
        STRESS_COUNT(meeting_count);
        stress_perturb(random);
        tenon_token_cancel(&meeting->token, 3, "offered");
        atomic_store(&meeting->is_over, true);
    }
}

static bool has_come(struct meeting *meeting)
{
    return atomic_load(&meeting->items[0].is_running) ||
           atomic_load(&meeting->items[1].is_running) ||
           atomic_load(&meeting->is_over);
}

// Nobody else uses the token any more.
static void withdraw(struct meeting *meeting)
{
    struct meeting *mine = meeting;

    if (atomic_compare_exchange_strong(&offered, &mine, NULL)) {
        return;
    }
    while (!atomic_load(&meeting->is_over)) {
        sched_yield();
    }
}

// One that took itself out may go on after its token has ended.
static void wait_for_gone(struct item *item)
{
    while (atomic_load(&item->is_running)) {
        sched_yield();
    }
}

static void meet(tenon_token *parent, struct stress_random *random)
{
    struct meeting meeting = {.is_over = false};
    struct meeting *nobody = NULL;
    bool goes = stress_chance(random, 4);
    uint64_t until_ns = stress_now_ns() + 20000;

    tenon_token_init(&meeting.token, parent);
    begin_item(&meeting.items[0], &meeting.token, goes);
    begin_item(&meeting.items[1], &meeting.token, goes);
    bool is_offered =
        atomic_compare_exchange_strong(&offered, &nobody, &meeting);
    while (is_offered && !has_come(&meeting) && stress_now_ns() < until_ns) {
        sched_yield();
    }
    for (int i = 0; i < 2 && !goes; i++) {
        take_out(&meeting.items[i]);
    }
    if (is_offered) {
        withdraw(&meeting);
    }
    tenon_token_fini(&meeting.token);
    for (int i = 0; i < 2 && goes; i++) {
        wait_for_gone(&meeting.items[i]);
        end_item(&meeting.items[i]);
    }
}

static void *thread_main(void *arg)
{
    struct stress_random random = stress_random_make(*(uint64_t *)arg);

    for (int i = 0; i < TURN_COUNT; i++) {
        tenon_token *token = &tokens[stress_below(&random, TOKEN_COUNT)];
        answer(&random);
        switch (stress_below(&random, 5)) {
        case 0:
            meet(stress_chance(&random, 2) ? token : NULL, &random);
            break;
        case 1:
        case 2:
            register_and_take_out(token, &random);
            break;
        default:
            register_and_end_token(token, &random);
            break;
        }
        if (stress_chance(&random, TURN_COUNT)) {
            tenon_token_cancel(
                &tokens[stress_below(&random, TOKEN_COUNT)], 2, "shared");
        }
    }
    return NULL;
}

static void judge_watcher(int i)
{
    bool is_set = tenon_token_cancelled(&tokens[i]);

    stress_expect_equal(
        LAW_ALL, atomic_load(&watchers[i].run_count), is_set ? 1 : 0);
}

// Two roots; a child of each; one linked to both; one below that.
static void make_tokens(void)
{
    tenon_token_init(&tokens[0], NULL);
    tenon_token_init(&tokens[1], NULL);
    tenon_token_init(&tokens[2], &tokens[0]);
    tenon_token_init(&tokens[3], &tokens[1]);
    links[0].parent = &tokens[0];
    links[1].parent = &tokens[3];
    tenon_token_init_linked(&tokens[4], links, 2);
    tenon_token_init(&tokens[5], &tokens[4]);
}

static void play_round(void)
{
    pthread_t threads[THREAD_COUNT];
    uint64_t streams[THREAD_COUNT];

    make_tokens();
    for (int i = 0; i < TOKEN_COUNT; i++) {
        begin_item(&watchers[i], &tokens[i], false);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        streams[i] = ++round_number;
        threads[i] = stress_thread_start(thread_main, &streams[i]);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        stress_thread_join(threads[i]);
    }
    for (int i = TOKEN_COUNT - 1; i >= 0; i--) {
        judge_watcher(i);
        tenon_token_fini(&tokens[i]);
    }
    stress_step();
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "callback");
    stress_law(LAW_ONCE);
    stress_law(LAW_AFTER);
    stress_law(LAW_TRUE);
    stress_law(LAW_RAN);
    while (stress_goes_on()) {
        play_round();
    }
    stress_need(
        "callbacks run", STRESS_READ(ran_count), STRESS_READ(item_count), 100);
    stress_need(
        "callbacks run by another thread", STRESS_READ(elsewhere_count),
        STRESS_READ(ran_count), 1);
    stress_need(
        "taken out as they ran", STRESS_READ(met_count),
        STRESS_READ(meeting_count), 20);
    stress_need(
        "took themselves out", STRESS_READ(gone_count), STRESS_READ(item_count),
        5);
    stress_need(
        "tokens end with callbacks", STRESS_READ(ended_count),
        STRESS_READ(item_count), 100);
    return stress_end();
}
