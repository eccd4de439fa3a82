// SPDX-License-Identifier: MIT
//
// execution — one run of a program along one path of choices.

#ifndef MC_EXECUTION_H
#define MC_EXECUTION_H

#include "checker/model.h"
#include "checker/schedule.h"

// [engine] Run `program` from its setup to its check.
enum mc_ending mc_execution_run(const struct mc_program *program);

// [engine] What the last failed run said.
const char *mc_execution_message(void);

#endif
