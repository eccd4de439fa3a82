// SPDX-License-Identifier: MIT
//
// fence — chooses between membarrier and plain fences, once for the process.

#include "base/fence.h"

#include "base/check.h"
#include "base/platform.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

bool tn_fence_is_asymmetric;

static pthread_once_t setup_once = PTHREAD_ONCE_INIT;

static void setup(void)
{
    const char *choice = getenv("TENON_FENCE");

    if (choice != NULL && strcmp(choice, "portable") == 0) {
        return;
    }
    tn_fence_is_asymmetric = tn_membarrier_register();
}

void tn_fence_setup(void)
{
    pthread_once(&setup_once, setup);
}

void tn_fence_heavy(void)
{
    if (!tn_fence_is_asymmetric) {
        tn_fence_seqcst();
        return;
    }
    // The light side has no fence of its own: there is nothing to fall back to.
    tn_require(tn_membarrier(), "membarrier was granted, then refused");
}
