// SPDX-License-Identifier: MIT
//
// op — what the stand-in headers may use: the operations a thread performs.
//
// Every call is made from one place in the source, its site. The site carries
// the memory order, so that a mutant can weaken one place and nothing else.

#ifndef MC_OP_H
#define MC_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bits: an order is as strong as the union of what it does.
enum mc_order {
    MC_RELAXED = 0,
    MC_ACQUIRE = 1,
    MC_RELEASE = 2,
    MC_ACQREL = MC_ACQUIRE | MC_RELEASE,
    MC_SC_BIT = 4,
    MC_SEQCST = MC_ACQREL | MC_SC_BIT,
    MC_LIGHT = 8,      // the frequent side of base/fence.h
    MC_HEAVY = 16,     // and the rare one
    MC_NO_FENCE = 32,  // of a fence that a mutant has taken away
};

enum mc_op {
    MC_OP_LOAD,
    MC_OP_STORE,
    MC_OP_UPDATE,  // read-modify-write that always writes
    MC_OP_CAS,
    MC_OP_FENCE,
    MC_OP_FENCE_LIGHT,
    MC_OP_FENCE_HEAVY,
    MC_OP_FUTEX_WAIT,
    MC_OP_FUTEX_WAKE,
};

struct mc_site {
    const char *file;
    int line;
    const char *name;    // of the operation, as in the source
    const char *object;  // the expression of the location
    const char *function;
    uint8_t op;       // enum mc_op
    uint8_t order;    // enum mc_order; may be weakened by a mutant
    uint8_t failure;  // order of a compare-and-swap that fails
    bool was_reached;
};

// Declare the site `site` and put it on the list of all sites of the program.
#define MC_SITE(site, op_, name_, order_, failure_, object_) \
    static struct mc_site site = {                           \
        .file = __FILE__,                                    \
        .line = __LINE__,                                    \
        .name = name_,                                       \
        .object = object_,                                   \
        .function = __func__,                                \
        .op = op_,                                           \
        .order = order_,                                     \
        .failure = failure_,                                 \
    };                                                       \
    static struct mc_site *site##entry                       \
        __attribute__((section("mc_sites"), used)) = &site

enum mc_update {
    MC_EXCHANGE,
    MC_ADD,
    MC_SUB,
    MC_AND,
    MC_OR,
    MC_XOR,
};

// [thread] `*address`, of `size` bytes, before it is shared.
void mc_op_init(
    const volatile void *address, unsigned size, uint64_t value,
    const char *object);

// [thread] Scheduling points, each one atomic step.
uint64_t mc_op_load(
    struct mc_site *site, const volatile void *address, unsigned size);
void mc_op_store(
    struct mc_site *site, const volatile void *address, unsigned size,
    uint64_t value);
uint64_t mc_op_update(
    struct mc_site *site, const volatile void *address, unsigned size,
    enum mc_update update, uint64_t operand);
bool mc_op_cas(
    struct mc_site *site, const volatile void *address, unsigned size,
    uint64_t *expected, uint64_t desired);
void mc_op_fence(struct mc_site *site);
void mc_op_fence_light(struct mc_site *site);
void mc_op_fence_heavy(struct mc_site *site);

// [thread] A futex of 32 bits. Any finite deadline may pass at any time.
void mc_op_futex_wait(
    struct mc_site *site, const volatile void *word, uint32_t expected,
    bool is_forever);
void mc_op_futex_wake(
    struct mc_site *site, const volatile void *word, int count);

// [thread] The system takes the memory away: it reads as zero, sooner or later.
void mc_op_discard(const volatile void *begin, size_t size_bytes);

// [thread] This thread only waits: run the others first.
void mc_op_pause(void);

#endif
