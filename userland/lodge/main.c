// SPDX-License-Identifier: GPL-2.0
/* lodge: the command table, and what is common to all sub-commands. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "lodge.h"
#include "util.h"

static const struct command *const commands[] = {
	&cmd_run,
	&cmd_boot,
	&cmd_create,
	&cmd_destroy,
	&cmd_set,
	&cmd_ls,
	&cmd_ps,
	&cmd_stat,
	&cmd_top,
	&cmd_halt,
	&cmd_kill,
	&cmd_pause,
	&cmd_resume,
	&cmd_console,
	&cmd_logs,
	&cmd_rm,
	&cmd_mconsole,
	&cmd_disk,
	&cmd_net,
	&cmd_backup,
	&cmd_image,
	&cmd_version,
};

static void print_usage(void)
{
	size_t i;

	puts("Usage: lodge COMMAND [OPTION]... [ARG]...\n"
	     "Run groups of processes in guests: with memory, swap and limits of their own.\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	puts("\nExample: lodge run -m 64M --swap /var/tmp/swap:256M -- redis-server\n"
	     "'lodge COMMAND --help' tells more, and the manual page lodge(1).");
}

static const struct command *find_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands)];
	const char *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		names[i] = commands[i]->name;
		if (!strcmp(names[i], name))
			return commands[i];
	}
	near = nearest(name, names, ARRAY_SIZE(names));
	if (near)
		die("%s: not a command of lodge: did you mean '%s'?", name, near);
	die_usage(NULL, "%s: not a command of lodge", name);
}

/* Output that did not get out is a failure, of whatever command. */
static void check_output(void)
{
	errno = 0;
	if (fflush(stdout) || ferror(stdout)) {
		warn("standard output: %s", errno ? strerror(errno) : "write error");
		_exit(error_status());
	}
}

int main(int argc, char **argv)
{
	char *title cleanup_free = NULL;
	const struct command *command;

	atexit(check_output);
	if (argc < 2) {
		print_usage();
		return STATUS_FAILED;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") ||
	    (!strcmp(argv[1], "help") && argc == 2)) {
		print_usage();
		return 0;
	}
	if (!strcmp(argv[1], "help")) {
		puts(find_command(argv[2])->usage);
		return 0;
	}
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version"))
		return cmd_version.run(1, argv);

	command = find_command(argv[1]);
	/* getopt begins its messages with the name of the program. */
	title = xasprintf("lodge: %s", command->name);
	argv[1] = title;
	return command->run(argc - 1, argv + 1);
}
