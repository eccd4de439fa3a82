// SPDX-License-Identifier: MIT
//
// patient — a task that tries again what fails a few times, and notes when.

#ifndef SUPPORT_PATIENT_H
#define SUPPORT_PATIENT_H

#include "gate.h"

#include <stdatomic.h>
#include <stdint.h>
#include <tenon/retry.h>
#include <tenon/scope.h>

// The first attempt fails with this, each further one with one more.
enum { PATIENT_CODE = 31, PATIENT_TIMES = 16 };

// Again at once, or as soon as a clock can tell.
#define PATIENT_AT_ONCE                                  \
    .first_delay_ns = 1, .max_delay_ns = 1, .factor = 1, \
    .jitter_percent = TENON_NO_JITTER

// So late that no test sees it.
#define PATIENT_NEVER                       \
    .first_delay_ns = TENON_SECONDS(36000), \
    .max_delay_ns = TENON_SECONDS(36000), .jitter_percent = TENON_NO_JITTER

// Zeroed but for the first three.
struct patient {
    const tenon_retry_options *options;
    unsigned fail_count;     // so many attempts fail; then one succeeds
    tenon_task_fn *attempt;  // instead of that; NULL: that

    tenon_retry retry;
    struct gate returned;  // pushed after each attempt, when it waits or not
    struct gate started;   // for attempts of the test's
    int last_answer;
    atomic_uint attempt_count;
    uint64_t times_ns[PATIENT_TIMES];  // of the first attempts
    atomic_uint destroyed_count;
    atomic_uint done_count;
    tenon_outcome outcome;  // as the done callback was told
    int status;             // likewise
};

// The task; its argument is a struct patient.
tenon_task_fn patient_try;

// One attempt.
tenon_task_fn patient_attempt;

// To be told of the end.
tenon_destroy_fn patient_note_destroyed;
tenon_done_fn patient_note_done;

// Options of a task that is a patient: all of the above.
#define PATIENT_OPTIONS(patient, ...)                                   \
    TENON_TASK_OPTIONS(                                                 \
            .destroy_arg = patient_note_destroyed,                      \
            .on_done = patient_note_done, .on_done_context = (patient), \
            __VA_ARGS__)

// [main] Spawn one with all that.
void patient_spawn(tenon_scope *scope, struct patient *patient);

// [main] Expect it to have ended so, once, after so many attempts.
void patient_expect(
    struct patient *patient, tenon_outcome outcome, int status,
    unsigned attempt_count);

#endif
