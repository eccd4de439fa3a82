// SPDX-License-Identifier: MIT
//
// 07-block — a scope as a block of the language, joined on every way out.
//
// Between open and join there must be no way to leave the function, or the
// scope stays unjoined. That is easy to see in twenty lines and easy to break
// in two hundred. TENON_SCOPE(scope, ...) { ... } makes the scope a block: it
// opens at the brace and is joined wherever the block is left, at its end, by a
// break, a return or a goto. The compiler does it (the cleanup attribute of gcc
// and clang).
//
// The options are written in the parentheses. As nobody calls join, its outcome
// goes where the options `status` and `report` point, and the body says how it
// did beforehand: tenon_scope_fail() fails it with words, cancels the tasks at
// once and, like tenon_fail(), returns the code. If the scope cannot be opened,
// the block is skipped and either says why.
//
// The status is set when the block is left, so read it after the block: a
// `return status;` inside would return what it was before the join.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tenon/tenon.h>

struct word {
    const char *text;
    size_t length;
};

static int measure(tenon_task *self, void *arg)
{
    struct word *word = arg;

    (void)self;
    word->length = strlen(word->text);
    return TENON_OK;
}

// Measure all words; one that is NULL is an error of the body.
static tenon_status measure_all(
    struct word *words, size_t count, tenon_report *report)
{
    tenon_status status = TENON_OK;

    TENON_SCOPE(scope, .status = &status, .report = report)
    {
        for (size_t i = 0; i < count; i++) {
            if (words[i].text == NULL) {
                tenon_scope_fail(&scope, EINVAL, "word %zu is missing", i);
                break;
            }
            status = tenon_spawn(&scope, measure, &words[i]);
            if (status != TENON_OK) {
                tenon_scope_set_body(&scope, status);
                break;
            }
        }
    }
    return status;
}

int main(void)
{
    struct word words[] = {{.text = "mortise"}, {.text = "and"}, {0}};
    tenon_report report;

    tenon_status status = measure_all(words, 2, &report);
    printf(
        "%s: %zu and %zu letters\n", tenon_status_name(status), words[0].length,
        words[1].length);
    tenon_report_free(&report);

    status = measure_all(words, 3, &report);
    printf(
        "%s: %s\n", tenon_status_name(status),
        report.primary == NULL ? "" : report.primary->text);
    tenon_report_free(&report);
    return 0;
}
