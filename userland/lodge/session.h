/* SPDX-License-Identifier: GPL-2.0 */
/* One command in a full guest: its input, output, signals and exit status. */
#ifndef LODGE_SESSION_H
#define LODGE_SESSION_H

#include <stdbool.h>
#include <sys/types.h>

struct devices;
struct guest_log;
struct kernel_log;
struct mconsole_relay;
struct net;

/**
 * struct session - a guest that runs one command
 * @name: the guest's name, for messages
 * @guest: process of the guest
 * @channel: lodge's end of the serial line that channel.h describes
 * @log: what the guest's kernel says
 * @console: between its management console and who wants to talk to it
 * @net: its networks
 * @devices: what it is given while it runs
 * @order: data of the first frame
 * @order_length: of it
 * @terminal: the command has a terminal: ours is raw and resized with it
 * @guest_status: set to the exit status of the guest's process
 * @kept: takes what the command says, instead of our output; or NULL
 * @up: called once when the command runs
 * @runs: it does, or has
 */
struct session {
	const char *name;
	pid_t guest;
	int channel;
	struct kernel_log *log;
	struct mconsole_relay *console;
	struct net *net;
	struct devices *devices;
	const char *order;
	size_t order_length;
	bool terminal;
	int guest_status;
	struct guest_log *kept;
	void (*up)(const char *name);
	bool runs;
};

int session_run(struct session *session);

#endif
