/* SPDX-License-Identifier: GPL-2.0 */
/* The user's own terminal: raw for a while, its size. */
#ifndef LODGE_TERMINAL_H
#define LODGE_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

/* How a user says that a key is for lodge: Ctrl-] three times within a second. */
struct escape {
	int count;
	long long first_ms;
};

bool escape_seen(struct escape *escape, const char *data, ssize_t length);

bool terminal_is_there(void);
void terminal_size(unsigned short *rows, unsigned short *columns);
void terminal_raw(void);
void terminal_restore(void);

#endif
