// SPDX-License-Identifier: MIT
//
// watchdog — a thread that counts steps; see watchdog.h.

#include "watchdog.h"

#include "support.h"

#include <dirent.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_NS UINT64_C(20000000000)
#define PERIOD_NS 100000000L

static _Atomic(uint64_t) step_count;
static _Atomic(void (*)(void)) dump_program;
static sem_t has_ended;
static pthread_t thread;

void watchdog_step(void)
{
    STRESS_COUNT(step_count);
}

void watchdog_on_hang(void (*dump)(void))
{
    atomic_store(&dump_program, dump);
}

static void print_file(const char *task, const char *name)
{
    char path[320];
    char text[128] = "?";

    snprintf(path, sizeof(path), "/proc/self/task/%s/%s", task, name);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fgets(text, sizeof(text), file) == NULL) {
            strcpy(text, "?");
        }
        fclose(file);
    }
    text[strcspn(text, "\n")] = '\0';
    fprintf(stderr, " %s=%s", name, text);
}

// Calls `each` (or nothing, for NULL) for every thread; their number.
static uint32_t walk_threads(void (*each)(const char *task))
{
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry = NULL;
    uint32_t count = 0;

    if (folder == NULL) {
        return 0;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        count++;
        if (each != NULL) {
            each(entry->d_name);
        }
    }
    closedir(folder);
    return count;
}

static void print_thread(const char *task)
{
    fprintf(stderr, "#   thread %s", task);
    print_file(task, "comm");
    print_file(task, "wchan");
    print_file(task, "syscall");
    fputc('\n', stderr);
}

uint32_t watchdog_thread_count(void)
{
    return walk_threads(NULL);
}

static void give_up(uint64_t steps)
{
    void (*dump)(void) = atomic_load(&dump_program);

    fprintf(
        stderr,
        "# hangs: no step after the first %" PRIu64 ", seed %" PRIu64 "\n",
        steps, stress_seed());
    if (dump != NULL) {
        dump();
    }
    walk_threads(print_thread);
    fflush(NULL);
    abort();
}

static bool ends_soon(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += PERIOD_NS;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    return sem_timedwait(&has_ended, &until) == 0;
}

static void *watch(void *unused)
{
    uint64_t seen_count = 0;
    uint64_t since_ns = stress_now_ns();

    (void)unused;
    while (!ends_soon()) {
        uint64_t count = STRESS_READ(step_count);
        if (count != seen_count) {
            seen_count = count;
            since_ns = stress_now_ns();
        } else if (stress_now_ns() - since_ns > PATIENCE_NS) {
            give_up(count);
        }
    }
    return NULL;
}

void watchdog_start(void)
{
    sem_init(&has_ended, 0, 0);
    thread = stress_thread_start(watch, NULL);
}

void watchdog_stop(void)
{
    sem_post(&has_ended);
    stress_thread_join(thread);
    sem_destroy(&has_ended);
}
