/* SPDX-License-Identifier: GPL-2.0 */
/* The console of a full guest: a terminal that lodge holds, and who looks at it. */
#ifndef LODGE_CONSOLE_H
#define LODGE_CONSOLE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "frame.h"
#include "guest-log.h"
#include "kernel-log.h"
#include "terminal.h"

#define CONSOLE_CLIENTS 8
#define CONSOLE_FDS (CONSOLE_CLIENTS + 4)
#define CONSOLE_PENDING 65536
#define CONSOLE_UNSHOWN 4096

/**
 * struct console_client - a `lodge console`
 * @fd: a connection, -1 for none
 * @frame: what it is sending
 */
struct console_client {
	int fd;
	struct frame frame;
};

/**
 * struct console - the console of a guest
 * @terminal: lodge's end of it, -1 when the guest has gone
 * @guest_end: the guest's
 * @listener: where clients come
 * @clients: those that are here; each gets all output, and any may type
 * @kept: the last output
 * @file: all output, up to a limit
 * @stdio: lodge's own input and output take part, too
 * @input: standard input is read
 * @person: it is a terminal: read at all times, and what the guest is too slow for is dropped
 * @escape: of a user at standard input
 * @escaped: he has typed it
 * @pending: input that the guest has not taken
 * @pending_length: of it; while there is any, no client's input is read, and no file's
 * @unshown: output that standard output has not taken
 * @unshown_length: of it; while there is any, the guest waits
 */
struct console {
	int terminal, guest_end, listener;
	struct console_client clients[CONSOLE_CLIENTS];
	struct kernel_log *kept;
	struct guest_log file;
	bool stdio, input, person;
	struct escape escape;
	bool escaped;
	char pending[CONSOLE_PENDING];
	size_t pending_length;
	char unshown[CONSOLE_UNSHOWN];
	size_t unshown_length;
};

void console_open(struct console *console, struct kernel_log *kept, bool stdio);
void console_poll(const struct console *console, struct pollfd fds[CONSOLE_FDS]);
void console_move(struct console *console, const struct pollfd fds[CONSOLE_FDS]);
void console_resize(struct console *console);
void console_end(struct console *console);

#endif
