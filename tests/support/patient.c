// SPDX-License-Identifier: MIT
//
// patient — attempts with a number each.

#include "patient.h"

#include "must.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

int patient_attempt(tenon_task *self, void *arg)
{
    struct patient *patient = arg;
    unsigned number = atomic_fetch_add(&patient->attempt_count, 1);

    if (number < PATIENT_TIMES) {
        patient->times_ns[number] = tenon_executor_now_ns(NULL);
    }
    return number < patient->fail_count
               ? tenon_fail_in(
                     self, "net", PATIENT_CODE + (int)number, "attempt %u",
                     number + 1)
               : TENON_OK;
}

int patient_try(tenon_task *self, void *arg)
{
    struct patient *patient = arg;
    tenon_task_fn *attempt =
        patient->attempt == NULL ? patient_attempt : patient->attempt;
    int answer = tenon_retry_attempt(
        self, &patient->retry, attempt, patient, patient->options);

    patient->last_answer = answer;
    gate_open(&patient->returned);
    return answer;
}

void patient_note_destroyed(void *arg)
{
    struct patient *patient = arg;

    atomic_fetch_add(&patient->destroyed_count, 1);
}

void patient_note_done(const tenon_completion *completion, void *context)
{
    struct patient *patient = context;

    patient->outcome = completion->outcome;
    patient->status = completion->status;
    atomic_fetch_add(&patient->done_count, 1);
}

void patient_spawn(tenon_scope *scope, struct patient *patient)
{
    must_spawn_with(
        scope, patient_try, patient, PATIENT_OPTIONS(patient, .id = 0));
}

void patient_expect(
    struct patient *patient, tenon_outcome outcome, int status,
    unsigned attempt_count)
{
    cr_expect(eq(int, (int)patient->outcome, (int)outcome));
    cr_expect(eq(int, patient->status, status));
    cr_expect(eq(u32, atomic_load(&patient->attempt_count), attempt_count));
    cr_expect(eq(u32, atomic_load(&patient->done_count), 1));
    cr_expect(eq(u32, atomic_load(&patient->destroyed_count), 1));
}
