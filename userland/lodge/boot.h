/* SPDX-License-Identifier: GPL-2.0 */
/* What lodge boot was asked for, and the two kinds of guests that it starts. */
#ifndef LODGE_BOOT_H
#define LODGE_BOOT_H

#include <getopt.h>
#include <stdbool.h>
#include <sys/types.h>

#include "consoles.h"
#include "devices.h"
#include "instance.h"
#include "machine.h"
#include "mconsole.h"
#include "net.h"
#include "order.h"

struct kernel_log;
struct section;

/**
 * struct boot - one lodge boot
 * @machine: the guest
 * @net: its networks
 * @consoles: its consoles and serial lines
 * @management: its management console
 * @devices: what it is given while it runs
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
 * @described: a file describes it
 * @is_detached: it is in the background already
 */
struct boot {
	struct machine machine;
	struct net net;
	struct consoles consoles;
	struct mconsole_relay management;
	struct devices devices;
	char *module;
	struct instance instance;
	struct kernel_log *log;
	const char *rootdir, *directory;
	char **command;
	struct strings environment;
	bool verbose, detach, named, described, is_detached;
};

pid_t boot_start(struct boot *boot);
int boot_failed(const struct boot *boot, int status, const char *how, bool show);
void boot_ended(struct boot *boot);

void boot_command_check(struct boot *boot);
int boot_command(struct boot *boot);

void boot_system_check(struct boot *boot);
int boot_system(struct boot *boot);

void boot_detach(void);
void boot_is_detached(int up, bool errors);
bool boot_is_heard(void);
void boot_up(const char *guest);

extern const struct option boot_options[];
bool boot_is_key(const struct option *option);
bool boot_is_given_once(const struct option *option);
void boot_take_option(struct boot *boot, int opt, const char *value);
void boot_check(struct boot *boot);

void boot_init(struct boot *boot);
void boot_describe(struct boot *boot, const struct section *guest);
int boot_run(struct boot *boot);
int boot_file(const char *file, const char *const *names, bool foreground);

#endif
