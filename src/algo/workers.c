// SPDX-License-Identifier: MIT
//
// workers — those of the executor that was named, is current, or is made now.

#include "algo/workers.h"

#include "tenon/scope.h"
#include "tenon/task.h"

tenon_status tn_workers_count(tenon_executor *executor, uint32_t *count)
{
    tenon_executor_info info = {.struct_size = sizeof(info)};
    tenon_task *current = tenon_current();
    tenon_status status = TENON_OK;

    if (executor == NULL && current != NULL) {
        executor = tenon_scope_executor(tenon_task_scope(current));
    }
    if (executor == NULL) {
        status = tenon_executor_default(&executor);
    }
    if (status == TENON_OK) {
        status = tenon_executor_info_get(executor, &info);
    }
    *count = info.worker_count == 0 ? 1 : info.worker_count;
    return status;
}
