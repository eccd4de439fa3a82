// SPDX-License-Identifier: MIT
//
// bench — arguments in, repetitions timed, one line of JSON out.
//
// Roles:   one driver at a time; rounds may move from thread to thread if the
//          moves are ordered (the root task of a pool drives the loop).
// Memory:  the samples, from the first one recorded until the report.

#include "common/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXIT_WRONG = 1, EXIT_USAGE = 2 };

struct argument {
    const char *name;
    uint64_t *value;  // NULL: the workload does not take it
    uint64_t min;
};

uint64_t bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

double bench_memory_mib(const struct bench *bench, const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    uint64_t kib = 0;

    bench_require(bench, file != NULL, "cannot read /proc/self/status");
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            sscanf(line + strlen(name), ": %" SCNu64, &kib);
        }
    }
    fclose(file);
    bench_require(bench, kib != 0, "/proc/self/status lacks a line");
    return (double)kib / 1024;
}

void bench_set_defaults(struct bench *bench)
{
    *bench = (struct bench){
        .version = "",
        .unit = "ns",
        .worker_count = 1,
        .repeat_count = 5,
        .warmup_count = 1,
        .pause_ns = BENCH_NO_PAUSE,
    };
}

void bench_usage(const struct bench *bench, const char *problem)
{
    fprintf(
        stderr,
        "%s-%s: %s\n"
        "options: --workers N --repeat R --warmup W --size X%s%s\n",
        bench->workload, bench->implementation, problem,
        bench->submitter_count != 0 ? " --submitters S" : "",
        bench->pause_ns != BENCH_NO_PAUSE ? " --pause-ns P" : "");
    exit(EXIT_USAGE);
}

static bool parse_number(const char *text, uint64_t *value)
{
    char *end;

    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    *value = strtoull(text, &end, 10);
    return *end == '\0';
}

static void parse_argument(
    struct bench *bench, const struct argument *arguments, size_t count,
    const char *name, const char *text)
{
    uint64_t value;

    for (size_t i = 0; i < count; i++) {
        if (arguments[i].value == NULL || strcmp(arguments[i].name, name)) {
            continue;
        }
        if (!parse_number(text, &value) || value < arguments[i].min) {
            bench_usage(bench, "a number is too small or none");
        }
        *arguments[i].value = value;
        return;
    }
    bench_usage(bench, "unknown option");
}

void bench_parse(struct bench *bench, int argc, char **argv)
{
    const struct argument arguments[] = {
        {"--workers", &bench->worker_count, 1},
        {"--repeat", &bench->repeat_count, 1},
        {"--warmup", &bench->warmup_count, 0},
        {"--submitters",
         bench->submitter_count != 0 ? &bench->submitter_count : NULL, 1},
        {"--pause-ns",
         bench->pause_ns != BENCH_NO_PAUSE ? &bench->pause_ns : NULL, 0},
    };
    const size_t count = sizeof(arguments) / sizeof(arguments[0]);

    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) {
            bench_usage(bench, "an option lacks its value");
        }
        if (strcmp(argv[i], "--size") == 0) {
            bench->size = argv[i + 1];
        } else {
            parse_argument(bench, arguments, count, argv[i], argv[i + 1]);
        }
    }
}

uint64_t bench_size_number(const struct bench *bench, uint64_t max)
{
    uint64_t size;

    if (!parse_number(bench->size, &size) || size == 0 || size > max) {
        bench_usage(bench, "the size is out of range");
    }
    return size;
}

bool bench_again(struct bench *bench)
{
    bench->round++;
    return bench->round <= bench->warmup_count + bench->repeat_count;
}

bool bench_is_first(const struct bench *bench)
{
    return bench->round == 1 && bench->warmup_count > 0;
}

void bench_begin(struct bench *bench)
{
    bench->begin_cpu_ns = bench_cpu_ns();
    bench->begin_ns = bench_now_ns();
}

void bench_end(struct bench *bench)
{
    uint64_t end_ns = bench_now_ns();
    uint64_t end_cpu_ns = bench_cpu_ns();

    bench_record(
        bench, (double)(end_ns - bench->begin_ns),
        (double)(end_cpu_ns - bench->begin_cpu_ns));
}

void bench_record(struct bench *bench, double value, double cpu_ns)
{
    if (bench->round <= bench->warmup_count) {
        return;
    }
    if (bench->sample_count == bench->sample_capacity) {
        bench->sample_capacity = 2 * bench->sample_capacity + 16;
        bench->samples = realloc(
            bench->samples, bench->sample_capacity * sizeof(*bench->samples));
        bench_require(bench, bench->samples != NULL, "no memory for samples");
    }
    bench->samples[bench->sample_count] =
        (struct bench_sample){.value = value, .cpu_ns = cpu_ns};
    bench->sample_count++;
}

void bench_count(struct bench *bench, const char *name, double value)
{
    bench_require(
        bench, bench->counter_count < BENCH_COUNTERS_MAX, "too many counters");
    bench->counters[bench->counter_count] =
        (struct bench_counter){.name = name, .value = value};
    bench->counter_count++;
}

void bench_check(
    const struct bench *bench, const char *what, uint64_t got, uint64_t want)
{
    if (got != want) {
        fprintf(
            stderr,
            "%s-%s: wrong answer: %s is %" PRIu64 ", should be %" PRIu64 "\n",
            bench->workload, bench->implementation, what, got, want);
        exit(EXIT_WRONG);
    }
}

void bench_require(const struct bench *bench, bool ok, const char *what)
{
    if (!ok) {
        fprintf(
            stderr, "%s-%s: %s\n", bench->workload, bench->implementation,
            what);
        exit(EXIT_WRONG);
    }
}

void *bench_new_array(const struct bench *bench, size_t count, size_t size)
{
    size_t size_bytes = (count * size + 63) / 64 * 64;
    void *array = aligned_alloc(64, size_bytes);

    bench_require(bench, array != NULL, "no memory for an array");
    memset(array, 0, size_bytes);
    return array;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

// Sorts.
static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void print_string(const char *name, const char *value)
{
    printf("\"%s\": \"", name);
    for (; *value != '\0'; value++) {
        if ((unsigned char)*value < ' ') {
            putchar(' ');
            continue;
        }
        if (*value == '"' || *value == '\\') {
            putchar('\\');
        }
        putchar(*value);
    }
    printf("\", ");
}

static void print_times(const struct bench *bench)
{
    size_t count = bench->sample_count;
    double *values = calloc(count, sizeof(*values));

    bench_require(bench, values != NULL, "no memory for the report");
    for (size_t i = 0; i < count; i++) {
        values[i] = bench->samples[i].cpu_ns;
    }
    printf("\"cpu_ns\": %.17g, ", median(values, count));
    for (size_t i = 0; i < count; i++) {
        values[i] = bench->samples[i].value;
    }
    printf("\"median\": %.17g, ", median(values, count));
    printf("\"min\": %.17g, \"max\": %.17g, ", values[0], values[count - 1]);
    free(values);
}

static void print_arguments(const struct bench *bench)
{
    printf("\"workers\": %" PRIu64 ", ", bench->worker_count);
    if (bench->submitter_count != 0) {
        printf("\"submitters\": %" PRIu64 ", ", bench->submitter_count);
    }
    if (bench->pause_ns != BENCH_NO_PAUSE) {
        printf("\"pause_ns\": %" PRIu64 ", ", bench->pause_ns);
    }
}

int bench_report(struct bench *bench)
{
    bench_require(bench, bench->sample_count > 0, "nothing was measured");
    printf("{");
    print_string("workload", bench->workload);
    print_string("implementation", bench->implementation);
    print_string("version", bench->version);
    print_string("compiler", bench->compiler);
    print_string("size", bench->size);
    print_string("unit", bench->unit);
    print_arguments(bench);
    print_times(bench);
    for (size_t i = 0; i < bench->counter_count; i++) {
        const struct bench_counter *counter = &bench->counters[i];

        printf("\"%s\": %.17g, ", counter->name, counter->value);
    }
    // Not from the parent's wait4(): the kernel counts in there what the process
    // had resident before exec, which is a copy of the parent.
    printf("\"peak_rss_mib\": %.17g, ", bench_memory_mib(bench, "VmHWM"));
    printf("\"operations\": %" PRIu64 ", ", bench->operation_count);
    printf("\"repetitions\": %zu}\n", bench->sample_count);
    free(bench->samples);
    bench->samples = NULL;
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_WRONG;
}
