/* SPDX-License-Identifier: GPL-2.0 */
/* All consoles and serial lines of a full guest. */
#ifndef LODGE_CONSOLES_H
#define LODGE_CONSOLES_H

#include <stdbool.h>
#include <stddef.h>

struct console;
struct kernel_log;
struct poll_list;
struct pty_records;
struct shares;

/* As many as User-mode Linux has. */
#define CONSOLES_MAX 16
#define SERIAL_MAX 64

/**
 * struct consoles - what a guest has
 * @guest: its name, for messages
 * @list: in the order in which the user named them
 * @n: how many
 * @background: nobody is at lodge's own standard input and output
 * @record: directory that records of everything go to, or NULL
 * @ptys: records of the guest's pseudo-terminals, or NULL
 * @instance: descriptor of the guest in the host's kernel, to be told of sizes; others see to
 *	that themselves: -1
 */
struct consoles {
	const char *guest;
	struct console **list;
	size_t n;
	bool background;
	const char *record;
	struct pty_records *ptys;
	int instance;
};

void consoles_add(struct consoles *consoles, bool serial, const char *text);
void consoles_check(struct consoles *consoles, const struct shares *shares, bool sandbox);

struct console *consoles_find(const struct consoles *consoles, bool serial, unsigned int number);

void consoles_open(struct consoles *consoles, const char *guest, struct kernel_log *log);
void consoles_begin(struct consoles *consoles);
void consoles_poll(struct consoles *consoles, struct poll_list *list);
void consoles_move(struct consoles *consoles);
void consoles_resize(struct consoles *consoles);
void consoles_watch(struct consoles *consoles);
bool consoles_escaped(struct consoles *consoles);
void consoles_end(struct consoles *consoles);

int consoles_kernel_end(const struct consoles *consoles);
bool consoles_show_kernel(const struct consoles *consoles);
char **consoles_pass_on(const struct consoles *consoles);
void consoles_close_guest_ends(struct consoles *consoles);

#endif
