// SPDX-License-Identifier: MIT
//
// support — options, laws and verdict of the stress programs.

#include "support.h"

#include "watchdog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAW_MAX 32
#define REPORT_MAX 10

struct law {
    const char *name;
    uint64_t broken_count;
};

static const char *program;
static uint64_t seed;
static uint32_t asked_worker_count;
static uint64_t end_ns;

static pthread_mutex_t laws_lock = PTHREAD_MUTEX_INITIALIZER;
static struct law laws[LAW_MAX];  // guarded by laws_lock
static size_t law_count;          // likewise
static _Atomic(uint64_t) broken_count;

// --- Options ---

static uint64_t number_of(const char *option, const char *text)
{
    char *end = NULL;

    errno = 0;
    uint64_t number = strtoull(text == NULL ? "" : text, &end, 0);
    if (text == NULL || end == text || *end != '\0' || errno != 0) {
        stress_die("%s wants a number", option);
    }
    return number;
}

static void read_options(int argc, char **argv, uint64_t *seconds)
{
    for (int i = 1; i < argc; i += 2) {
        const char *option = argv[i];
        uint64_t number = number_of(option, argv[i + 1]);
        if (strcmp(option, "--seed") == 0) {
            seed = number;
        } else if (strcmp(option, "--seconds") == 0) {
            *seconds = number;
        } else if (strcmp(option, "--workers") == 0) {
            asked_worker_count = (uint32_t)number;
        } else {
            stress_die("unknown option %s", option);
        }
    }
}

void stress_begin(int argc, char **argv, const char *name)
{
    uint64_t seconds = 2;

    program = name;
    seed = stress_now_ns() % 1000000007;
    read_options(argc, argv, &seconds);
    end_ns = stress_now_ns() + seconds * UINT64_C(1000000000);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("TAP version 13\n");
    printf(
        "# %s --seed %" PRIu64 " --seconds %" PRIu64 " --workers %" PRIu32 "\n",
        program, seed, seconds, asked_worker_count);
    watchdog_start();
}

bool stress_goes_on(void)
{
    watchdog_step();
    return stress_now_ns() < end_ns && STRESS_READ(broken_count) == 0;
}

uint64_t stress_seed(void)
{
    return seed;
}

uint32_t stress_worker_count(uint32_t count)
{
    return asked_worker_count != 0 ? asked_worker_count : count;
}

void stress_step(void)
{
    watchdog_step();
}

void stress_on_hang(void (*dump)(void))
{
    watchdog_on_hang(dump);
}

void stress_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "%s: ", program == NULL ? "stress" : program);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

// --- Laws ---

static struct law *law_named(const char *name)
{
    for (size_t i = 0; i < law_count; i++) {
        if (strcmp(laws[i].name, name) == 0) {
            return &laws[i];
        }
    }
    if (law_count == LAW_MAX) {
        stress_die("more than %d laws", LAW_MAX);
    }
    laws[law_count].name = name;
    return &laws[law_count++];
}

static void count_law(const char *name, bool holds)
{
    pthread_mutex_lock(&laws_lock);
    struct law *law = law_named(name);
    law->broken_count += !holds;
    pthread_mutex_unlock(&laws_lock);
}

void stress_law(const char *law)
{
    pthread_mutex_lock(&laws_lock);
    law_named(law);
    pthread_mutex_unlock(&laws_lock);
}

bool stress_expect(bool holds, const char *law)
{
    count_law(law, holds);
    if (!holds && STRESS_COUNT(broken_count) < REPORT_MAX) {
        printf("# broken: %s\n", law);
    }
    return holds;
}

bool stress_expect_equal(const char *law, uint64_t found, uint64_t wanted)
{
    if (found != wanted && STRESS_READ(broken_count) < REPORT_MAX) {
        printf("# found %" PRIu64 ", wanted %" PRIu64 "\n", found, wanted);
    }
    return stress_expect(found == wanted, law);
}

void stress_broke(const char *law, const char *format, ...)
{
    va_list args;
    char text[200];

    count_law(law, false);
    if (STRESS_COUNT(broken_count) < REPORT_MAX) {
        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        printf("# broken: %s: %s\n", law, text);
    }
}

void stress_need(
    const char *what, uint64_t part, uint64_t whole, unsigned per_mille)
{
    bool is_enough = part > 0 && part * 1000 >= whole * per_mille;

    printf("# overlap: %s: %" PRIu64 " of %" PRIu64 "\n", what, part, whole);
    if (!is_enough) {
        printf("# tested nothing: fewer than %u in 1000\n", per_mille);
    }
    // A broken law cuts the run short: that is verdict enough.
    if (STRESS_READ(broken_count) == 0) {
        stress_expect(is_enough, "enough overlapped to mean something");
    }
}

static void print_law(size_t number, const struct law *law)
{
    bool holds = law->broken_count == 0;

    printf("%s %zu - %s\n", holds ? "ok" : "not ok", number, law->name);
    if (!holds) {
        printf("# broken %" PRIu64 " times\n", law->broken_count);
    }
}

int stress_end(void)
{
    watchdog_stop();
    printf("1..%zu\n", law_count);
    for (size_t i = 0; i < law_count; i++) {
        print_law(i + 1, &laws[i]);
    }
    if (STRESS_READ(broken_count) != 0) {
        printf("# again: %s --seed %" PRIu64 "\n", program, seed);
        return 1;
    }
    return 0;
}
