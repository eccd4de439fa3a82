// SPDX-License-Identifier: MIT
//
// memory tenon — one scope, opened by a task; the executor lives on.

#include "common/tenon.h"
#include "memory/memory.h"

static int run_one(tenon_task *self, void *arg)
{
    (void)self;
    memory_task(arg);
    return TENON_OK;
}

static tenon_status spawn_all(struct memory *memory, uint64_t count)
{
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    if (status != TENON_OK) {
        return status;
    }
    for (uint64_t i = 0; i < count && status == TENON_OK; i++) {
        status = tenon_spawn(&scope, run_one, memory);
    }
    memory_spawned(memory);
    return tenon_scope_join(&scope, status, NULL);
}

static int drive(tenon_task *self, void *arg)
{
    struct memory *memory = arg;

    (void)self;
    tenon_status status = spawn_all(memory, 1000);
    if (status != TENON_OK) {
        return status;
    }
    memory_before(memory);
    status = spawn_all(memory, memory->task_count);
    if (status != TENON_OK) {
        return status;
    }
    memory_after(memory);
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct memory memory;

    memory_start(&memory, &bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &memory);
    return bench_report(&bench);
}
