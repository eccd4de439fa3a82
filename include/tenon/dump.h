// SPDX-License-Identifier: MIT
//
// dump — everything that lives in an executor, as a tree: which scopes are
// open, for how long, which tasks they wait for, and what those do. For a
// program that seems to hang, and on a signal: see signals.h.
//
//     tenon_dump(executor, stderr);

#ifndef TENON_DUMP_H
#define TENON_DUMP_H

#include "tenon/executor.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Write counts of what lives in `executor` (NULL: the caller's own, else the
/// default if there is one) and, in debug mode (debug.h), the tree: a line for
/// each scope and task, children below. Forked children are a part of who
/// forked them. Control characters in names are written as escapes. A task is
/// queued, delayed (until its time), limited (until it has its units of a
/// limiter), running, joining, waiting, or blocking (blocking.h).
///
///     executor 'tenon': 2 workers, 1 root scope, 1 inner scope, 2 tasks
///       scope 'requests': open for 1.250 s, cancelled (explicit: new version)
///         task 'fetch' #3: running for 1.249 s
///           scope '': open for 0.011 s
///             task 'parse' #0: queued for 0.010 s
///
/// Threads:  any.
/// Blocks:   others that begin or end something in debug mode, while the text
///           is made; not while it is written.
/// Errors:   TENON_EINVAL no executor; TENON_ENOMEM; TENON_EAGAIN the stream
///           refused something; TENON_EFORK.
/// Cost:     linear in what lives.
TENON_API tenon_status tenon_dump(tenon_executor *executor, FILE *stream);

/// The same as one JSON object on one line, in UTF-8: {"executor": "tenon",
/// "workers": 2, "root_scopes": 1, "inner_scopes": 1, "tasks": 2, "debug":
/// true, "scopes": [{"name": "requests", "age_ns": 1250000000, "cancel":
/// {"source": "explicit", "text": "new version"} or null, "tasks": [{"name":
/// "fetch", "id": 3, "state": "running", "for_ns": 1249000000, "cancel":
/// null, "scopes": [...]}]}]}.
///
/// Threads:  as tenon_dump().
/// Blocks:   as tenon_dump().
/// Errors:   as tenon_dump().
/// Cost:     as tenon_dump().
TENON_API tenon_status tenon_dump_json(tenon_executor *executor, FILE *stream);

#ifdef __cplusplus
}
#endif

#endif
