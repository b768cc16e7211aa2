/* SPDX-License-Identifier: GPL-2.0 */
/* The sandbox of a full guest: how lodge hears that it is made, and gives it its limits. */
#ifndef LODGE_SANDBOX_H
#define LODGE_SANDBOX_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "syscall-filter.h"

/* What it runs; its messages begin with this. */
#define SANDBOX "bwrap"

/**
 * struct limits - what a guest may take of the host beside its memory
 * @processes: as many, threads included
 * @file: bytes of the longest file that it writes
 */
struct limits {
	rlim_t processes, file;
};

/**
 * struct sandbox - one that is being made
 * @filters: programs of system calls; -1: none
 * @news: pipe that it says its process on
 * @go: pipe on which it waits before the guest's kernel starts
 */
struct sandbox {
	int filters[SYSCALL_FILTERS];
	int news[2], go[2];
};

void sandbox_open(struct sandbox *sandbox, bool filtered);
bool sandbox_begin(struct sandbox *sandbox, const char *guest, const struct limits *limits);
void sandbox_allow_file(pid_t pid, rlim_t length);

#endif
