/* SPDX-License-Identifier: GPL-2.0 */
/* The first process of the test machine. Its orders come in /order (see order.c). */
#ifndef LODGE_INIT_H
#define LODGE_INIT_H

#include <stdbool.h>

#define MAX_ARGS	256
#define MAX_ENV		256
#define MAX_SHARES	16

/**
 * struct order - what this boot is for
 * @argv: the command, NULL-terminated
 * @env: its environment, NULL-terminated
 * @cwd: its working directory
 * @module: path of a module to load first, or NULL
 * @params: parameters of that module
 * @shares: "tag:path" of folders to mount read-write over the read-only root
 * @disk: where the first disk is mounted, or NULL
 * @limit: seconds until the machine is stopped from outside, 0 if never
 * @tty: the command gets a terminal (hvc0) instead of pipes
 * @rows, @cols: the size of that terminal
 * @keep_tmp: the caller works below /tmp, so it must be seen
 * @input: the command gets the caller's standard input
 */
struct order {
	char *argv[MAX_ARGS + 1];
	char *env[MAX_ENV + 1];
	const char *cwd;
	const char *module;
	const char *params;
	char *shares[MAX_SHARES + 1];
	const char *disk;
	unsigned int limit;
	bool tty;
	unsigned short rows, cols;
	bool keep_tmp;
	bool input;
};

/* init.c: the way out when the machine cannot be set up */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* order.c */
void order_read(struct order *order);

/* setup.c: each ends in die() if it cannot do its work */
void setup_early_mounts(void);
void setup_modules(void);
void setup_root(const struct order *order);
void setup_module(const struct order *order);
int setup_port(const char *name, int flags);

/* session.c: run the command; its wait status */
int session_run(const struct order *order);
/* session.c: end what the command left running; how many would not die */
int session_sweep(void);

#endif /* LODGE_INIT_H */
