// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "action.h"
#include "error.h"
#include "lodge.h"
#include "util.h"

/**
 * action_run - do what the next word says
 * @command: whose word it is
 * @actions: what there is
 * @of: for messages, the words between those two, each with ": " behind it
 * @argc: arguments
 * @argv: beginning with what has been understood
 *
 * Return: the exit status.
 */
int action_run(const struct command *command, const struct action *actions, const char *of,
	       int argc, char **argv)
{
	char *title cleanup_free = NULL;
	const struct action *action;

	if (argc > 1 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		puts(command->usage);
		return 0;
	}
	if (argc < 2)
		die_usage(command->name, "%sno action", of);
	for (action = actions; action->name; action++)
		if (!strcmp(argv[1], action->name))
			break;
	if (!action->name)
		die_usage(command->name, "%s%s: no such action", of, argv[1]);
	/* getopt begins its messages with it. */
	title = xasprintf("%s %s", argv[0], argv[1]);
	argv[1] = title;
	return action->run(argc - 1, argv + 1);
}

/** action_expect - end the program unless there are as many arguments as words in @wanted */
void action_expect(const struct command *command, char **args, const char *what,
		   const char *const *wanted)
{
	for (; *wanted && *args; wanted++)
		args++;
	if (*wanted)
		die_usage(command->name, "%s: no %s", what, *wanted);
	if (*args)
		die_usage(command->name, "%s: %s: one argument too many", what, *args);
}
