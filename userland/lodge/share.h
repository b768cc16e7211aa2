/* SPDX-License-Identifier: GPL-2.0 */
/* Directories of the host that a full guest may use. */
#ifndef LODGE_SHARE_H
#define LODGE_SHARE_H

#include <stdbool.h>
#include <stddef.h>

#define SHARES_MAX 16

/**
 * struct share - one directory
 * @path: its absolute path
 * @name: what the guest mounts it by: the last part of @path
 * @readonly: the guest cannot change it
 */
struct share {
	char *path;
	const char *name;
	bool readonly;
};

struct shares {
	struct share list[SHARES_MAX];
	size_t n;
};

void shares_add(struct shares *shares, const char *text);
char *find_directory(const char *option, const char *given);

#endif
