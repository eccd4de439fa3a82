// SPDX-License-Identifier: MIT
//
// ck — the one door to ConcurrencyKit: its calls with the edge they promise,
// stated to ThreadSanitizer.
//
// CK's accesses are inline assembly, which ThreadSanitizer cannot see: without
// the statements below correct programs get reports.

#ifndef TN_SYNC_CK_H
#define TN_SYNC_CK_H

#include <ck_stack.h>

#if defined(__SANITIZE_THREAD__)
#define TN_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TN_TSAN 1
#endif
#endif

#ifdef TN_TSAN
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
void __tsan_acquire(void *object);
void __tsan_release(void *object);

static inline void tn_ck_begin(void)
{
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}

static inline void tn_ck_end(void)
{
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}

#define tn_ck_acquire(object) __tsan_acquire(object)
#define tn_ck_release(object) __tsan_release(object)
#else
#define tn_ck_begin() ((void)0)
#define tn_ck_end() ((void)0)
#define tn_ck_acquire(object) ((void)0)
#define tn_ck_release(object) ((void)0)
#endif

// [any] What this thread wrote before is visible to who takes the entry.
static inline void tn_ck_stack_push(
    struct ck_stack *stack, struct ck_stack_entry *entry)
{
    tn_ck_release(stack);
    tn_ck_begin();
    ck_stack_push_upmc(stack, entry);
    tn_ck_end();
}

// [any] The same for a chain, from `newest` by `next` to `oldest`.
static inline void tn_ck_stack_push_chain(
    struct ck_stack *stack, struct ck_stack_entry *newest,
    struct ck_stack_entry *oldest)
{
    tn_ck_release(stack);
    tn_ck_begin();
    void *head = ck_pr_load_ptr(&stack->head);
    do {
        oldest->next = head;
        ck_pr_fence_store();
    } while (!ck_pr_cas_ptr_value(&stack->head, head, newest, &head));
    tn_ck_end();
}

// [any] Take all entries, newest first, or NULL.
static inline struct ck_stack_entry *tn_ck_stack_take_all(
    struct ck_stack *stack)
{
    tn_ck_begin();
    struct ck_stack_entry *entry = ck_stack_batch_pop_upmc(stack);
    tn_ck_end();
    tn_ck_acquire(stack);
    return entry;
}

// [any] A guess.
static inline bool tn_ck_stack_looks_empty(struct ck_stack *stack)
{
    tn_ck_begin();
    bool is_empty = ck_pr_load_ptr(&stack->head) == NULL;
    tn_ck_end();
    return is_empty;
}

#endif
