// SPDX-License-Identifier: MIT
//
// token — one word per token, one epoch per process.
//
// A cancel sets one word and bumps the process's epoch; it touches nothing
// below. A token remembers the epoch at which it and everything above it was
// last seen unset. While the epoch has not moved since, a poll is a compare;
// when it has, the poll walks up until it meets a set token, one that was seen
// clean at this epoch, or the root. A token that is set from above keeps that
// as its cause, so that it has one for ever.
//
// Between the two steps of a cancel a poll may see it or not. A walk that does
// see it takes the second step itself before it says so: what one poll has
// seen, no later one denies.
//
// Shape:    the word `cause` is 0 (unset), or by its two lowest bits
//           00 a record, allocated by cancel and freed by fini;
//           01 source << 2 and code << 32, where there was no memory;
//           10 the token further up whose cause it is (PARENT).
// Roles:    any thread polls and cancels.
// Progress: cancel is lock-free, a poll wait-free in the depth of the tree.
// Memory:   what is above outlives what is below.
// Invariants:
//   I1 a word once not 0 never becomes 0, nor another token's
//   I2 clean_epoch == e: when some thread had seen epoch e, the token and all
//      above it were unset
//   I3 whoever has been told that a token is set has seen an epoch that is
//      younger than the cause
// Ordering:
//   E1 cause   set: cas-release cause -> poll: load-acquire cause (the record)
//   E2 epoch   set: cas cause, then add-acqrel epoch -> poll: load-acquire
//              epoch, then the walk (who has seen the epoch sees the word)
//   E3 announced  announce: add epoch, then store-release is_announced ->
//              announce: load-acquire is_announced (who need not add sees the
//              epoch of who did); a latched word (E1) carries it on

#include "scope/token.h"

#include "base/clock.h"
#include "scope/callback.h"
#include "scope/deadline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG_RECORD = 0, TAG_INLINE = 1, TAG_PARENT = 2, TAG_MASK = 3 };

struct tenon_epoch tenon_cancel_epoch = {.value = 1};
_Static_assert(
    sizeof(tenon_cancel_epoch) == TN_CACHE_LINE, "nothing else is in its line");

void tn_token_link(
    tenon_token *token, tenon_token_link *links, uint32_t link_count)
{
    token->links = links;
    token->link_count = link_count;
    // relaxed: it is not shared yet. The links may be set: I2.
    tn_store_relaxed(&token->clean_epoch, 0);
}

// The second step of a cancel, taken by whoever comes first: I3.
static void announce(tenon_token *origin)
{
    if (tn_load_acquire(&origin->is_announced) == 0) {  // E3
        tn_add_acqrel(&tenon_cancel_epoch.value, 1);    // E2
        tn_store_release(&origin->is_announced, 1);     // E3
    }
}

// The token whose own cause a set one shows: itself, or one further up.
static tenon_token *origin_of(tenon_token *token, uintptr_t word)
{
    return (word & TAG_MASK) == TAG_PARENT
               ? (tenon_token *)(word & ~(uintptr_t)TAG_MASK)
               : token;
}

// Remember in every token from `token` up to `end` that `origin` set it.
static void latch(
    tenon_token *token, const tenon_token *end, tenon_token *origin)
{
    announce(origin);
    for (; token != end; token = token->up.parent) {
        uintptr_t unset = 0;
        // A failure means that it has a cause already: I1.
        tn_cas_release(
            &token->cause, &unset, (uintptr_t)origin | TAG_PARENT);  // E1
    }
}

static void mark_clean(tenon_token *token, tenon_token *end, uint64_t epoch)
{
    for (; token != end; token = token->up.parent) {
        // relaxed: I2 holds for whoever has seen the epoch.
        tn_store_relaxed(&token->clean_epoch, epoch);
    }
}

// One of the links of `at` that is set, or NULL.
static tenon_token *set_link(const tenon_token *at, uint64_t epoch)
{
    for (uint32_t i = 0; i < at->link_count; i++) {
        if (tn_token_is_set(at->links[i].parent, epoch)) {
            return at->links[i].parent;
        }
    }
    return NULL;
}

bool tn_token_is_set(tenon_token *token, uint64_t epoch)
{
    tenon_token *at = token;

    for (; at != NULL; at = at->up.parent) {
        uintptr_t word = tn_load_acquire(&at->cause);  // E1
        if (word != 0) {
            latch(token, at, origin_of(at, word));
            return true;
        }
        tenon_token *link = set_link(at, epoch);
        if (link != NULL) {
            word = tn_load_acquire(&link->cause);  // E1
            latch(token, at->up.parent, origin_of(link, word));
            return true;
        }
        // relaxed: I2.
        if (tn_load_relaxed(&at->clean_epoch) == epoch) {
            break;
        }
    }
    mark_clean(token, at, epoch);
    return false;
}

static uintptr_t word_of(const tenon_cause *cause)
{
    tenon_cause *record = malloc(sizeof(*record));

    if (record == NULL) {
        return (uintptr_t)(uint32_t)cause->code << 32 |
               (uintptr_t)cause->source << 2 | TAG_INLINE;
    }
    *record = *cause;
    return (uintptr_t)record;
}

static void free_word(uintptr_t word)
{
    if (word != 0 && (word & TAG_MASK) == TAG_RECORD) {
        free((void *)word);
    }
}

bool tn_token_mark(tenon_token *token, const tenon_cause *cause)
{
    if (tn_token_is_set(token, tn_cancel_epoch())) {
        return false;
    }
    uintptr_t word = word_of(cause);
    uintptr_t unset = 0;
    if (!tn_cas_release(&token->cause, &unset, word)) {  // E1
        free_word(word);
        // Who was first may not have announced it yet: the walk does.
        (void)tn_token_is_set(token, tn_cancel_epoch());
        return false;
    }
    announce(token);
    return true;
}

bool tn_token_set(tenon_token *token, const tenon_cause *cause)
{
    bool is_first = tn_token_mark(token, cause);

    if (is_first) {
        tn_callback_run(token);
    }
    return is_first;
}

void tn_token_seal(tenon_token *token)
{
    // Whoever wants to set it from now on finds it set: I1.
    free_word(tn_exchange_acqrel(&token->cause, TAG_INLINE));  // E1
}

static tenon_cause decode(uintptr_t word)
{
    if ((word & TAG_MASK) == TAG_RECORD) {
        return *(const tenon_cause *)word;
    }
    tenon_cause_source source = (tenon_cause_source)((word >> 2) & 0xff);
    return (tenon_cause){
        .source = source,
        .origin = source,
        .code = (int)(int32_t)(word >> 32),
    };
}

tenon_cause tn_token_cause(tenon_token *token)
{
    if (!tn_token_is_set(token, tn_cancel_epoch())) {
        return (tenon_cause){.source = TENON_CAUSE_NONE};
    }
    uintptr_t word = tn_load_acquire(&token->cause);  // E1
    tenon_token *origin = origin_of(token, word);
    if (origin == token) {
        return decode(word);
    }
    // relaxed: who made the word knew the record, and E1 has brought that
    // along.
    tenon_cause cause = decode(tn_load_relaxed(&origin->cause));
    cause.source = TENON_CAUSE_PARENT;
    return cause;
}

const char *tn_cause_source_name(tenon_cause_source source)
{
    static const char *const names[] = {
        "none",   "explicit", "failure",  "deadline",
        "parent", "policy",   "shutdown",
    };

    return (size_t)source < sizeof(names) / sizeof(names[0]) ? names[source]
                                                             : "unknown";
}

void tn_cause_copy(char *to, size_t size_bytes, const char *from)
{
    const char *name = from == NULL ? "" : from;
    size_t length = strnlen(name, size_bytes - 1);

    memcpy(to, name, length);
    to[length] = '\0';
}

void tn_cause_name(tenon_cause *cause, const tenon_token *token)
{
    if (token->kind == TN_TOKEN_OF_TASK) {
        tn_cause_copy(cause->task_name, sizeof(cause->task_name), token->name);
    } else {
        tn_cause_copy(
            cause->scope_name, sizeof(cause->scope_name), token->name);
    }
}

tenon_cause tn_cause_make(
    tenon_cause_source source, int code, const char *format, va_list args)
{
    tenon_cause cause = {
        .source = source,
        .origin = source,
        .code = code,
        .time_ns = tn_clock_now_ns(),
    };

    if (format != NULL) {
        vsnprintf(cause.text, sizeof(cause.text), format, args);
    }
    return cause;
}

void tenon_token_init(tenon_token *token, tenon_token *parent)
{
    tn_token_init(token, parent, TN_TOKEN_FREE, NULL);
    tn_atomic_init(&token->timer, NULL);
}

void tenon_token_init_linked(
    tenon_token *token, tenon_token_link *links, uint32_t link_count)
{
    tenon_token_init(token, NULL);
    tn_token_link(token, links, link_count);
}

bool tenon_token_cancel(tenon_token *token, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tenon_cause cause = tn_cause_make(TENON_CAUSE_EXPLICIT, code, format, args);
    va_end(args);
    return tn_token_set(token, &cause);
}

bool tenon_token_cancelled(tenon_token *token)
{
    // relaxed: I2; a changed epoch is loaded again with acquire order.
    uint64_t epoch = tn_load_relaxed(&tenon_cancel_epoch.value);

    // relaxed: I2.
    if (tn_load_relaxed(&token->clean_epoch) == epoch) {
        return false;
    }
    return tn_token_is_set(token, tn_cancel_epoch());
}

bool tenon_token_cause(tenon_token *token, tenon_cause *cause)
{
    tenon_cause found = tn_token_cause(token);

    if (found.source == TENON_CAUSE_NONE) {
        return false;
    }
    *cause = found;
    return true;
}

void tenon_token_fini(tenon_token *token)
{
    if (token->kind == TN_TOKEN_FREE) {
        tn_deadline_end(token);
    }
    tn_callback_end(token);
    // relaxed: nobody else uses it any more.
    free_word(tn_load_relaxed(&token->cause));
    // relaxed: likewise.
    tn_store_relaxed(&token->cause, 0);
    // What was above may go first from now on.
    token->up.parent = NULL;
    token->link_count = 0;
}
