// SPDX-License-Identifier: MIT
//
// invoke — fork the second half of the calls, make the first half.

#include "tenon/invoke.h"

#include "tenon/fork.h"

struct half {
    const tenon_invocation *calls;
    size_t count;  // from 1
};

static tenon_status worse(tenon_status first, tenon_status second)
{
    return first == TENON_OK || (first == TENON_CANCELLED && second != TENON_OK)
               ? second
               : first;
}

static int invoke(tenon_task *self, void *arg)
{
    const struct half *whole = arg;

    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (whole->count == 1) {
        return tenon_fork_join(self, whole->calls->fn, whole->calls->arg);
    }
    struct half first = {whole->calls, whole->count - whole->count / 2};
    struct half second = {
        whole->calls + first.count, whole->count - first.count};
    tenon_task child;

    int64_t place = tenon_fork(self, &child, invoke, &second);
    tenon_status status = invoke(self, &first);
    if (!tenon_unfork(self, &child, place)) {
        return worse(status, tenon_join(self, &child));
    }
    return status == TENON_OK ? invoke(self, &second) : status;
}

tenon_status tenon_invoke(
    tenon_task *self, const tenon_invocation *calls, size_t call_count)
{
    struct half all = {calls, call_count};

    if (calls == NULL && call_count != 0) {
        return TENON_EINVAL;
    }
    for (size_t i = 0; i < call_count; i++) {
        if (calls[i].fn == NULL) {
            return TENON_EINVAL;
        }
    }
    return call_count == 0 ? TENON_OK : invoke(self, &all);
}
