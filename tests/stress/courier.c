// SPDX-License-Identifier: MIT
//
// courier — a bounded queue of references, and the threads that use them.

#include "courier.h"

#include <semaphore.h>

#define COURIER_MAX 8
#define QUEUE_MAX 64

struct errand {
    tenon_scope_ref ref;
    void *parcel;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct errand queue[QUEUE_MAX];  // guarded by lock
static size_t queue_size;               // likewise
static sem_t errands;
static _Atomic(bool) is_over;
static pthread_t threads[COURIER_MAX];
static uint32_t thread_count;
static courier_deliver_fn *deliver_fn;

static bool next_errand(struct errand *errand)
{
    pthread_mutex_lock(&lock);
    bool has_one = queue_size > 0;
    if (has_one) {
        *errand = queue[0];
        queue_size--;
        for (size_t i = 0; i < queue_size; i++) {
            queue[i] = queue[i + 1];
        }
    }
    pthread_mutex_unlock(&lock);
    return has_one;
}

static void *thread_main(void *number)
{
    struct stress_random random =
        stress_random_make(1000 + (uint64_t)(uintptr_t)number);
    struct errand errand;

    for (;;) {
        while (sem_wait(&errands) != 0) {
        }
        if (next_errand(&errand)) {
            stress_perturb(&random);
            deliver_fn(&errand.ref, errand.parcel, &random);
            stress_perturb(&random);
            tenon_scope_release(&errand.ref);
        } else if (atomic_load(&is_over)) {
            return NULL;
        }
    }
}

void courier_start(uint32_t count, courier_deliver_fn *deliver)
{
    deliver_fn = deliver;
    thread_count = count;
    sem_init(&errands, 0, 0);
    for (uint32_t i = 0; i < count; i++) {
        threads[i] = stress_thread_start(thread_main, (void *)(uintptr_t)i);
    }
}

void courier_stop(void)
{
    atomic_store(&is_over, true);
    for (uint32_t i = 0; i < thread_count; i++) {
        sem_post(&errands);
    }
    for (uint32_t i = 0; i < thread_count; i++) {
        stress_thread_join(threads[i]);
    }
    sem_destroy(&errands);
}

static bool enqueue(const struct errand *errand)
{
    pthread_mutex_lock(&lock);
    bool has_room = queue_size < QUEUE_MAX;
    if (has_room) {
        queue[queue_size++] = *errand;
    }
    pthread_mutex_unlock(&lock);
    return has_room;
}

bool courier_send(tenon_scope *scope, void *parcel)
{
    struct errand errand = {.parcel = parcel};

    if (tenon_scope_acquire(scope, &errand.ref) != TENON_OK) {
        return false;
    }
    if (!enqueue(&errand)) {
        tenon_scope_release(&errand.ref);
        return false;
    }
    sem_post(&errands);
    return true;
}

tenon_executor *courier_executor(uint32_t worker_count, uint32_t spare_count)
{
    tenon_executor *executor = NULL;
    tenon_status status = tenon_executor_create(
        &executor,
        TENON_EXECUTOR_OPTIONS(
                .worker_count = worker_count, .spare_count = spare_count));

    if (status != TENON_OK) {
        stress_die("no executor: %s", tenon_status_name(status));
    }
    return executor;
}

void courier_executor_end(tenon_executor *executor)
{
    tenon_executor_info info = {.struct_size = sizeof(info)};
    tenon_status status = tenon_executor_info_get(executor, &info);

    if (status != TENON_OK || info.scope_count != 0) {
        stress_broke("no scope is left open", "%u are", info.scope_count);
    }
    status = tenon_executor_destroy(executor);
    if (status != TENON_OK) {
        stress_broke(
            "an idle executor ends", "it said %s", tenon_status_name(status));
    }
}
