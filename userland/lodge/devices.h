/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Disks and networks of a running guest: its kernel asks lodge boot for them, and who is outside
 * adds and removes them there.
 */
#ifndef LODGE_DEVICES_H
#define LODGE_DEVICES_H

#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "disk.h"
#include "hold.h"
#include "net.h"

#define DEVICES_CLIENTS 8
#define DEVICES_FDS (2 + 2 * DEVICES_CLIENTS)
#define DEVICES_PASSED 3

/* What can be asked for at a guest's RUNDIR_DEVICES. */
enum device_order {
	DEVICES_DISK_ADD,	/* files, open and locked: the answer is the unit */
	DEVICES_DISK_KEEP,	/* the kernel has it: it outlasts the connection */
	DEVICES_DISK_DROP,	/* the kernel has it no more */
	DEVICES_DISK_GET,	/* the first disk from this unit on, with its files; -1: none */
	DEVICES_NET_ADD,	/* standard error, directory, and of fd=N the descriptor */
	DEVICES_NET_KEEP,
	DEVICES_NET_DROP,
	DEVICES_NET_GET,
	DEVICES_HOLD,		/* all is written, and the guest stands still until the end of */
	DEVICES_RELEASE,	/* the connection, or this: the answer is the ms that were */
};

/**
 * struct device_message - a request, or the answer to one, in one packet
 * @order: what is asked for; in an answer 0, or 1: refused, and @text says why
 * @unit: which disk or interface; -1: none
 * @readonly: of a disk, as all until @data
 * @block: see struct disk
 * @size: see there
 * @bitmap: see there
 * @bitmap_length: see there
 * @data: see there
 * @mtu: of an interface
 * @mac: its address, if it has been chosen
 * @mac_given: it has
 * @plugged: the guest's kernel has asked for it
 * @ms: a time
 * @text: the file, what a network was asked for, or a reason
 * @more: the COW file, or the ports that are published, one a line
 */
struct device_message {
	unsigned int order;
	int unit;
	bool readonly, block, mac_given, plugged;
	unsigned long long size, bitmap, bitmap_length, data;
	unsigned int mtu;
	unsigned char mac[NET_MAC];
	long long ms;
	char text[PATH_MAX], more[PATH_MAX];
};

/**
 * struct device_client - a connection to RUNDIR_DEVICES
 * @fd: the connection, -1 for none
 * @disk: unit that was added and is not to be kept yet, or -1
 * @net: the same, of networks
 * @told: a server that is starting says there that it is ready; or -1
 */
struct device_client {
	int fd;
	int disk, net;
	int told;
};

/**
 * struct devices - those of a guest
 * @guest: its name
 * @disks: its disks
 * @net: its networks
 * @disk_asked: those that its kernel has asked for
 * @net_asked: the same, of networks
 * @line: packet socket to its kernel, -1 when that has gone
 * @guest_end: the kernel's end
 * @listener: where clients come
 * @clients: those that are here
 * @hold: of a backup
 * @holder: who wants it, or NULL
 * @held: and knows that it has it
 */
struct devices {
	const char *guest;
	struct disks *disks;
	struct net *net;
	bool disk_asked[DISKS_MAX], net_asked[NET_MAX];
	int line, guest_end, listener;
	struct device_client clients[DEVICES_CLIENTS];
	struct hold hold;
	struct device_client *holder;
	bool held;
};

void devices_open(struct devices *devices, const char *guest, struct disks *disks, struct net *net,
		  struct mconsole_relay *management);
void devices_poll(const struct devices *devices, struct pollfd fds[DEVICES_FDS]);
void devices_move(struct devices *devices, const struct pollfd fds[DEVICES_FDS]);
bool devices_wait(const struct devices *devices);

int device_listen(const char *path);
bool device_send(int fd, const struct device_message *message, const int *passed, size_t n);
bool device_receive(int fd, struct device_message *message, int passed[DEVICES_PASSED]);

int device_connect(const char *guest);
void device_ask(int fd, const char *guest, struct device_message *message, int *passed, size_t n);
void device_disk_message(struct device_message *message, const struct disk *disk);
bool device_message_disk(const struct device_message *message, const int *passed,
			 struct disk *disk);

#endif
