// SPDX-License-Identifier: MIT
//
// undo — a log of what plain writes have replaced in the program's own data.
//
// Stacks and the heap of an execution are not in there: both start anew.

#include "checker/undo.h"

#include "checker/model.h"

#include <stdint.h>
#include <string.h>

#define NOTES 4096

// Of the linker: around .data and .bss.
extern char __data_start[];
extern char _end[];

struct note {
    char *at;
    unsigned char size_bytes;
    char bytes[16];
};

static struct note notes[NOTES];
static int note_count;

static void note_piece(char *at, size_t size_bytes)
{
    if (note_count == NOTES) {
        mc_fail("too many plain writes for the checker");
    }
    struct note *note = &notes[note_count++];

    note->at = at;
    note->size_bytes = (unsigned char)size_bytes;
    memcpy(note->bytes, at, size_bytes);
}

void mc_undo_note(const volatile void *p, size_t size_bytes)
{
    char *at = (char *)p;

    if (at < __data_start || at >= _end) {
        return;
    }
    while (size_bytes > 0) {
        size_t piece = size_bytes < sizeof(notes->bytes) ? size_bytes
                                                         : sizeof(notes->bytes);
        note_piece(at, piece);
        at += piece;
        size_bytes -= piece;
    }
}

void mc_undo_all(void)
{
    while (note_count > 0) {
        const struct note *note = &notes[--note_count];
        memcpy(note->at, note->bytes, note->size_bytes);
    }
}
