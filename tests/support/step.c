// SPDX-License-Identifier: MIT
//
// step — the child stops itself by breakpoints; its parent goes on step by step
// from the first to the second.
//
// Source:   prefixes and opcodes: Intel 64 and IA-32 Architectures Software
//           Developer's Manual, volume 2, 2.1 and LOCK, XCHG, SYSCALL.

#include "step.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What the child ends with.
enum { EXIT_GIVEN_UP = 77 };

void step_give_up(void)
{
    _exit(EXIT_GIVEN_UP);
}

#ifdef __x86_64__

#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#define LINE_BYTES 64
#define CODE_BYTES 15  // the longest instruction

enum { LOCK = 0xf0, TWO_BYTES = 0x0f, SYSCALL = 0x05, BREAKPOINT = 0xcc };

// Shared with the child.
struct watch {
    const void *lines[STEP_LINES];
};

static struct watch *watch;

void step_watch(uint32_t line, const void *address)
{
    watch->lines[line] =
        (const void *)((uintptr_t)address & ~(uintptr_t)(LINE_BYTES - 1));
}

__attribute__((noinline)) void step_begin(void)
{
    __asm__ volatile("int3" : : : "memory");
}

__attribute__((noinline)) void step_end(void)
{
    __asm__ volatile("int3" : : : "memory");
}

struct tracer {
    pid_t thread;  // that is followed, or 0
    bool is_done;
    int status;  // of the child that has ended
    unsigned char lines[STEP_LINES][LINE_BYTES];
    struct step_counts *counts;
};

static bool read_memory(
    pid_t process, const void *address, void *to, size_t size_bytes)
{
    struct iovec here = {.iov_base = to, .iov_len = size_bytes};
    struct iovec there = {
        .iov_base = (void *)(uintptr_t)address, .iov_len = size_bytes};
    ssize_t count = process_vm_readv(process, &here, 1, &there, 1, 0);

    return count > 0 && (size_t)count == size_bytes;
}

static void look_at_lines(struct tracer *tracer, bool is_first)
{
    unsigned char now[LINE_BYTES];

    for (uint32_t i = 0; i < STEP_LINES; i++) {
        if (watch->lines[i] == NULL ||
            !read_memory(tracer->thread, watch->lines[i], now, sizeof(now))) {
            continue;
        }
        if (!is_first && memcmp(now, tracer->lines[i], sizeof(now)) != 0) {
            tracer->counts->line_count += !tracer->counts->is_changed[i];
            tracer->counts->is_changed[i] = true;
        }
        memcpy(tracer->lines[i], now, sizeof(now));
    }
}

static bool is_prefix(unsigned char byte)
{
    return byte == 0x66 || byte == 0x67 || byte == 0xf2 || byte == 0xf3 ||
           byte == 0x2e || byte == 0x36 || byte == 0x3e || byte == 0x26 ||
           byte == 0x64 || byte == 0x65 || (byte & 0xf0) == 0x40;
}

static void classify(const unsigned char *code, struct step_counts *counts)
{
    size_t i = 0;

    while (i < CODE_BYTES - 3 && is_prefix(code[i])) {
        i++;
    }
    // With a memory operand xchg locks without saying so.
    bool is_exchange =
        (code[i] == 0x86 || code[i] == 0x87) && code[i + 1] < 0xc0;

    // The full fence of clang; gcc's is locked.
    bool is_fence =
        code[i] == TWO_BYTES && code[i + 1] == 0xae && code[i + 2] == 0xf0;

    counts->instruction_count++;
    counts->locked_count += code[i] == LOCK || is_exchange || is_fence;
    counts->syscall_count += code[i] == TWO_BYTES && code[i + 1] == SYSCALL;
}

// At the next instruction of the thread that is followed.
static void follow(struct tracer *tracer)
{
    unsigned char code[CODE_BYTES] = {0};
    long place = ptrace(
        PTRACE_PEEKUSER, tracer->thread, offsetof(struct user_regs_struct, rip),
        NULL);

    look_at_lines(tracer, false);
    // Where code ends with its page, less than all is there to read.
    size_t size_bytes = CODE_BYTES;
    while (
        size_bytes > 0 &&
        !read_memory(tracer->thread, (const void *)place, code, size_bytes)) {
        size_bytes--;
    }
    if (code[0] == BREAKPOINT) {
        tracer->is_done = true;
        ptrace(PTRACE_CONT, tracer->thread, NULL, NULL);
        tracer->thread = 0;
        return;
    }
    classify(code, tracer->counts);
    ptrace(PTRACE_SINGLESTEP, tracer->thread, NULL, NULL);
}

static void handle_stop(struct tracer *tracer, pid_t thread, int status)
{
    int signal_number = WSTOPSIG(status);
    bool is_event = status >> 16 != 0;

    if (signal_number == SIGTRAP && !is_event && tracer->thread == thread) {
        follow(tracer);
    } else if (signal_number == SIGTRAP && !is_event && !tracer->is_done) {
        tracer->thread = thread;
        look_at_lines(tracer, true);
        follow(tracer);
    } else {
        // A thread begins with a stop of its own.
        bool is_ours = signal_number == SIGTRAP || signal_number == SIGSTOP;
        ptrace(PTRACE_CONT, thread, NULL, is_ours ? 0L : (long)signal_number);
    }
}

static void trace(pid_t process, struct tracer *tracer)
{
    int status = 0;

    waitpid(process, &status, 0);
    tracer->status = status;
    if (!WIFSTOPPED(status)) {
        return;
    }
    ptrace(
        PTRACE_SETOPTIONS, process, NULL,
        PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
    ptrace(PTRACE_CONT, process, NULL, NULL);
    for (;;) {
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0) {
            return;
        }
        if (WIFSTOPPED(status)) {
            handle_stop(tracer, thread, status);
        } else if (thread == process) {
            tracer->status = status;
            return;
        }
    }
}

static _Noreturn void be_traced(void (*fn)(void *arg), void *arg)
{
    unsetenv("TENON_FENCE");
    unsetenv("TENON_DEBUG");
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        step_give_up();
    }
    raise(SIGSTOP);
    fn(arg);
    _exit(0);
}

static enum step_result result_of(const struct tracer *tracer)
{
    if (!WIFEXITED(tracer->status)) {
        return STEP_FAILED;
    }
    int status = WEXITSTATUS(tracer->status);
    if (status == EXIT_GIVEN_UP) {
        return STEP_UNAVAILABLE;
    }
    return status == 0 && tracer->is_done ? STEP_COUNTED : STEP_FAILED;
}

enum step_result step_run(
    void (*fn)(void *arg), void *arg, struct step_counts *counts)
{
    struct tracer tracer = {.counts = counts};

    *counts = (struct step_counts){.instruction_count = 0};
    watch = mmap(
        NULL, sizeof(*watch), PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (watch == MAP_FAILED) {
        return STEP_FAILED;
    }
    pid_t process = fork();
    if (process == 0) {
        be_traced(fn, arg);
    }
    if (process > 0) {
        trace(process, &tracer);
    }
    munmap(watch, sizeof(*watch));
    return process > 0 ? result_of(&tracer) : STEP_FAILED;
}

#else

enum step_result step_run(
    void (*fn)(void *arg), void *arg, struct step_counts *counts)
{
    (void)fn;
    (void)arg;
    (void)counts;
    return STEP_UNAVAILABLE;
}

void step_watch(uint32_t line, const void *address)
{
    (void)line;
    (void)address;
}

void step_begin(void)
{
}

void step_end(void)
{
}

#endif
