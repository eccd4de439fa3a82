// SPDX-License-Identifier: MIT
//
// retry — a scope for each attempt, a task that asks to be called again between
// them.
//
// Roles:    the task itself.
// Memory:   the errors of the attempts wait with the task, which ends with
//           them or forgets them; all else is the caller's.

#include "tenon/retry.h"

#include "tenon/executor.h"
#include "tenon/spawn.h"

#define DEFAULT_ATTEMPTS UINT32_C(5)
#define DEFAULT_FACTOR UINT32_C(2)
#define DEFAULT_FIRST_NS TENON_MILLISECONDS(100)
#define DEFAULT_MAX_NS TENON_SECONDS(30)

static const tenon_retry_options defaults = {.struct_size = sizeof(defaults)};

static uint64_t or_default(uint64_t given, uint64_t value)
{
    return given == 0 ? value : given;
}

static bool are_valid(const tenon_retry_options *options)
{
    return options->struct_size == sizeof(*options) &&
           (options->jitter_percent <= 100 ||
            options->jitter_percent == TENON_NO_JITTER);
}

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014.
static uint64_t next_random(tenon_retry *retry)
{
    retry->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = retry->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

// Without jitter: first * factor ^ (attempts - 1), at most the maximum.
static uint64_t whole_delay(
    const tenon_retry *retry, const tenon_retry_options *options)
{
    uint64_t max_ns = or_default(options->max_delay_ns, DEFAULT_MAX_NS);
    uint64_t delay_ns = or_default(options->first_delay_ns, DEFAULT_FIRST_NS);
    uint64_t factor = or_default(options->factor, DEFAULT_FACTOR);

    if (factor == 1) {
        return delay_ns < max_ns ? delay_ns : max_ns;
    }
    for (uint32_t i = 1; i < retry->attempt_count && delay_ns < max_ns; i++) {
        delay_ns = delay_ns > max_ns / factor ? max_ns : delay_ns * factor;
    }
    return delay_ns < max_ns ? delay_ns : max_ns;
}

static uint64_t next_delay(
    tenon_retry *retry, const tenon_retry_options *options)
{
    uint64_t delay_ns = whole_delay(retry, options);
    uint64_t percent = or_default(options->jitter_percent, 100);

    if (options->jitter_percent == TENON_NO_JITTER) {
        return delay_ns;
    }
    // Without overflow, and to the nanosecond.
    uint64_t random_ns =
        delay_ns / 100 * percent + delay_ns % 100 * percent / 100;
    uint64_t random = next_random(retry);
    return delay_ns - random_ns +
           (random_ns == UINT64_MAX ? random : random % (random_ns + 1));
}

static tenon_status run_attempt(
    tenon_task_fn *fn, void *arg, uint32_t number,
    const tenon_retry_options *options, tenon_report *report)
{
    tenon_scope scope;
    tenon_status status =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.name = options->name));

    if (status != TENON_OK) {
        *report = (tenon_report){.status = status};
        return status;
    }
    status = tenon_spawn_with(
        &scope, fn, arg,
        TENON_TASK_OPTIONS(
                .name = options->name, .id = number,
                .timeout_ns = options->attempt_timeout_ns));
    return tenon_scope_join(&scope, status, report);
}

// Why there is no further attempt; NULL: there is one, after `*delay_ns`.
static const char *reason_to_stop(
    tenon_task *self, tenon_retry *retry, const tenon_retry_options *options,
    const tenon_report *report, uint64_t *delay_ns)
{
    uint32_t max =
        (uint32_t)or_default(options->max_attempts, DEFAULT_ATTEMPTS);

    if (tenon_cancelled(self)) {
        return "cancelled";
    }
    if (options->retry_if != NULL &&
        !options->retry_if(report, options->context)) {
        return "not to be tried again";
    }
    if (max != TENON_NO_MAXIMUM && retry->attempt_count >= max) {
        return "no more are allowed";
    }
    *delay_ns = next_delay(retry, options);
    uint64_t deadline_ns = tenon_task_deadline(self);
    uint64_t now_ns = tenon_executor_now_ns(NULL);
    bool is_late = deadline_ns != TENON_NO_DEADLINE &&
                   (now_ns >= deadline_ns || deadline_ns - now_ns <= *delay_ns);
    return is_late ? "the deadline comes before the next" : NULL;
}

static int give_up(
    tenon_task *self, const tenon_retry *retry, tenon_report *report,
    const char *reason)
{
    const tenon_error *last = report->primary;
    tenon_fail_place place = {.domain = last == NULL ? "tenon" : last->domain};
    int code = tenon_fail_at(
        self, place, last == NULL ? report->status : last->code,
        "gave up after %u attempt%s: %s", retry->attempt_count,
        retry->attempt_count == 1 ? "" : "s", reason);

    tenon_report_pass_up(report, self);
    return code;
}

static int try_later(
    tenon_task *self, const tenon_retry *retry, tenon_report *report,
    uint64_t delay_ns)
{
    int answer = tenon_again(self, delay_ns);

    if (answer == TENON_AGAIN) {
        tenon_report_pass_up(report, self);
        return answer;
    }
    if (answer == TENON_CANCELLED) {
        return give_up(self, retry, report, "cancelled");
    }
    return give_up(self, retry, report, tenon_status_name(answer));
}

int tenon_retry_attempt(
    tenon_task *self, tenon_retry *retry, tenon_task_fn *fn, void *arg,
    const tenon_retry_options *options)
{
    tenon_report report = {.status = TENON_OK};
    uint64_t delay_ns = 0;

    options = options == NULL ? &defaults : options;
    if (fn == NULL || !are_valid(options)) {
        return TENON_EINVAL;
    }
    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;  // while it waited
    }
    if (retry->attempt_count == 0) {
        retry->random =
            or_default(options->seed, tenon_now_ns() ^ (uintptr_t)retry);
    }
    retry->attempt_count++;
    tenon_status status =
        run_attempt(fn, arg, retry->attempt_count, options, &report);
    if (status == TENON_OK || status == TENON_CANCELLED) {
        // An attempt that has stopped its own scope is no success.
        bool is_good = report.ok_count > 0;
        tenon_report_free(&report);
        return is_good ? status : TENON_CANCELLED;
    }
    const char *reason =
        reason_to_stop(self, retry, options, &report, &delay_ns);
    return reason == NULL ? try_later(self, retry, &report, delay_ns)
                          : give_up(self, retry, &report, reason);
}
