/* SPDX-License-Identifier: GPL-2.0 */
/* What lodge boot was asked for, and the two kinds of guests that it starts. */
#ifndef LODGE_BOOT_H
#define LODGE_BOOT_H

#include <stdbool.h>
#include <sys/types.h>

#include "instance.h"
#include "machine.h"
#include "mconsole.h"
#include "net.h"
#include "order.h"

struct kernel_log;

/**
 * struct boot - one lodge boot
 * @machine: the guest
 * @net: its networks
 * @management: its management console
 * @module: its kernel, if that is a module of the host's kernel, or NULL
 * @instance: with @module, the guest in there
 * @log: what it has said
 * @rootdir: the directory that it runs a command over, or NULL: it has disks
 * @directory: where the command starts, or NULL
 * @command: what to run, or NULL at once: of a system, its init
 * @environment: of the command
 * @verbose: show what its kernel says
 * @detach: it goes on in the background
 * @named: the user has chosen the name
 */
struct boot {
	struct machine machine;
	struct net net;
	struct mconsole_relay management;
	char *module;
	struct instance instance;
	struct kernel_log *log;
	const char *rootdir, *directory;
	char **command;
	struct strings environment;
	bool verbose, detach, named;
};

pid_t boot_start(struct boot *boot);
void boot_ended(struct boot *boot);
int boot_failed(const struct boot *boot, const char *how, bool show);

void boot_command_check(struct boot *boot);
int boot_command(struct boot *boot);

void boot_system_check(struct boot *boot);
void boot_system_detach(void);
int boot_system(struct boot *boot);

#endif
