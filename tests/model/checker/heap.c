// SPDX-License-Identifier: MIT
//
// heap — an arena that starts from its beginning again in every execution.
//
// The addresses are therefore the same each time, and replay is exact even for
// code that looks at them.

#include "checker/heap.h"

#include "checker/memory.h"
#include "checker/race.h"
#include "checker/thread.h"

#include <stdalign.h>
#include <string.h>

#define ARENA_BYTES ((size_t)4 << 20)
#define BLOCKS 512

static alignas(4096) char arena[ARENA_BYTES];
static size_t used_bytes;
static struct mc_block blocks[BLOCKS];
static int block_count;
static int failing_count;  // mc_heap_fail_next()

void mc_heap_reset(void)
{
    used_bytes = 0;
    block_count = 0;
    failing_count = 0;
}

void mc_heap_fail_next(int count)
{
    failing_count = count;
}

void *mc_heap_alloc(size_t size_bytes, size_t align, bool is_zero)
{
    size_t begin = (used_bytes + align - 1) & ~(align - 1);

    if (failing_count > 0) {
        failing_count--;
        return NULL;
    }
    if (block_count == BLOCKS || begin + size_bytes > ARENA_BYTES) {
        mc_fail("too much memory for the checker");
    }
    used_bytes = begin + size_bytes;
    memset(arena + begin, is_zero ? 0 : 0xa5, size_bytes);
    blocks[block_count++] = (struct mc_block){
        .begin = arena + begin,
        .size_bytes = size_bytes,
        .thread = mc_self->index,
        .clock = mc_thread_clock(),
    };
    return arena + begin;
}

const struct mc_block *mc_heap_find(const volatile void *address)
{
    const volatile char *byte = address;

    if (byte < arena || byte >= arena + used_bytes) {
        return NULL;
    }
    for (int i = block_count - 1; i >= 0; i--) {
        if (byte >= blocks[i].begin) {
            return byte < blocks[i].begin + blocks[i].size_bytes ? &blocks[i]
                                                                 : NULL;
        }
    }
    return NULL;
}

void mc_heap_free(void *memory)
{
    if (memory == NULL) {
        return;
    }
    struct mc_block *block = (struct mc_block *)mc_heap_find(memory);

    if (block == NULL || block->begin != memory || block->is_freed) {
        mc_fail("freed what is not allocated");
    }
    if (!mc_thread_knows(block->thread, block->clock)) {
        mc_fail(
            "freed by %s, to which its allocation was never published",
            mc_self->name);
    }
    mc_memory_retire(block);
    mc_race_retire(block);
    block->is_freed = true;
}

int mc_heap_living(void)
{
    int living = 0;

    for (int i = 0; i < block_count; i++) {
        living += blocks[i].is_freed ? 0 : 1;
    }
    return living;
}
