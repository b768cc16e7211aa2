/* SPDX-License-Identifier: GPL-2.0 */
/* Guests: their names, and the figures that the overviews show. */
#ifndef LODGE_GUESTS_H
#define LODGE_GUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdnoreturn.h>
#include <limits.h>

/* What names are made of. */
#define NAME_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/**
 * struct guests - the names of all guests, sorted
 * @names: the names
 * @n: how many
 */
struct guests {
	char **names;
	size_t n;
};

void guests_list(struct guests *guests, const char *directory, bool (*is_guest)(const char *name));
void guests_read(struct guests *guests);
void guests_read_beside(struct guests *guests, const struct guests *full);
void guests_free(struct guests *guests);

bool guest_name_is_valid(const char *guest);
void guest_check_name(const char *guest);
noreturn void guest_not_found(const char *guest, const char *kind, const struct guests *guests);
void guest_check_exists(const char *guest);
char *guest_new_name(const char *command);

#define FIGURE_NONE (ULLONG_MAX - 1)

/**
 * struct figures - what an overview shows of one guest
 * @procs: number of processes
 * @current: bytes held: resident frames, the store, and tables
 * @peak: highest @current so far
 * @max: limit of @current, or SIZE_NO_LIMIT
 * @store: bytes of the store
 * @swap: bytes in the swap file
 * @faults: page faults so far
 * @major: those of them that waited for the swap file
 * @refaults: faults on pages evicted a short while ago
 *
 * A figure that this module does not have is FIGURE_NONE.
 */
struct figures {
	unsigned long long procs;
	unsigned long long current, peak, max, store, swap;
	unsigned long long faults, major, refaults;
};

bool figures_read(struct figures *figures, const char *guest);

#endif
