// SPDX-License-Identifier: MIT
//
// model — what a driver of the checker may use: programs, checks, plain data.
//
// A driver describes a program (a setup, up to eight threads, a final check)
// and hands it to mc_suite_main() (suite.h). The checker runs it once per
// interleaving; everything here is called from inside such a run.

#ifndef MC_MODEL_H
#define MC_MODEL_H

#include "checker/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mc_thread_spec {
    const char *name;
    void (*body)(const void *arg);
};

struct mc_program {
    const char *name;
    const void *arg;                            // given to every function below
    void (*setup)(const void *arg);             // alone, before the threads
    struct mc_thread_spec threads[MC_THREADS];  // ends at the first NULL body
    void (*check)(const void *arg);             // alone, after the threads
    // All threads that have not ended sleep for ever: is that a right end?
    // NULL: never. A true answer is followed by check().
    bool (*stuck)(const void *arg);
};

// [driver] The run is wrong: stop it and report `format`.
_Noreturn void mc_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

// [driver] The running thread has looked into books that others write, or has
// written what others look into: others can tell that it is here.
void mc_note(void);

// [driver] Fail the run unless `condition` holds; notes that too.
#define mc_check(condition)                                              \
    (mc_note(), (condition)                                              \
                    ? (void)0                                            \
                    : mc_fail(                                           \
                          "%s:%d: not true: %s", mc_file_name(__FILE__), \
                          __LINE__, #condition))

// [driver] A value in [0, count): the search tries them all.
int mc_choose(int count);

// [driver] The place of the running thread in its program, -1 outside of them.
int mc_thread_index(void);

// [driver] How many threads the program has.
int mc_thread_count_all(void);

// [driver] Plain memory that is not atomic: an access that does not happen
// before or after a conflicting one fails the run.
#define mc_plain_read(p) (mc_race_read((p), sizeof(*(p)), #p), *(p))
#define mc_plain_write(p, v) \
    (mc_race_write((p), sizeof(*(p)), #p), (void)(*(p) = (v)))

// [driver] True if the last plain write of `*p` happens before what the running
// thread does now. A question, not an access.
#define mc_knows_write(p) mc_race_knows_write((p))

// [driver] The place, in the modification order of the atomic at `p`, of the
// store that the running thread has read or made last.
int mc_store_index(const volatile void *p);

// [driver] The `age`th newest value that a relaxed load of the atomic at `p`
// could return now. False: it could return no such value.
bool mc_could_read(const volatile void *p, int age, uint64_t *value);

// [driver] What the macros record and ask.
void mc_race_read(const volatile void *p, size_t size_bytes, const char *name);
void mc_race_write(const volatile void *p, size_t size_bytes, const char *name);
bool mc_race_knows_write(const volatile void *p);

// [driver, in setup] Watch locations named by an expression that contains
// `part`: a store must happen after each relaxed load of them that is among its
// causes. Else that load could, on real machines, read the store (README.md).
// Loads before a compare-and-swap that failed do not count.
void mc_watch_reuse(const char *part);

// [driver] `path` from the root of the sources: "sync/deque.c".
const char *mc_file_name(const char *path);

#endif
