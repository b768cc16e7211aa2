/* SPDX-License-Identifier: GPL-2.0 */
/* A full guest whose own init decides what runs: from its start to its end. */
#ifndef LODGE_SYSTEM_H
#define LODGE_SYSTEM_H

#include <stdbool.h>
#include <sys/types.h>

struct console;
struct devices;
struct mconsole_relay;
struct net;

/**
 * struct system - such a guest
 * @name: its name, for messages
 * @guest: its process
 * @console: its console
 * @management: its management console
 * @net: its networks
 * @devices: what it is given while it runs
 * @up: called once when its kernel can be talked to, or NULL
 */
struct system {
	const char *name;
	pid_t guest;
	struct console *console;
	struct mconsole_relay *management;
	struct net *net;
	struct devices *devices;
	void (*up)(const char *name);
};

int system_run(struct system *system);

#endif
