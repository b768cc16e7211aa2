/* SPDX-License-Identifier: GPL-2.0 */
/* One console or serial line of a guest, what can be behind it, and who is there. */
#ifndef LODGE_CONSOLE_KIND_H
#define LODGE_CONSOLE_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "console-log.h"
#include "error.h"

#define CONSOLE_CLIENTS 8
#define CONSOLE_PENDING 65536
/* What is read at once from the guest, and from somebody who types. */
#define CONSOLE_OUTPUT 4096
#define CONSOLE_INPUT 1024

struct console_peer;
struct consoles;
struct poll_list;
struct record;

/**
 * struct console - a console or a serial line
 * @kind: what is behind it
 * @text: as the user gave it, or what it is if he gave nothing
 * @serial: it is a serial line
 * @number: the guest's: /dev/tty1, /dev/ttyS1
 * @id: "1", "s1": lodge's name for it
 * @where: which one of its kind: descriptors, a port, a program; NULL if nothing was said
 * @raw: no protocol on top of what is said
 * @login: systemd is asked for a login there
 * @record_file: the record that the user wants of it, or NULL
 * @consoles: all of the guest
 * @terminal: lodge's end of it; -1 when the guest has gone, or there is no terminal
 * @guest_end: the guest's, until it has been started
 * @terminal_ready: what poll() found
 * @listener: where `lodge console` comes
 * @listener_ready: what poll() found
 * @log: all that the guest has said
 * @peers: who is there; each gets all output, and any may type
 * @pending: input that the guest has not taken
 * @pending_length: of it; while there is any, nobody's input is read but a user's at a terminal
 * @escaped: he has typed the escape key
 * @rows: of its window
 * @columns: of its window
 * @record: of what is said in either direction, or NULL
 * @private: of the kind
 */
struct console {
	const struct console_kind *kind;
	const char *text;
	bool serial;
	unsigned int number;
	char id[8];
	char *where;
	bool raw, login;
	char *record_file;
	const struct consoles *consoles;
	int terminal, guest_end;
	short terminal_ready;
	int listener;
	short listener_ready;
	struct console_log log;
	struct console_peer *peers;
	char pending[CONSOLE_PENDING];
	size_t pending_length;
	bool escaped;
	unsigned short rows, columns;
	struct record *record;
	void *private;
};

/**
 * struct console_kind - what can be behind a console
 * @name: what the user types
 * @alias: another name for it, or NULL
 * @value: what stands behind its name and "=", for messages; NULL: nothing does
 * @value_needed: nothing else will do
 * @can_be_raw: it has the key "raw"
 * @argument: what the guest's kernel makes of it by itself, without a terminal; NULL for others
 * @check: see that it can be, or end the program with a message; or NULL
 * @open: make it ready, or end the program with a message; or NULL
 * @begin: the guest has been started; or NULL
 * @poll: what else than its peers to wait for; or NULL
 * @move: pass on what poll() found; or NULL
 * @resized: the window of standard output has changed; or NULL
 * @watch: a child of lodge's may have ended; or NULL
 * @place: where it is, for people; the caller frees it; or NULL: @where
 * @close: leave nothing behind; or NULL
 *
 * All but @check have the guest's directory as the working directory.
 */
struct console_kind {
	const char *name, *alias, *value;
	bool value_needed, can_be_raw;
	const char *argument;
	void (*check)(struct console *console);
	void (*open)(struct console *console);
	void (*begin)(struct console *console);
	void (*poll)(struct console *console, struct poll_list *list);
	void (*move)(struct console *console);
	void (*resized)(struct console *console);
	void (*watch)(struct console *console);
	char *(*place)(const struct console *console);
	void (*close)(struct console *console);
};

extern const struct console_kind console_stdio, console_fd, console_pty, console_port;
extern const struct console_kind console_xterm, console_attach, console_null, console_none;

noreturn void console_die(const struct console *console, const char *fmt, ...) __printf(2, 3);

void console_open(struct console *console, struct kernel_log *kept);
void console_poll(struct console *console, struct poll_list *list);
void console_move(struct console *console);
void console_end(struct console *console);

void console_input(struct console *console, const char *data, size_t length);
void console_set_size(struct console *console, unsigned short rows, unsigned short columns);
bool console_listens(const struct console *console);
bool console_has_room(const struct console *console);

void console_client_open(struct console *console);
void console_client_accept(struct console *console);
void console_client_close(struct console *console);

#endif
