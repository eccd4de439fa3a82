// SPDX-License-Identifier: MIT
//
// hydra — scopes whose members spawn without end, until somebody cancels.
//
// Used by cancel.c. Members and couriers are here; an outer scope and a
// free-standing token may be above an inner scope.

#ifndef TESTS_STRESS_HYDRA_H
#define TESTS_STRESS_HYDRA_H

#include "courier.h"
#include "report.h"

// Who cancels explicitly says his number as the code.
enum {
    HYDRA_BY_MEMBER = 1,
    HYDRA_BY_COURIER,
    HYDRA_BY_MAIN,
    HYDRA_BY_RIVAL,
    HYDRA_BY_COUNT
};

// Whose cancels of one token returned true.
struct hydra_wins {
    _Atomic(uint32_t) counts[HYDRA_BY_COUNT];
    _Atomic(bool) has_returned;  // a cancel of it, or of something above
};

// A scope owned by a task.
struct hydra {
    tenon_scope scope;
    struct report_tally tally;
    tenon_report report;
    tenon_status status;
    struct hydra_wins wins;
    uint64_t stream;
    uint64_t timeout_ns;
    bool has_token;
    _Atomic(uint64_t) made_count;  // arguments
    _Atomic(uint64_t) destroyed_count;
};

extern tenon_scope hydra_outer;
extern struct hydra_wins hydra_outer_wins;
extern tenon_token hydra_token;  // free-standing
extern struct hydra_wins hydra_token_wins;

// [main] Name the laws that are checked here.
void hydra_laws(void);

// [main] The outer scope and the token are about to be made anew.
void hydra_reset(uint64_t first_stream);

// [task] Own the inner scope that `arg` is, from open to join.
int hydra_own(tenon_task *self, void *arg);

// [courier] Spawn, and maybe cancel.
courier_deliver_fn hydra_deliver;

// [any] Has a cancel of it returned?
bool hydra_has_returned(struct hydra_wins *wins);

// [any] Cancel as `who`. True: it was the first.
bool hydra_cancel(tenon_scope *scope, struct hydra_wins *wins, int who);

// [any]
void hydra_cancel_token(int who);

#endif
