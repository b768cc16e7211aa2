/* SPDX-License-Identifier: GPL-2.0 */
/* A full guest as a process of the host: User-mode Linux in a sandbox. */
#ifndef LODGE_MACHINE_H
#define LODGE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "disk.h"
#include "share.h"

struct net;

/**
 * struct machine - what a full guest is started with
 * @name: its name
 * @kernel: absolute path of User-mode Linux, or of what becomes the guest in the host's kernel
 * @initramfs: absolute path, or NULL
 * @rootdir: absolute path of a directory that it may read, or NULL
 * @disks: ubda and so on; the first is its root unless it has @rootdir
 * @shares: directories that it may use; takes a sandbox
 * @init: program that the kernel of a guest without @rootdir runs first, and its arguments; NULL
 *	at once: what it finds
 * @memory: bytes
 * @append: more for the kernel's command line, or NULL
 * @sandbox: in namespaces of its own, where nothing else of the host is
 * @net: its networks, started, or NULL
 * @console: file descriptor that is to be its first console, a terminal, or -1
 * @channel: file descriptor that is to be its first serial line, or -1
 * @log: file descriptor that its kernel's messages go to
 * @instance: file descriptor of the guest in the host's kernel that it becomes, or -1
 */
struct machine {
	const char *name;
	const char *kernel, *initramfs, *rootdir;
	struct disks disks;
	struct shares shares;
	char *const *init;
	unsigned long long memory;
	const char *append;
	bool sandbox;
	const struct net *net;
	int console, channel, log, instance;
};

pid_t machine_start(const struct machine *machine);
char *machine_log_reason(const char *log);

#endif
