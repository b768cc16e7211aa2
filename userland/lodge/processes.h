/* SPDX-License-Identifier: GPL-2.0 */
/* The processes of a guest: which they are, and ending them. */
#ifndef LODGE_PROCESSES_H
#define LODGE_PROCESSES_H

#include <stddef.h>
#include <sys/types.h>

/**
 * struct pids - process ids, as the reader's pid namespace has them
 * @list: the ids, ascending
 * @n: how many
 */
struct pids {
	pid_t *list;
	size_t n;
};

int pids_read(struct pids *pids, const char *guest);
void pids_free(struct pids *pids);
size_t processes_end(const char *guest);

#endif
