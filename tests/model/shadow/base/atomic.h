// SPDX-License-Identifier: MIT
//
// atomic — stands in for src/base/atomic.h: each operation asks the checker.
//
// The same names with the same meaning. The type of a value is that of the
// object without _Atomic, which a comma expression takes away.

#ifndef TN_BASE_ATOMIC_H
#define TN_BASE_ATOMIC_H

#include "checker/op.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TN_CACHE_LINE 64

#define MC_VALUE_OF(p) __typeof__((void)0, *(p))

#define MC_TO_BITS(bits, value)                                              \
    _Static_assert(sizeof(value) <= sizeof(uint64_t), "too wide an atomic"); \
    uint64_t bits = 0;                                                       \
    __builtin_memcpy(&bits, &(value), sizeof(value))

#define MC_INIT(p, v)                                   \
    __extension__({                                     \
        MC_VALUE_OF(p) mc_value = (v);                  \
        MC_TO_BITS(mc_bits, mc_value);                  \
        mc_op_init((p), sizeof(mc_value), mc_bits, #p); \
    })

#define MC_LOAD(name, order, p)                                         \
    __extension__({                                                     \
        MC_SITE(mc_site, MC_OP_LOAD, name, order, MC_RELAXED, #p);      \
        MC_VALUE_OF(p) mc_value;                                        \
        uint64_t mc_bits = mc_op_load(&mc_site, (p), sizeof(mc_value)); \
        __builtin_memcpy(&mc_value, &mc_bits, sizeof(mc_value));        \
        mc_value;                                                       \
    })

#define MC_STORE(name, order, p, v)                                 \
    __extension__({                                                 \
        MC_SITE(mc_site, MC_OP_STORE, name, order, MC_RELAXED, #p); \
        MC_VALUE_OF(p) mc_value = (v);                              \
        MC_TO_BITS(mc_bits, mc_value);                              \
        mc_op_store(&mc_site, (p), sizeof(mc_value), mc_bits);      \
    })

#define MC_UPDATE(name, order, update, p, v)                                \
    __extension__({                                                         \
        MC_SITE(mc_site, MC_OP_UPDATE, name, order, MC_RELAXED, #p);        \
        MC_VALUE_OF(p) mc_value = (v);                                      \
        MC_TO_BITS(mc_bits, mc_value);                                      \
        mc_bits =                                                           \
            mc_op_update(&mc_site, (p), sizeof(mc_value), update, mc_bits); \
        __builtin_memcpy(&mc_value, &mc_bits, sizeof(mc_value));            \
        mc_value;                                                           \
    })

#define MC_CAS(name, order, failure, p, expected, v)                       \
    __extension__({                                                        \
        MC_SITE(mc_site, MC_OP_CAS, name, order, failure, #p);             \
        MC_VALUE_OF(p) *mc_expected = (expected);                          \
        MC_VALUE_OF(p) mc_value = (v);                                     \
        MC_TO_BITS(mc_bits, mc_value);                                     \
        MC_TO_BITS(mc_seen, *mc_expected);                                 \
        bool mc_done =                                                     \
            mc_op_cas(&mc_site, (p), sizeof(mc_value), &mc_seen, mc_bits); \
        if (!mc_done) {                                                    \
            __builtin_memcpy(mc_expected, &mc_seen, sizeof(mc_value));     \
        }                                                                  \
        mc_done;                                                           \
    })

#define tn_atomic_init(p, v) MC_INIT(p, v)

#define tn_load_relaxed(p) MC_LOAD("load_relaxed", MC_RELAXED, p)
#define tn_load_acquire(p) MC_LOAD("load_acquire", MC_ACQUIRE, p)

#define tn_store_relaxed(p, v) MC_STORE("store_relaxed", MC_RELAXED, p, v)
#define tn_store_release(p, v) MC_STORE("store_release", MC_RELEASE, p, v)

#define tn_exchange_release(p, v) \
    MC_UPDATE("exchange_release", MC_RELEASE, MC_EXCHANGE, p, v)
#define tn_exchange_acquire(p, v) \
    MC_UPDATE("exchange_acquire", MC_ACQUIRE, MC_EXCHANGE, p, v)
#define tn_exchange_acqrel(p, v) \
    MC_UPDATE("exchange_acqrel", MC_ACQREL, MC_EXCHANGE, p, v)

#define tn_cas_relaxed(p, expected, v) \
    MC_CAS("cas_relaxed", MC_RELAXED, MC_RELAXED, p, expected, v)
#define tn_cas_release(p, expected, v) \
    MC_CAS("cas_release", MC_RELEASE, MC_RELAXED, p, expected, v)
#define tn_cas_acquire(p, expected, v) \
    MC_CAS("cas_acquire", MC_ACQUIRE, MC_RELAXED, p, expected, v)
#define tn_cas_acqrel(p, expected, v) \
    MC_CAS("cas_acqrel", MC_ACQREL, MC_ACQUIRE, p, expected, v)
#define tn_cas_seqcst(p, expected, v) \
    MC_CAS("cas_seqcst", MC_SEQCST, MC_RELAXED, p, expected, v)

#define tn_add_relaxed(p, v) MC_UPDATE("add_relaxed", MC_RELAXED, MC_ADD, p, v)
#define tn_add_release(p, v) MC_UPDATE("add_release", MC_RELEASE, MC_ADD, p, v)
#define tn_add_acqrel(p, v) MC_UPDATE("add_acqrel", MC_ACQREL, MC_ADD, p, v)
#define tn_sub_relaxed(p, v) MC_UPDATE("sub_relaxed", MC_RELAXED, MC_SUB, p, v)
#define tn_sub_release(p, v) MC_UPDATE("sub_release", MC_RELEASE, MC_SUB, p, v)

#define MC_FENCE_OF(call, op, name, order)                 \
    __extension__({                                        \
        MC_SITE(mc_site, op, name, order, MC_RELAXED, ""); \
        call(&mc_site);                                    \
    })

#define tn_fence_seqcst() \
    MC_FENCE_OF(mc_op_fence, MC_OP_FENCE, "fence_seqcst", MC_SEQCST)

// As on a processor whose read-modify-writes are no fences.
#define tn_fence_after_update() tn_fence_seqcst()

// What the inline calls of tenon/inline.h use instead.
#define TENON_LOAD_RELAXED(p) tn_load_relaxed(p)
#define TENON_STORE_RELAXED(p, v) tn_store_relaxed(p, v)
#define TENON_STORE_RELEASE(p, v) tn_store_release(p, v)
#define TENON_FENCE_LIGHT(is_asymmetric) \
    ((void)(is_asymmetric),              \
     MC_FENCE_OF(                        \
         mc_op_fence_light, MC_OP_FENCE_LIGHT, "fence_light", MC_LIGHT))

// The coroutines share one thread of the machine: nothing to keep apart.
#define tn_fence_compiler() ((void)0)

#define tn_pause() mc_op_pause()

#endif
