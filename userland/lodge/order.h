/* SPDX-License-Identifier: GPL-2.0 */
/* The order that the init of a guest gets: the first frames of guest-linux/init/channel.h. */
#ifndef LODGE_ORDER_H
#define LODGE_ORDER_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct strings - zero-terminated strings behind each other; all zero: none
 * @bytes: of the strings; on the heap
 * @length: how many
 */
struct strings {
	char *bytes;
	size_t length;
};

/**
 * struct order - what is to be run in a guest, and how
 * @host: the guest's host name
 * @directory: where the command starts
 * @command: the command and its arguments, NULL behind them
 * @environment: NAME=VALUE
 * @terminal: it gets a terminal
 */
struct order {
	const char *host, *directory;
	char *const *command;
	struct strings environment;
	bool terminal;
};

void order_variable(struct strings *environment, const char *variable);
void order_write(struct strings *text, const struct order *order);

#endif
