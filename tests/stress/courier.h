// SPDX-License-Identifier: MIT
//
// courier — foreign threads that use scope references which others send them.
//
// Also an executor made and ended with the checks that every program wants.

#ifndef TESTS_STRESS_COURIER_H
#define TESTS_STRESS_COURIER_H

#include "support.h"

#include <tenon/tenon.h>

// What a courier does with a reference; it is released afterwards.
typedef void courier_deliver_fn(
    tenon_scope_ref *ref, void *parcel, struct stress_random *random);

// [main] Start `count` threads, at most 8.
void courier_start(uint32_t count, courier_deliver_fn *deliver);

// [main] All sent references are released when this returns.
void courier_stop(void);

// [any] Send a new reference to `scope`, which the caller may acquire. False:
// the couriers have too much to do, or no reference was to be had.
bool courier_send(tenon_scope *scope, void *parcel);

// [any] An executor, or die.
tenon_executor *courier_executor(uint32_t worker_count, uint32_t spare_count);

// [any] Destroy it; it must have neither open scopes nor objections.
void courier_executor_end(tenon_executor *executor);

#endif
