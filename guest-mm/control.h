/* SPDX-License-Identifier: GPL-2.0 */
/* The memory.* files of a guest, and the limits behind them. */
#ifndef LODGE_MM_CONTROL_H
#define LODGE_MM_CONTROL_H

#include "guest-core/guest.h"
#include "guest-core/host.h"

/* Limits in bytes, or SIZE_UNLIMITED. */
enum memory_limit { LIMIT_MAX, LIMIT_MIN, LIMIT_ZSWAP, LIMIT_SWAP, LIMIT_COUNT };

/**
 * struct memory_control - configuration of a guest's memory
 * @limit: what holds now; written under guest->lock
 * @bound: what the administrator set last: others may stay below (guest->lock)
 * @swap_file: the swap file, or NULL; like the next two protected by one lock for all guests
 * @swap_path: its path as it was written
 * @swap_link: all guests that have a swap file
 */
struct memory_control {
	u64 limit[LIMIT_COUNT];
	u64 bound[LIMIT_COUNT];
	struct host_file *swap_file;
	char *swap_path;
	struct list_head swap_link;
};

/** memory_control_init() - a guest has got its pool or account; 0, -ENOMEM */
int memory_control_init(struct guest *guest);

/** memory_control_exit() - that is about to go, which closes the swap file */
void memory_control_exit(struct guest *guest);

/** memory_control_default() - memory.max of a guest for which nobody has set one */
void memory_control_default(struct guest *guest, unsigned long pages);

/** memory_files, account_files - the rows of memory.* of a guest with a pool, with an account */
extern const struct guest_file memory_files[];
extern const struct guest_file account_files[];

/* ---- control-swap.c ---- */

int swap_file_show(struct guest *guest, struct text *out);
int swap_file_store(struct guest *guest, char *value);

/** swap_file_forget() - the guest's swap file is no longer in use */
void swap_file_forget(struct guest *guest);

/** swap_file_limit() - apply memory.swap.max to the file, if there is one; guest->lock is held */
void swap_file_limit(struct guest *guest);

#endif /* LODGE_MM_CONTROL_H */
