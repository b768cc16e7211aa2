/* SPDX-License-Identifier: GPL-2.0 */
/* A full guest as a process of the host: User-mode Linux in a sandbox. */
#ifndef LODGE_MACHINE_H
#define LODGE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "disk.h"
#include "share.h"

struct consoles;
struct net;

#define PROCESSES_MIN 64UL
#define PROCESSES_MAX 4000000UL

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
 * @processes: most of them, threads included
 * @nice: how much less of the CPU it gets than others, as in nice(1)
 * @append: more for the kernel's command line, or NULL
 * @sandbox: in namespaces of its own, where nothing else of the host is
 * @filter: it makes no system calls of the host but those that it needs
 * @net: its networks, started, or NULL
 * @consoles: its consoles and serial lines, open, or NULL: it has @channel
 * @channel: file descriptor that is to be its first serial line, if it has no @consoles
 * @host: file descriptor at which its kernel asks for disks and networks
 * @log: file descriptor that its kernel's messages go to
 * @begun: set when its kernel could begin
 * @instance: file descriptor of the guest in the host's kernel that it becomes, or -1
 */
struct machine {
	const char *name;
	const char *kernel, *initramfs, *rootdir;
	struct disks disks;
	struct shares shares;
	char *const *init;
	unsigned long long memory;
	unsigned long processes;
	int nice;
	const char *append;
	bool sandbox, filter;
	const struct net *net;
	const struct consoles *consoles;
	int channel, host, log, instance;
	bool begun;
};

pid_t machine_start(struct machine *machine);
char *machine_reason(const struct machine *machine, int status, const char *log);

#endif
