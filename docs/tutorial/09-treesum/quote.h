// SPDX-License-Identifier: MIT
//
// quote — file names in messages: between quotation marks, nothing in them that
// a terminal would take for a command.

#ifndef TREESUM_QUOTE_H
#define TREESUM_QUOTE_H

/// So much of a name is shown, in bytes, marks and end included.
enum { QUOTE_SIZE = 384 };

/// Write `name` between quotation marks. What does not print in the locale's
/// character set becomes \n, \r, \t or \ooo (octal). Of a name too long the end
/// is shown.
///
/// Threads:  any.
void quote_name(char quoted[static QUOTE_SIZE], const char *name);

#endif
