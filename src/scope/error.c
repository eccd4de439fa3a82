// SPDX-License-Identifier: MIT
//
// error — one allocation per error, and a reserve for when there is none.
//
// Memory:   a record owns its strings and its children. The reserve serves
//           failures to allocate: such a record has code, severity and names
//           of static storage only.
// Roles:    a record belongs to one task, then to its scope, then to a report.
// Ordering:
//   E1 reserve  give back: store-release in_use -> take: cas-acquire in_use
//               (the former user has finished with it)

#include "scope/error.h"

#include "base/atomic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 512
#define RESERVE_SIZE 32

// A task that opens scope after scope keeps so many of their errors.
#define CHILDREN_MAX 64

struct record {
    tenon_error error;
    char *names;  // task and scope name, one allocation; or NULL
    tenon_error *last_child;
    size_t child_count;  // of the list, not of what is below
    int *codes;          // of children whose errors are recorded already
    size_t code_count;
    uint64_t unread_dropped_count;  // of children not kept
    bool is_read;                   // somebody has had it in a report
    _Atomic(bool) in_use;           // of the reserve
};

static struct record reserve[RESERVE_SIZE];

static struct record *record_of(const tenon_error *error)
{
    return (struct record *)error;  // its first member
}

static struct record *take_reserve(void)
{
    for (size_t i = 0; i < RESERVE_SIZE; i++) {
        bool is_used = false;
        if (tn_cas_acquire(&reserve[i].in_use, &is_used, true)) {  // E1
            return &reserve[i];
        }
    }
    return NULL;
}

static void fill(struct record *record, const tenon_fail_place *place, int code)
{
    record->names = NULL;
    record->last_child = NULL;
    record->child_count = 0;
    record->codes = NULL;
    record->code_count = 0;
    record->unread_dropped_count = 0;
    record->is_read = false;
    record->error = (tenon_error){
        .domain = "",
        .code = code,
        .severity = place->severity,
        .text = "",
        .file = "",
        .line = place->line,
        .task_name = "",
        .scope_name = "",
    };
}

static const char *copy_string(char **at, const char *from)
{
    size_t size_bytes = strlen(from) + 1;
    char *to = *at;

    memcpy(to, from, size_bytes);
    *at += size_bytes;
    return to;
}

static tenon_error *create(
    const tenon_fail_place *place, int code, const char *text)
{
    const char *domain = place->domain == NULL ? "" : place->domain;
    const char *file = place->file == NULL ? "" : place->file;
    size_t strings = strlen(domain) + strlen(file) + strlen(text) + 3;
    struct record *record = malloc(sizeof(*record) + strings);

    if (record == NULL) {
        return NULL;
    }
    char *at = (char *)(record + 1);
    fill(record, place, code);
    tn_atomic_init(&record->in_use, false);
    record->error.domain = copy_string(&at, domain);
    record->error.file = copy_string(&at, file);
    record->error.text = copy_string(&at, text);
    return &record->error;
}

tenon_error *tn_error_create(
    const tenon_fail_place *place, int code, const char *text)
{
    tenon_error *error = create(place, code, text);

    if (error != NULL) {
        return error;
    }
    struct record *record = take_reserve();
    if (record == NULL) {
        return NULL;
    }
    fill(record, place, code);
    return &record->error;
}

void tn_error_set_names(
    tenon_error *error, const char *task_name, const char *scope_name)
{
    struct record *record = record_of(error);
    char *names = malloc(strlen(task_name) + strlen(scope_name) + 2);

    if (names != NULL) {
        record->names = names;
        error->task_name = copy_string(&names, task_name);
        error->scope_name = copy_string(&names, scope_name);
    }
}

tenon_error *tn_error_copy(const tenon_error *error)
{
    tenon_fail_place place = {
        .domain = error->domain,
        .severity = error->severity,
        .file = error->file,
        .line = error->line,
    };
    tenon_error *copy = create(&place, error->code, error->text);

    if (copy == NULL) {
        return NULL;
    }
    tn_error_set_names(copy, error->task_name, error->scope_name);
    if (record_of(copy)->names == NULL) {
        free(record_of(copy));
        return NULL;
    }
    copy->task_id = error->task_id;
    copy->sequence = error->sequence;
    copy->after_cancel = error->after_cancel;
    copy->children_dropped_count = error->children_dropped_count;
    return copy;
}

void tn_error_append(tenon_error *parent, tenon_error *error)
{
    struct record *record = record_of(parent);

    error->parent = parent;
    if (record->last_child == NULL) {
        parent->children = error;
    } else {
        record->last_child->next = error;
    }
    record->last_child = error;
    record->child_count++;
}

static void free_one(tenon_error *error)
{
    struct record *record = record_of(error);

    free(record->names);
    free(record->codes);
    if (record >= reserve && record < reserve + RESERVE_SIZE) {
        tn_store_release(&record->in_use, false);  // E1
    } else {
        free(record);
    }
}

void tn_error_free_list(tenon_error *first)
{
    // Children are put in front of the rest: no recursion, however deep.
    while (first != NULL) {
        tenon_error *next = (tenon_error *)first->next;
        if (first->children != NULL) {
            record_of(first)->last_child->next = next;
            next = (tenon_error *)first->children;
        }
        free_one(first);
        first = next;
    }
}

void tn_error_adopt(
    tenon_error *error, tenon_error *children, uint64_t dropped_count)
{
    struct record *record = record_of(error);

    error->children_dropped_count += dropped_count;
    while (children != NULL && record->child_count < CHILDREN_MAX) {
        if (record->last_child == NULL) {
            error->children = children;
        } else {
            record->last_child->next = children;
        }
        record->last_child = children;
        record->child_count++;
        children->parent = error;
        children = (tenon_error *)children->next;
    }
    if (record->last_child != NULL) {
        record->last_child->next = NULL;
    }
    for (tenon_error *left = children; left != NULL;
         left = (tenon_error *)left->next) {
        error->children_dropped_count++;
    }
    tn_error_free_list(children);
}

static bool is_recorded_word(tn_failure said)
{
    return (said & 1) != 0;
}

static tenon_error *record_in(tn_failure said)
{
    return is_recorded_word(said) ? NULL : (tenon_error *)said;
}

static tenon_fail_place place_of_code(int code)
{
    return (tenon_fail_place){
        .domain = code < 0 ? "tenon" : TENON_ERROR_DOMAIN,
        .severity = TENON_SEVERITY_ERROR,
    };
}

static const char *text_of_code(int code)
{
    return code < 0 ? tenon_status_name(code) : "";
}

static tenon_error *create_for_code(int code)
{
    tenon_fail_place place = place_of_code(code);

    return tn_error_create(&place, code, text_of_code(code));
}

// What `from`, which is freed, has gathered goes to `to`.
static void move_gathered(tenon_error *to, tenon_error *from)
{
    struct record *target = record_of(to);
    struct record *source = record_of(from);

    tn_error_adopt(
        to, (tenon_error *)from->children, from->children_dropped_count);
    from->children = NULL;
    target->unread_dropped_count += source->unread_dropped_count;
    if (target->codes == NULL) {
        target->codes = source->codes;
        target->code_count = source->code_count;
        source->codes = NULL;
    }
    free_one(from);
}

static bool has_code(const struct record *record, int code)
{
    for (size_t i = 0; i < record->code_count; i++) {
        if (record->codes[i] == code) {
            return true;
        }
    }
    return false;
}

// Without memory the code is forgotten: passed on, it is recorded again.
static void add_code(tenon_error *error, int code)
{
    struct record *record = record_of(error);

    if (has_code(record, code)) {
        return;
    }
    int *codes =
        realloc(record->codes, (record->code_count + 1) * sizeof(*codes));
    if (codes != NULL) {
        codes[record->code_count++] = code;
        record->codes = codes;
    }
}

static int code_in(tn_failure said)
{
    return (int)((intptr_t)said >> 2);
}

// A record that only gathers, with the code that `said` held; or NULL.
static tenon_error *create_gathering(tn_failure said)
{
    tenon_fail_place place = {.severity = TENON_SEVERITY_ERROR};
    tenon_error *error = tn_error_create(&place, 0, "");

    if (error != NULL && is_recorded_word(said)) {
        add_code(error, code_in(said));
    }
    return error;
}

// Is it only the code of an error that is recorded already?
static bool is_passed_on(tn_failure said, int code)
{
    const tenon_error *record = record_in(said);

    if (record == NULL) {
        return is_recorded_word(said) && code_in(said) == code;
    }
    return record->code == 0 && record->children == NULL &&
           record->children_dropped_count == 0 &&
           has_code(record_of(record), code);
}

tenon_error *tn_failure_take(tn_failure *said, int code, bool *is_recorded)
{
    tenon_error *record = record_in(*said);

    *is_recorded = is_passed_on(*said, code);
    *said = TN_FAILURE_NONE;
    if (*is_recorded) {
        tn_error_free_list(record);
        return NULL;
    }
    if (record != NULL && record->code == code) {
        return record;
    }
    tenon_error *error = create_for_code(code);
    if (record == NULL || error == NULL) {
        return error == NULL ? record : error;
    }
    if (record->code == 0) {
        move_gathered(error, record);
    } else {
        tn_error_adopt(error, record, 0);  // described, but another code
    }
    return error;
}

void tn_failure_describe(
    tn_failure *said, const tenon_fail_place *place, int code,
    const char *format, va_list args)
{
    char text[TEXT_MAX];
    tenon_error *before = record_in(*said);

    vsnprintf(text, sizeof(text), format, args);
    tenon_error *error = tn_error_create(place, code, text);
    if (error == NULL) {
        return;  // the code alone will be recorded, or counted
    }
    if (before != NULL) {
        move_gathered(error, before);
    } else if (is_recorded_word(*said)) {
        add_code(error, code_in(*said));
    }
    *said = (tn_failure)error;
}

void tn_failure_gather(
    tn_failure *said, tenon_error *children, uint64_t dropped_count,
    bool is_read)
{
    tenon_error *error = record_in(*said);

    if (error == NULL) {
        error = create_gathering(*said);
    }
    if (error == NULL) {
        tn_error_free_list(children);
        return;
    }
    for (tenon_error *child = children; child != NULL;
         child = (tenon_error *)child->next) {
        record_of(child)->is_read = is_read;
    }
    uint64_t before = error->children_dropped_count;
    tn_error_adopt(error, children, dropped_count);
    if (!is_read) {
        record_of(error)->unread_dropped_count +=
            error->children_dropped_count - before;
    }
    *said = (tn_failure)error;
}

void tn_failure_pass_on(tn_failure *said, int code)
{
    tn_failure passed = (tn_failure)((intptr_t)code * 4) | 1;

    if (*said == TN_FAILURE_NONE) {
        *said = passed;
    }
    if (*said == passed) {
        return;
    }
    tenon_error *error = record_in(*said);
    error = error == NULL ? create_gathering(*said) : error;
    if (error != NULL) {
        add_code(error, code);
        *said = (tn_failure)error;
    }
}

tenon_error *tn_failure_take_unread(tn_failure *said, uint64_t *dropped_count)
{
    tenon_error *record = record_in(*said);
    tenon_error *unread = NULL;
    tenon_error *read = NULL;
    tenon_error **unread_end = &unread;

    *said = TN_FAILURE_NONE;
    *dropped_count = 0;
    if (record == NULL) {
        return NULL;
    }
    tenon_error *child = (tenon_error *)record->children;
    while (child != NULL) {
        tenon_error *next = (tenon_error *)child->next;
        child->parent = NULL;
        child->next = NULL;
        if (record_of(child)->is_read) {
            child->next = read;
            read = child;
        } else {
            *unread_end = child;
            unread_end = (tenon_error **)&child->next;
        }
        child = next;
    }
    *dropped_count = record_of(record)->unread_dropped_count;
    record->children = NULL;
    tn_error_free_list(record);
    tn_error_free_list(read);
    return unread;
}

void tn_failure_clear(tn_failure *said)
{
    tn_error_free_list(record_in(*said));
    *said = TN_FAILURE_NONE;
}
