// SPDX-License-Identifier: MIT
//
// tenon — structured concurrency in C, on all cores: the one header to include.

#ifndef TENON_TENON_H
#define TENON_TENON_H

#include "tenon/batch.h"
#include "tenon/block.h"
#include "tenon/blocking.h"
#include "tenon/callback.h"
#include "tenon/config.h"
#include "tenon/debug.h"
#include "tenon/dump.h"
#include "tenon/error.h"
#include "tenon/executor.h"
#include "tenon/fork.h"
#include "tenon/gather.h"
#include "tenon/handle.h"
#include "tenon/handshake.h"
#include "tenon/invoke.h"
#include "tenon/latency.h"
#include "tenon/later.h"
#include "tenon/limiter.h"
#include "tenon/map.h"
#include "tenon/notify.h"
#include "tenon/parallel.h"
#include "tenon/policy.h"
#include "tenon/report.h"
#include "tenon/retry.h"
#include "tenon/scan.h"
#include "tenon/scope.h"
#include "tenon/signals.h"
#include "tenon/sort.h"
#include "tenon/spawn.h"
#include "tenon/status.h"
#include "tenon/stop.h"
#include "tenon/task.h"
#include "tenon/token.h"
#include "tenon/value.h"
#include "tenon/wait.h"

#endif
