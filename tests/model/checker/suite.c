// SPDX-License-Identifier: MIT
//
// suite — the command line of every test program of the checker.

#include "checker/suite.h"

#include "checker/mutation.h"
#include "checker/tap.h"
#include "checker/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOT_RUNS 15000

struct command {
    const char *scenario;  // NULL: all
    const char *expect;    // name of the mutant that was compiled
    bool is_mutation_run;
    bool is_traced;
    int fences;  // -1: all
    int preemption_bound;
    int strategy;
    long run_limit;
    uint64_t seed;
    const char *digits;
};

static const char help[] =
    "usage: %s [option]...\n"
    "  --list              names of the scenarios\n"
    "  --mutants           weaken each order and fence; all must be caught\n"
    "  --expect NAME       the code compiled in is a mutant: must be caught\n"
    "  --scenario NAME     only those whose names begin so\n"
    "  --fences MODE       paired, all or portable\n"
    "  --strategy NAME     exhaustive, random or pct\n"
    "  --preemptions N     bound of the exhaustive search, -1: none\n"
    "  --runs N            executions at most\n"
    "  --seed N            of random and pct\n"
    "  --replay DIGITS     run one path and print it\n";

struct mc_program mc_suite_program(
    const struct mc_suite *suite, const struct mc_scenario *scenario)
{
    struct mc_program program = suite->program_of(scenario->plan);

    program.name = scenario->name;
    program.arg = scenario->plan;
    return program;
}

struct mc_search mc_suite_search(const struct mc_scenario *scenario)
{
    if (scenario->strategy != MC_EXHAUSTIVE) {
        return mc_search_by_lot(scenario->strategy, LOT_RUNS);
    }
    return mc_search_within(
        scenario->preemption_bound, scenario->stale_bound,
        scenario->spurious_bound);
}

static _Noreturn void reject(const char *word)
{
    fprintf(stderr, "unknown: %s\n", word);
    exit(2);
}

static int find_fences(const char *name)
{
    for (int i = MC_FENCES_PAIRED; i <= MC_FENCES_PORTABLE; i++) {
        if (strcmp(mc_search_fences_name((enum mc_fences)i), name) == 0) {
            return i;
        }
    }
    reject(name);
}

static int find_strategy(const char *name)
{
    for (int i = MC_EXHAUSTIVE; i <= MC_PCT; i++) {
        if (strcmp(mc_search_strategy_name((enum mc_strategy)i), name) == 0) {
            return i;
        }
    }
    reject(name);
}

static void list(const struct mc_suite *suite)
{
    const struct mc_scenario *scenario = suite->scenarios;

    for (; scenario->name != NULL; scenario++) {
        printf("%s\n", scenario->name);
    }
    exit(0);
}

static void parse_valued(
    struct command *command, const char *option, const char *value)
{
    if (strcmp(option, "--scenario") == 0) {
        command->scenario = value;
    } else if (strcmp(option, "--expect") == 0) {
        command->expect = value;
    } else if (strcmp(option, "--fences") == 0) {
        command->fences = find_fences(value);
    } else if (strcmp(option, "--strategy") == 0) {
        command->strategy = find_strategy(value);
    } else if (strcmp(option, "--preemptions") == 0) {
        command->preemption_bound = atoi(value);
    } else if (strcmp(option, "--runs") == 0) {
        command->run_limit = atol(value);
    } else if (strcmp(option, "--seed") == 0) {
        command->seed = strtoull(value, NULL, 0);
    } else if (strcmp(option, "--replay") == 0) {
        command->digits = value;
        command->strategy = MC_REPLAY;
    } else {
        reject(option);
    }
}

static struct command parse(const struct mc_suite *suite, int argc, char **argv)
{
    struct command command = {
        .fences = -1, .preemption_bound = -2, .strategy = -1, .run_limit = -1};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            list(suite);
        } else if (strcmp(argv[i], "--mutants") == 0) {
            command.is_mutation_run = true;
        } else if (i + 1 < argc) {
            parse_valued(&command, argv[i], argv[i + 1]);
            i++;
        } else {
            printf(help, argv[0]);
            exit(strcmp(argv[i], "--help") == 0 ? 0 : 2);
        }
    }
    return command;
}

static void adjust(struct mc_search *search, const struct command *command)
{
    if (command->strategy >= 0) {
        search->strategy = (enum mc_strategy)command->strategy;
    }
    if (command->preemption_bound >= -1) {
        search->preemption_bound = command->preemption_bound;
    }
    if (command->run_limit >= 0) {
        search->run_limit = command->run_limit;
    }
    if (command->seed != 0) {
        search->seed = command->seed;
    }
    search->digits = command->digits;
}

// Print the path of a failure and run it again, step by step.
static void explain(
    const struct mc_program *program, const struct mc_search *search,
    const struct mc_result *result)
{
    static struct mc_result again;
    struct mc_search replay = *search;

    mc_tap_note("%s", result->message);
    mc_tap_note(
        "seed %llu; to see it again: --scenario %s --fences %s "
        "--replay %s",
        (unsigned long long)result->seed, program->name,
        mc_search_fences_name(search->fences),
        result->digits[0] == '\0' ? "0" : result->digits);
    replay.strategy = MC_REPLAY;
    replay.digits = result->digits;
    mc_trace_is_on = true;
    mc_search_run(program, &replay, &again);
    mc_trace_is_on = false;
}

static void run_scenario(
    const struct mc_program *program, const struct mc_search *search)
{
    static struct mc_result result;

    mc_trace_is_on = search->strategy == MC_REPLAY;
    mc_search_run(program, search, &result);
    mc_trace_is_on = false;
    mc_tap_result(
        !result.has_failed,
        "%s (%s): %ld executions in %.2f s, %s, longest %d steps%s",
        program->name, mc_search_fences_name(search->fences), result.run_count,
        result.seconds,
        result.is_complete ? "complete"
                           : mc_search_strategy_name(search->strategy),
        result.step_count_max, result.cut_count > 0 ? ", some cut" : "");
    if (result.has_failed && search->strategy != MC_REPLAY) {
        explain(program, search, &result);
    }
}

static void run_all(const struct mc_suite *suite, const struct command *command)
{
    const struct mc_scenario *scenario = suite->scenarios;

    for (; scenario->name != NULL; scenario++) {
        struct mc_program program = mc_suite_program(suite, scenario);
        struct mc_search search = mc_suite_search(scenario);

        adjust(&search, command);

        if (command->scenario != NULL && strncmp(
                                             command->scenario, scenario->name,
                                             strlen(command->scenario)) != 0) {
            continue;
        }
        for (int i = 0; i < 3; i++) {
            bool is_wanted = i == MC_FENCES_PAIRED || suite->is_fenced;

            search.fences = (enum mc_fences)i;
            if (command->fences < 0 ? is_wanted : command->fences == i) {
                run_scenario(&program, &search);
            }
        }
    }
}

int mc_suite_main(const struct mc_suite *suite, int argc, char **argv)
{
    struct command command = parse(suite, argc, argv);

    if (command.expect != NULL) {
        mc_mutation_expect(suite, command.expect);
    } else if (command.is_mutation_run) {
        mc_mutation_run(suite);
    } else {
        run_all(suite, &command);
    }
    return mc_tap_finish();
}
