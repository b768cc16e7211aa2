/* SPDX-License-Identifier: GPL-2.0 */
/* The init of a guest that runs one command over a directory of the host. */
#ifndef GUEST_LINUX_INIT_H
#define GUEST_LINUX_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdnoreturn.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#ifndef __printf
#define __printf_checked(text, first) format(printf, text, first)
#define __printf(text, first) __attribute__((__printf_checked(text, first)))
#endif

/**
 * struct order - what the host wants to be run
 * @terminal: the command gets a pseudo-terminal
 * @rows: of the terminal
 * @columns: of the terminal
 * @hostname: of the guest
 * @directory: where the command starts; "/" if there is no such directory
 * @argv: the command, ends with NULL
 * @envp: its environment, ends with NULL
 */
struct order {
	bool terminal;
	unsigned short rows, columns;
	const char *hostname;
	const char *directory;
	char **argv;
	char **envp;
};

/**
 * struct command - a command that runs
 * @pid: its process, leader of a session of its own
 * @input: where its input goes: a pipe or the terminal; -1 when closed
 * @output: what it says: a pipe or the terminal; -1 at its end
 * @error_output: what it says on standard error, or -1
 */
struct command {
	pid_t pid;
	int input, output, error_output;
};

noreturn void fail(const char *fmt, ...) __printf(1, 2);

void line_open(const char *path);
void line_send(unsigned int type, const void *data, size_t length);
void line_receive(struct order *order);
int line_fd(void);
void *line_frame(unsigned int *type, size_t *length);

void root_prepare(void);
void root_mount(const struct order *order);

void network_raise(void);

void command_start(struct command *command, const struct order *order);
unsigned int command_relay(struct command *command);

#endif
