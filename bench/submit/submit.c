// SPDX-License-Identifier: MIT
//
// submit — the threads that submit.

#include "submit/submit.h"

#include <pthread.h>

struct submitter {
    submit_fn *fn;
    void *context;
    uint64_t index;
    uint64_t count;
    pthread_t thread;
};

uint64_t submit_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    bench_init(bench, "submit", implementation);
    bench->size = SUBMIT_SIZE_DEFAULT;
    bench->submitter_count = 1;
    bench_parse(bench, argc, argv);
    if (bench->submitter_count > SUBMIT_SUBMITTERS_MAX) {
        bench_usage(bench, "too many submitters");
    }
    bench->operation_count = bench_size_number(bench, SUBMIT_SIZE_MAX);
    return bench->operation_count;
}

static void *submitter_main(void *arg)
{
    struct submitter *submitter = arg;

    submitter->fn(submitter->context, submitter->index, submitter->count);
    return NULL;
}

void submit_all(const struct bench *bench, submit_fn *fn, void *context)
{
    struct submitter submitters[SUBMIT_SUBMITTERS_MAX];
    uint64_t left = bench->operation_count;

    for (uint64_t i = 0; i < bench->submitter_count; i++) {
        uint64_t share = left / (bench->submitter_count - i);

        submitters[i] = (struct submitter){
            .fn = fn, .context = context, .index = i, .count = share};
        int error = pthread_create(
            &submitters[i].thread, NULL, submitter_main, &submitters[i]);
        bench_require(bench, error == 0, "cannot start a thread");
        left -= share;
    }
    for (uint64_t i = 0; i < bench->submitter_count; i++) {
        pthread_join(submitters[i].thread, NULL);
    }
}

void submit_check(const struct bench *bench, uint64_t ran_count)
{
    if (bench_is_first(bench)) {
        bench_check(
            bench, "the number of tasks run", ran_count,
            bench->operation_count);
    }
}
