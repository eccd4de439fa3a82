// SPDX-License-Identifier: MIT
//
// split — parts the errors of a report, as Python's except* does (PEP 654).
//
// Shape:    the tree's nodes in depth-first order, as an array: marked on the
//           way down, judged on the way back, copied on the way down again. No
//           recursion: a tree may be deep.
// Memory:   both sides are copies; the report stays whole.

#include "scope/error.h"
#include "scope/policy.h"
#include "tenon/report.h"

#include <stdlib.h>

struct node {
    const tenon_error *error;
    size_t parent;      // its index, or NONE
    bool stands_alone;  // not only for its children
    bool is_chosen;     // it, or what it is below of, matches
    bool is_matched;    // belongs to the one side
    bool is_rest;       // belongs to the other; may be both
    tenon_error *copy;
};

#define NONE SIZE_MAX

static size_t count_nodes(const tenon_report *report)
{
    const tenon_error *error = NULL;
    size_t count = 0;

    while ((error = tenon_report_next(report, error, NULL)) != NULL) {
        count++;
    }
    return count;
}

static void fill_nodes(struct node *nodes, const tenon_report *report)
{
    const tenon_error *error = NULL;
    size_t above = NONE;  // the node before, then further up

    for (size_t i = 0; (error = tenon_report_next(report, error, NULL)) != NULL;
         i++) {
        while (above != NONE && nodes[above].error != error->parent) {
            above = nodes[above].parent;
        }
        nodes[i] = (struct node){
            .error = error,
            .parent = above,
            .stands_alone =
                error->children == NULL || error->children_dropped_count > 0,
        };
        above = i;
    }
}

static void judge(
    struct node *nodes, size_t count, tenon_error_match_fn *match,
    void *context)
{
    for (size_t i = 0; i < count; i++) {
        size_t parent = nodes[i].parent;
        nodes[i].is_chosen = (parent != NONE && nodes[parent].is_chosen) ||
                             match(nodes[i].error, context);
    }
    // Children come after their parents: from the last to the first.
    for (size_t i = count; i-- > 0;) {
        size_t parent = nodes[i].parent;
        nodes[i].is_matched = nodes[i].is_matched || nodes[i].is_chosen;
        nodes[i].is_rest =
            !nodes[i].is_chosen && (nodes[i].is_rest || nodes[i].stands_alone);
        if (parent != NONE && !nodes[parent].is_chosen) {
            nodes[parent].is_matched |= nodes[i].is_matched;
            nodes[parent].is_rest |= nodes[i].is_rest;
        }
    }
}

static bool is_on(const struct node *node, bool wants_matched)
{
    return wants_matched ? node->is_matched : node->is_rest;
}

// False: no memory.
static bool copy_side(
    struct node *nodes, size_t count, bool wants_matched, tenon_report *side)
{
    tenon_error *last = NULL;

    for (size_t i = 0; i < count; i++) {
        struct node *node = &nodes[i];
        if (!is_on(node, wants_matched)) {
            continue;
        }
        node->copy = tn_error_copy(node->error);
        if (node->copy == NULL) {
            return false;
        }
        if (node->parent != NONE) {
            tn_error_append(nodes[node->parent].copy, node->copy);
        } else if (last == NULL) {
            side->errors = node->copy;
            last = node->copy;
        } else {
            last->next = node->copy;
            last = node->copy;
        }
        // What was counted but not kept is on the side of the rest.
        if (wants_matched && !node->is_chosen) {
            node->copy->children_dropped_count = 0;
        }
    }
    return true;
}

static void finish_side(
    const struct node *nodes, size_t count, bool wants_matched,
    const tenon_report *report, tenon_report *side)
{
    side->kept_count = 0;
    side->primary = side->errors;
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].parent != NONE || !is_on(&nodes[i], wants_matched)) {
            continue;
        }
        side->kept_count++;
        if (nodes[i].error == report->primary) {
            side->primary = nodes[i].copy;
        }
    }
    side->error_count =
        side->kept_count +
        (wants_matched ? 0 : report->error_count - report->kept_count);
    if (report->status == TENON_ERRORS && side->error_count == 0) {
        side->status = tn_policy_status_without_errors(side);
    }
}

// One side of the report; `*side` is untouched without memory.
static bool make_side(
    struct node *nodes, size_t count, bool wants_matched,
    const tenon_report *report, tenon_report *side)
{
    tenon_report made = *report;

    made.errors = NULL;
    if (!copy_side(nodes, count, wants_matched, &made)) {
        tn_error_free_list((tenon_error *)made.errors);
        return false;
    }
    finish_side(nodes, count, wants_matched, report, &made);
    *side = made;
    return true;
}

static bool make_both(
    struct node *nodes, size_t count, const tenon_report *report,
    tenon_report *matched, tenon_report *rest)
{
    tenon_report made_matched = {.status = TENON_OK};
    tenon_report made_rest = {.status = TENON_OK};

    if (matched != NULL &&
        !make_side(nodes, count, true, report, &made_matched)) {
        return false;
    }
    if (rest != NULL && !make_side(nodes, count, false, report, &made_rest)) {
        tenon_report_free(&made_matched);
        return false;
    }
    if (matched != NULL) {
        *matched = made_matched;
    }
    if (rest != NULL) {
        *rest = made_rest;
    }
    return true;
}

tenon_status tenon_report_split(
    const tenon_report *report, tenon_error_match_fn *match, void *context,
    tenon_report *matched, tenon_report *rest)
{
    if (report == NULL || match == NULL || matched == report ||
        rest == report || (matched != NULL && matched == rest)) {
        return TENON_EINVAL;
    }
    size_t count = count_nodes(report);
    struct node *nodes = calloc(count + 1, sizeof(*nodes));
    if (nodes == NULL) {
        return TENON_ENOMEM;
    }
    fill_nodes(nodes, report);
    judge(nodes, count, match, context);
    bool has_memory = make_both(nodes, count, report, matched, rest);
    free(nodes);
    return has_memory ? TENON_OK : TENON_ENOMEM;
}
