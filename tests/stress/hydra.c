// SPDX-License-Identifier: MIT
//
// hydra — members that spawn without end; see hydra.h.

#include "hydra.h"

#include <stdlib.h>
#include <string.h>

#define LAW_TWICE "no argument is destroyed twice"
#define LAW_POLL "after a cancel has returned, a poll is true"
#define LAW_REFUSED "after a cancel has returned, a spawn is refused"
#define LAW_FIRST "after a cancel has returned, another one is not the first"
#define LAW_LATE "a joined scope cannot be cancelled"

struct argument {
    struct hydra *inner;
    uint64_t stream;
    bool is_alive;
};

tenon_scope hydra_outer;
struct hydra_wins hydra_outer_wins;
tenon_token hydra_token;
struct hydra_wins hydra_token_wins;

static _Atomic(uint64_t) next_stream;

void hydra_laws(void)
{
    stress_law(LAW_TWICE);
    stress_law(LAW_POLL);
    stress_law(LAW_REFUSED);
    stress_law(LAW_FIRST);
    stress_law(LAW_LATE);
}

void hydra_reset(uint64_t first_stream)
{
    memset(&hydra_outer_wins, 0, sizeof(hydra_outer_wins));
    memset(&hydra_token_wins, 0, sizeof(hydra_token_wins));
    atomic_store(&next_stream, first_stream);
}

// --- Cancelling ---

static void note_return(struct hydra_wins *wins)
{
    atomic_store_explicit(&wins->has_returned, true, memory_order_release);
}

bool hydra_has_returned(struct hydra_wins *wins)
{
    return atomic_load_explicit(&wins->has_returned, memory_order_acquire);
}

bool hydra_cancel(tenon_scope *scope, struct hydra_wins *wins, int who)
{
    bool is_first = tenon_scope_cancel(scope, who, "cancel by %d", who);

    if (is_first) {
        STRESS_COUNT(wins->counts[who]);
    }
    note_return(wins);
    return is_first;
}

void hydra_cancel_token(int who)
{
    if (tenon_token_cancel(&hydra_token, who, "token cancelled by %d", who)) {
        STRESS_COUNT(hydra_token_wins.counts[who]);
    }
    note_return(&hydra_token_wins);
}

static bool must_be_cancelled(struct hydra *inner)
{
    return hydra_has_returned(&inner->wins) ||
           hydra_has_returned(&hydra_outer_wins) ||
           (inner->has_token && hydra_has_returned(&hydra_token_wins));
}

static void cancel_inner(struct hydra *inner, int who)
{
    bool is_late = must_be_cancelled(inner);

    if (hydra_cancel(&inner->scope, &inner->wins, who) && is_late) {
        stress_broke(LAW_FIRST, "it was");
    }
}

// --- Members ---

static void destroy(void *arg)
{
    struct argument *argument = arg;

    if (!argument->is_alive) {
        stress_broke(LAW_TWICE, "it was");
    }
    argument->is_alive = false;
    STRESS_COUNT(argument->inner->destroyed_count);
    free(argument);
}

static int run_member(tenon_task *self, void *arg);

static struct argument *make_argument(struct hydra *inner)
{
    struct argument *argument = stress_alloc(1, sizeof(*argument));

    argument->inner = inner;
    argument->stream = STRESS_COUNT(next_stream);
    argument->is_alive = true;
    STRESS_COUNT(inner->made_count);
    return argument;
}

static void spawn_one(struct hydra *inner, tenon_scope_ref *ref)
{
    struct argument *argument = make_argument(inner);
    bool must_refuse = must_be_cancelled(inner);
    const tenon_task_options *options =
        TENON_TASK_OPTIONS(.name = "member", .destroy_arg = destroy);
    tenon_status status =
        ref != NULL
            ? tenon_ref_spawn(ref, run_member, argument, options)
            : tenon_spawn_with(&inner->scope, run_member, argument, options);

    report_count_spawn(&inner->tally, status);
    if (must_refuse && status == TENON_OK) {
        stress_broke(LAW_REFUSED, "it was admitted");
    }
}

static int work(tenon_task *self, struct hydra *inner, uint64_t stream)
{
    struct stress_random random = stress_random_make(stream);

    for (uint32_t turn = stress_below(&random, 4);; turn++) {
        bool must_see = must_be_cancelled(inner);
        bool is_cancelled = tenon_cancelled(self);
        if (must_see && !is_cancelled) {
            stress_broke(LAW_POLL, "it was false");
        }
        if (is_cancelled && stress_chance(&random, 2)) {
            return stress_chance(&random, 8) ? TENON_OK : TENON_CANCELLED;
        }
        spawn_one(inner, NULL);
        stress_perturb(&random);
        if (stress_chance(&random, 2000)) {
            cancel_inner(inner, HYDRA_BY_MEMBER);
        }
        if (stress_chance(&random, 3000)) {
            return 77;
        }
        if (turn >= 4) {
            return TENON_OK;
        }
    }
}

static int run_member(tenon_task *self, void *arg)
{
    struct argument *argument = arg;
    struct hydra *inner = argument->inner;
    int status = work(self, inner, argument->stream);

    report_count_end(&inner->tally, status, false);
    return status;
}

// --- Owners of inner scopes ---

int hydra_own(tenon_task *self, void *arg)
{
    struct hydra *inner = arg;
    struct stress_random random = stress_random_make(inner->stream);
    tenon_status status = tenon_scope_open(
        &inner->scope,
        TENON_SCOPE_OPTIONS(
                .name = "inner", .timeout_ns = inner->timeout_ns,
                .policy = inner->tally.policy,
                .max_errors = inner->tally.max_errors,
                .parent = inner->has_token ? &hydra_token : NULL));

    if (status != TENON_OK) {
        stress_die("no inner scope: %s", tenon_status_name(status));
    }
    for (uint32_t i = 0; i < 4; i++) {
        spawn_one(inner, NULL);
        stress_perturb(&random);
    }
    courier_send(&inner->scope, inner);
    int body = stress_chance(&random, 8) ? 88 : TENON_OK;
    inner->tally.body_failed_count = body != TENON_OK;
    inner->status = tenon_scope_join(&inner->scope, body, &inner->report);
    if (tenon_scope_cancel(&inner->scope, 0, NULL)) {
        stress_broke(LAW_LATE, "it was");
    }
    return tenon_cancelled(self) ? TENON_CANCELLED : TENON_OK;
}

void hydra_deliver(
    tenon_scope_ref *ref, void *parcel, struct stress_random *random)
{
    struct hydra *inner = parcel;

    for (uint32_t count = stress_below(random, 20); count > 0; count--) {
        spawn_one(inner, ref);
        stress_perturb(random);
    }
    if (stress_chance(random, 3)) {
        stress_spin_ns(stress_below(random, 300000));
        cancel_inner(inner, HYDRA_BY_COURIER);
        spawn_one(inner, ref);
    }
}
