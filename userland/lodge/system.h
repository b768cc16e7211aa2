/* SPDX-License-Identifier: GPL-2.0 */
/* A full guest whose own init decides what runs: from its start to its end. */
#ifndef LODGE_SYSTEM_H
#define LODGE_SYSTEM_H

#include <stdbool.h>
#include <sys/types.h>

struct consoles;
struct devices;
struct kernel_log;
struct mconsole_relay;
struct net;

/**
 * struct system - such a guest
 * @name: its name, for messages
 * @guest: its process
 * @consoles: its consoles and serial lines
 * @log: what its kernel says if that is not at one of them
 * @management: its management console
 * @net: its networks
 * @devices: what it is given while it runs
 * @up: called once when its kernel can be talked to, or NULL
 */
struct system {
	const char *name;
	pid_t guest;
	struct consoles *consoles;
	struct kernel_log *log;
	struct mconsole_relay *management;
	struct net *net;
	struct devices *devices;
	void (*up)(const char *name);
};

int system_run(struct system *system);

#endif
