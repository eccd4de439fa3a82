// SPDX-License-Identifier: MIT
//
// absent — what the shipped sources refer to, and no scenario may call.
//
// By name alone, so that they depend on nothing; weak, for the drivers that do
// bring what is named here.

#include "checker/model.h"

#define ABSENT(name)                          \
    void name(void);                          \
    __attribute__((weak)) void name(void)     \
    {                                         \
        mc_fail("%s is not modelled", #name); \
    }

ABSENT(tenon_executor_default)
ABSENT(tenon_limiter_fini)
ABSENT(tenon_limiter_init)
ABSENT(tenon_task_id)
ABSENT(tenon_task_name)
ABSENT(tn_crew_leave)
ABSENT(tn_crew_return)
ABSENT(tn_deadline_of)
ABSENT(tn_deadline_set)
ABSENT(tn_deque_pop_last)
ABSENT(tn_error_free_list)
ABSENT(tn_eventfd_add)
ABSENT(tn_failure_gather)
ABSENT(tn_finding_say)
ABSENT(tn_ledger_body_failed)
ABSENT(tn_ledger_callback_failed)
ABSENT(tn_ledger_left_open)
ABSENT(tn_slab_give_cold)
ABSENT(tn_slab_return)
ABSENT(tn_stack_has_left)
ABSENT(tn_task_check_left)
ABSENT(tn_task_descends)
ABSENT(tn_task_drop)
ABSENT(tn_task_end_otherwise)
ABSENT(tn_task_is_late)
ABSENT(tn_task_is_within)
ABSENT(tn_task_run)
ABSENT(tn_timer_disarm)
ABSENT(tn_unobserved_tell)
ABSENT(tn_worker_answer)
ABSENT(tn_worker_block)
ABSENT(tn_worker_requeue)
ABSENT(tn_worker_stand_aside)
ABSENT(tn_worker_tidy)
ABSENT(tn_worker_wait)
