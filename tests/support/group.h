// SPDX-License-Identifier: MIT
//
// group — a task that owns a scope with children, and sleeps or joins: the
// shape of most scenarios of asyncio's task groups.
//
// All that waits leaves its core to others: one worker is enough.

#ifndef SUPPORT_GROUP_H
#define SUPPORT_GROUP_H

#include "gate.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <tenon/tenon.h>

// What children and bodies fail with.
enum { GROUP_CODE = 31, GROUP_OTHER_CODE = 32 };

struct group {
    tenon_scope around;  // the main thread's, with the owner in it
    tenon_handle owner;

    // What the owner is to do.
    uint64_t deadline_ns;  // of its scope; of two: of the outer one; 0: none
    tenon_task_fn *child;
    int child_count;
    tenon_task_fn *other;  // further children; of two scopes: in the outer one
    int other_count;
    bool body_sleeps;
    int body_code;  // the body's answer when it is told to stop; 0: the usual
    bool body_is_fatal;    // and that answer is a fatal error
    bool body_ends_child;  // when it is told, it opens `may_end`
    bool handles_inner;    // of two scopes: it reads the errors of the inner
    bool sleeps_after;     // once more, outside of its scope

    struct gate started;  // pushed by whoever begins to sleep or to wait
    struct gate may_end;
    atomic_uint told_count;  // sleeps that a cancel ended

    // What it saw.
    uint64_t read_ns;  // the deadline, from inside
    tenon_status slept;
    tenon_status joined;
    tenon_status outer_joined;
    bool is_still_set;  // after the join
    tenon_report report;
};

// Sleeps until it is told to stop, and says so.
tenon_task_fn group_sleep;

// As group_sleep(), but answers with GROUP_CODE.
tenon_task_fn group_fail_when_told;

// Waits for `may_end`, told to stop or not, then fails with GROUP_CODE.
tenon_task_fn group_fail_at_gate;

// Spawn `count` tasks, as far as it goes.
tenon_status group_spawn(
    tenon_scope *scope, tenon_task_fn *fn, int count, struct group *group);

// The owner: opens a scope, spawns, sleeps if it is to, joins.
tenon_task_fn group_own;

// The same with a scope inside a scope.
tenon_task_fn group_own_two;

// [main] Start the owner and wait until so many have begun.
void group_begin(
    struct group *group, tenon_executor *executor, tenon_task_fn *owner,
    uint32_t started_count);

// [main] Join what is around; expect the owner to have ended so. Without
// `report` what is around keeps none.
void group_end(
    struct group *group, tenon_report *report, tenon_outcome expected);

// [main] Expect so many errors, and the primary one to have this code.
void group_expect_errors(const tenon_report *report, uint64_t count, int code);

// How many errors of the tree have this code.
uint64_t group_count_code(const tenon_report *report, int code);

#endif
