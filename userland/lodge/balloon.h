/* SPDX-License-Identifier: GPL-2.0 */
/* memory.max of a guest in the kernel, whose own kernel has to know of it. */
#ifndef LODGE_BALLOON_H
#define LODGE_BALLOON_H

#include <stdbool.h>

/**
 * struct balloon - memory that a guest is to do without, or gets back
 * @guest: its name; NULL: nothing is to be done
 * @shrinks: it is to do without
 * @bytes: how much
 */
struct balloon {
	const char *guest;
	bool shrinks;
	unsigned long long bytes;
};

void balloon_plan(struct balloon *balloon, const char *guest, const char *max);
bool balloon_before(const struct balloon *balloon);
void balloon_after(const struct balloon *balloon, bool changed);

#endif
