// SPDX-License-Identifier: MIT
//
// fault — the functions that the linker puts before those of the system.

#include "fault.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

typedef void *thread_fn(void *arg);

int __real_pthread_create(
    pthread_t *thread, const pthread_attr_t *attr, thread_fn *fn, void *arg);
void *__real_malloc(size_t size_bytes);
void *__real_calloc(size_t count, size_t size_bytes);
void *__real_aligned_alloc(size_t align, size_t size_bytes);
void *__real_mmap64(
    void *start, size_t size_bytes, int protection, int flags, int fd,
    off_t offset);

int __wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attr, thread_fn *fn, void *arg);
void *__wrap_malloc(size_t size_bytes);
void *__wrap_calloc(size_t count, size_t size_bytes);
void *__wrap_aligned_alloc(size_t align, size_t size_bytes);
// What mmap() is called in objects compiled with _FILE_OFFSET_BITS=64, as meson
// does.
void *__wrap_mmap64(
    void *start, size_t size_bytes, int protection, int flags, int fd,
    off_t offset);

static atomic_uint threads_left = FAULT_NEVER;
static atomic_uint memory_left = FAULT_NEVER;
static atomic_uint failed_count;
static void (*_Atomic on_thread)(void);
static void (*_Atomic on_memory)(void);

void fault_allow_threads(uint32_t count)
{
    atomic_store(&threads_left, count);
}

void fault_allow_memory(uint32_t count)
{
    atomic_store(&memory_left, count);
}

uint32_t fault_count(void)
{
    return atomic_load(&failed_count);
}

void fault_on_thread(void (*call)(void))
{
    atomic_store(&on_thread, call);
}

void fault_on_memory(void (*call)(void))
{
    atomic_store(&on_memory, call);
}

int fault_create_thread(pthread_t *thread, thread_fn *fn, void *arg)
{
    return __real_pthread_create(thread, NULL, fn, arg);
}

static bool is_allowed(atomic_uint *left)
{
    unsigned count = atomic_load(left);

    while (count != FAULT_NEVER) {
        if (count == 0) {
            atomic_fetch_add(&failed_count, 1);
            return false;
        }
        if (atomic_compare_exchange_weak(left, &count, count - 1)) {
            return true;
        }
    }
    return true;
}

int __wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attr, thread_fn *fn, void *arg)
{
    void (*call)(void) = atomic_load(&on_thread);

    if (!is_allowed(&threads_left)) {
        return EAGAIN;
    }
    if (call != NULL) {
        call();
    }
    return __real_pthread_create(thread, attr, fn, arg);
}

static bool is_memory_allowed(void)
{
    void (*call)(void) = atomic_load(&on_memory);

    if (is_allowed(&memory_left)) {
        return true;
    }
    if (call != NULL) {
        call();
    }
    return false;
}

void *__wrap_malloc(size_t size_bytes)
{
    return is_memory_allowed() ? __real_malloc(size_bytes) : NULL;
}

void *__wrap_calloc(size_t count, size_t size_bytes)
{
    return is_memory_allowed() ? __real_calloc(count, size_bytes) : NULL;
}

void *__wrap_aligned_alloc(size_t align, size_t size_bytes)
{
    return is_memory_allowed() ? __real_aligned_alloc(align, size_bytes) : NULL;
}

void *__wrap_mmap64(
    void *start, size_t size_bytes, int protection, int flags, int fd,
    off_t offset)
{
    if (!is_memory_allowed()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap64(start, size_bytes, protection, flags, fd, offset);
}
