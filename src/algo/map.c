// SPDX-License-Identifier: MIT
//
// map — a loop whose body calls a function for each element.

#include "tenon/map.h"

#include <stdint.h>

static int map_range(tenon_task *self, size_t first, size_t end, void *context)
{
    const tenon_mapping *mapping = context;
    const char *from = mapping->from;
    char *to = (char *)mapping->to + first * mapping->to_size;
    int status = TENON_OK;

    from = from == NULL ? NULL : from + first * mapping->from_size;
    for (size_t i = first; i < end && status == TENON_OK; i++) {
        status = mapping->fn(self, from, to, mapping->context);
        from = from == NULL ? NULL : from + mapping->from_size;
        to += mapping->to_size;
    }
    return status;
}

// Could there be an array of so many elements?
static bool is_possible(size_t count, size_t size)
{
    size_t size_bytes = 0;

    return !__builtin_mul_overflow(count, size, &size_bytes) &&
           size_bytes <= PTRDIFF_MAX;
}

tenon_status tenon_parallel_map(
    const tenon_mapping *mapping, const tenon_parallel_options *options,
    tenon_report *report)
{
    if (mapping == NULL || mapping->fn == NULL || mapping->to_size == 0 ||
        (mapping->count != 0 &&
         (mapping->to == NULL ||
          (mapping->from == NULL && mapping->from_size != 0))) ||
        !is_possible(mapping->count, mapping->from_size) ||
        !is_possible(mapping->count, mapping->to_size)) {
        return TENON_EINVAL;
    }
    tenon_mapping copy = *mapping;

    return tenon_parallel_for(
        0, mapping->count, map_range, &copy, options, report);
}
