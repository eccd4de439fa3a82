// SPDX-License-Identifier: MIT
//
// error — what went wrong, where, in which task. Tasks fail by returning a
// code; tenon_fail() gives it words. An error once recorded is never changed;
// those of a scope are in the report of its join.
//
//     return tenon_fail(self, ENOENT, "user %d not found", id);

#ifndef TENON_ERROR_H
#define TENON_ERROR_H

#include "tenon/config.h"
#include "tenon/status.h"
#include "tenon/token.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_task tenon_task;
typedef struct tenon_scope tenon_scope;
typedef struct tenon_error tenon_error;

/// A fatal error becomes the primary one; the others stay listed.
typedef enum tenon_severity {
    TENON_SEVERITY_ERROR = 0,
    TENON_SEVERITY_FATAL = 1
} tenon_severity;

/// One failure, to be read only. Strings are "" where there is nothing to say,
/// and live as long as the report.
struct tenon_error {
    const char *domain;  ///< whose code it is: "app" unless said, or "tenon"
    int code;            ///< what the task returned
    tenon_severity severity;
    const char *text;
    const char *file;
    int line;
    const char *task_name;
    uint64_t task_id;  ///< as given at its spawn, or 0
    const char *scope_name;
    uint64_t sequence;  ///< 1, 2, ... in the order of recording in the scope;
                        ///< 0: never recorded by itself, as a child
    bool after_cancel;  ///< the scope was cancelled already
    const tenon_error *children;      ///< what this one stands for, or NULL
    const tenon_error *next;          ///< the next of the same list, or NULL
    const tenon_error *parent;        ///< whose child it is, or NULL
    uint64_t children_dropped_count;  ///< counted but not kept among children
};

/// Is it of this domain (NULL: any) and with this code (0: any)?
///
/// Threads:  any.
/// Errors:   none.
TENON_API bool tenon_error_is(
    const tenon_error *error, const char *domain, int code);

/// Where and of what kind; made by the macros below.
typedef struct tenon_fail_place {
    const char *domain;
    tenon_severity severity;
    const char *file;
    int line;
} tenon_fail_place;

#ifndef TENON_ERROR_DOMAIN
#define TENON_ERROR_DOMAIN "app"  ///< define before including to change it
#endif

#define TENON_PLACE(domain, severity) \
    (TENON_LITERAL(tenon_fail_place){(domain), (severity), __FILE__, __LINE__})
#ifdef __cplusplus
#define TENON_LITERAL(type) type
#else
#define TENON_LITERAL(type) (type)
#endif

/// Describe the failure of the running task; returns `code`, to be returned by
/// the task. `tenon_fail(self, code, format, ...)`.
#define tenon_fail(self, ...)                                          \
    tenon_fail_at(                                                     \
        (self), TENON_PLACE(TENON_ERROR_DOMAIN, TENON_SEVERITY_ERROR), \
        __VA_ARGS__)

/// The same with a domain: `tenon_fail_in(self, "http", 404, format, ...)`.
#define tenon_fail_in(self, domain, ...) \
    tenon_fail_at(                       \
        (self), TENON_PLACE((domain), TENON_SEVERITY_ERROR), __VA_ARGS__)

/// The same, as a fatal error: `tenon_fail_fatal(self, code, format, ...)`.
#define tenon_fail_fatal(self, ...)                                    \
    tenon_fail_at(                                                     \
        (self), TENON_PLACE(TENON_ERROR_DOMAIN, TENON_SEVERITY_FATAL), \
        __VA_ARGS__)

/// Describe a failure of `scope`'s body; returns `code`, for the join. The
/// children are cancelled at once: `tenon_scope_fail(&scope, code, ...)`.
#define tenon_scope_fail(scope, ...)                                    \
    tenon_scope_fail_at(                                                \
        (scope), TENON_PLACE(TENON_ERROR_DOMAIN, TENON_SEVERITY_ERROR), \
        __VA_ARGS__)

/// What the macros call. The last description before the task returns counts.
/// If the task fails with another code, it is a child of that error, with
/// sequence 0; if it does not fail it is gone. In the body of a scope use
/// tenon_scope_fail().
///
/// Owns:     copies the text, cut at 511 bytes, the domain and the file name;
///           without memory the text is lost, never the error.
/// Threads:  the one that runs `self`.
/// Errors:   returns `code`; TENON_EINVAL if that is 0; aborts unless `self`
///           is running on this thread.
TENON_API int tenon_fail_at(
    tenon_task *self, tenon_fail_place place, int code, const char *format, ...)
    TENON_PRINTF(4, 5);

/// For the body of a scope: recorded and counted at once, whatever the join is
/// told. The code, given to the join as `body`, is the same error, not another.
///
/// Owns:     as tenon_fail_at().
/// Threads:  the owner's, between open and join.
/// Errors:   returns `code`; TENON_EINVAL if that is 0; TENON_EPERM from
///           another thread; TENON_ECLOSED after join; TENON_EFORK.
TENON_API int tenon_scope_fail_at(
    tenon_scope *scope, tenon_fail_place place, int code, const char *format,
    ...) TENON_PRINTF(4, 5);

#ifdef __cplusplus
}
#endif

#endif
