/* SPDX-License-Identifier: GPL-2.0 */
/* What every sub-command of lodge needs: the command table's entry. */
#ifndef LODGE_H
#define LODGE_H

#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/**
 * struct command - one sub-command
 * @name: what the user types
 * @run: takes argv from the sub-command on; returns the exit status
 * @summary: one line for the list of commands
 * @usage: the text of --help, without a trailing newline
 */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
	const char *usage;
};

extern const struct command cmd_run, cmd_create, cmd_destroy, cmd_set;
extern const struct command cmd_ls, cmd_ps, cmd_stat, cmd_top, cmd_version;
extern const struct command cmd_boot, cmd_halt, cmd_kill, cmd_pause, cmd_resume, cmd_mconsole;
extern const struct command cmd_console, cmd_logs, cmd_rm;
extern const struct command cmd_image, cmd_disk, cmd_net, cmd_backup;

/* getopt_long() values of options that have no letter start here. */
enum { OPT_LONG_ONLY = 256 };

#endif
