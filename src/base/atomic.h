// SPDX-License-Identifier: MIT
//
// atomic — every atomic access of the library, its memory order in its name.
//
// C11 <stdatomic.h> inside, so that ThreadSanitizer sees what ships. The model
// checker (tests/model) puts a header of its own in the place of this one and
// compiles the same sources. The list is closed: a new order is a new line
// here.

#ifndef TN_BASE_ATOMIC_H
#define TN_BASE_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

// The distance that keeps two writers out of each other's way.
#define TN_CACHE_LINE 64

// Before the object is shared: no order, no race.
#define tn_atomic_init(p, v) atomic_init((p), (v))

#define tn_load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#define tn_load_acquire(p) atomic_load_explicit((p), memory_order_acquire)

#define tn_store_relaxed(p, v) \
    atomic_store_explicit((p), (v), memory_order_relaxed)
#define tn_store_release(p, v) \
    atomic_store_explicit((p), (v), memory_order_release)

#define tn_exchange_release(p, v) \
    atomic_exchange_explicit((p), (v), memory_order_release)
#define tn_exchange_acquire(p, v) \
    atomic_exchange_explicit((p), (v), memory_order_acquire)
#define tn_exchange_acqrel(p, v) \
    atomic_exchange_explicit((p), (v), memory_order_acq_rel)

// Compare and swap: true if `*p` was `*expected` and is now `v`; otherwise
// `*expected` holds what was there, read with relaxed (cas) or acquire order.
#define tn_cas_relaxed(p, expected, v)       \
    atomic_compare_exchange_strong_explicit( \
        (p), (expected), (v), memory_order_relaxed, memory_order_relaxed)
#define tn_cas_release(p, expected, v)       \
    atomic_compare_exchange_strong_explicit( \
        (p), (expected), (v), memory_order_release, memory_order_relaxed)
#define tn_cas_acquire(p, expected, v)       \
    atomic_compare_exchange_strong_explicit( \
        (p), (expected), (v), memory_order_acquire, memory_order_relaxed)
#define tn_cas_acqrel(p, expected, v)        \
    atomic_compare_exchange_strong_explicit( \
        (p), (expected), (v), memory_order_acq_rel, memory_order_acquire)
#define tn_cas_seqcst(p, expected, v)        \
    atomic_compare_exchange_strong_explicit( \
        (p), (expected), (v), memory_order_seq_cst, memory_order_relaxed)

// Read-modify-write; the old value is the result.
#define tn_add_relaxed(p, v) \
    atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define tn_add_release(p, v) \
    atomic_fetch_add_explicit((p), (v), memory_order_release)
#define tn_add_acqrel(p, v) \
    atomic_fetch_add_explicit((p), (v), memory_order_acq_rel)
#define tn_or_relaxed(p, v) \
    atomic_fetch_or_explicit((p), (v), memory_order_relaxed)
#define tn_sub_relaxed(p, v) \
    atomic_fetch_sub_explicit((p), (v), memory_order_relaxed)
#define tn_sub_release(p, v) \
    atomic_fetch_sub_explicit((p), (v), memory_order_release)

// Store-then-load only; order between other pairs sits on the operation.
#define tn_fence_seqcst() atomic_thread_fence(memory_order_seq_cst)

// Keeps the compiler, not the processor, from moving accesses across.
#define tn_fence_compiler() atomic_signal_fence(memory_order_seq_cst)

// A full fence right after a read-modify-write, which is one itself on x86.
static inline void tn_fence_after_update(void)
{
#if defined(__x86_64__) || defined(__i386__)
    tn_fence_compiler();
#else
    tn_fence_seqcst();
#endif
}

// Tell the processor that this thread only waits.
static inline void tn_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ __volatile__("yield");
#endif
}

#endif
