// SPDX-License-Identifier: MIT
//
// planted — one fault of each kind that a sanitizer must report.
//
//     planted race; echo $?
//
// Run by sanitizers.py. Without an argument there is no fault.

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int counter;

static void *count(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++) {
        counter++;
    }
    return NULL;
}

static int race(void)
{
    pthread_t first;
    pthread_t second;

    pthread_create(&first, NULL, count, NULL);
    pthread_create(&second, NULL, count, NULL);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    return counter == 0;
}

static int leak(void)
{
    void *volatile block = malloc(100);

    block = NULL;
    return block != NULL;
}

static int overflow(void)
{
    volatile int large = INT_MAX;

    large = large + 1;
    return 0;
}

static int use_after_free(void)
{
    char *volatile text = calloc(1, 10);

    free(text);
    return text[0];
}

static int *volatile escaped;

__attribute__((noinline)) static void escape(void)
{
    int local = 0;
    int *volatile hidden = &local;  // from the compiler's warning

    escaped = hidden;
}

static int use_after_return(void)
{
    escape();
    return *escaped;
}

static const struct {
    const char *name;
    int (*run)(void);
} faults[] = {
    {"race", race},
    {"leak", leak},
    {"overflow", overflow},
    {"use-after-free", use_after_free},
    {"use-after-return", use_after_return},
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (strcmp(argv[1], faults[i].name) == 0) {
            return faults[i].run();
        }
    }
    fprintf(stderr, "no such fault: %s\n", argv[1]);
    return 2;
}
