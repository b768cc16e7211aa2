/* SPDX-License-Identifier: GPL-2.0 */
/* Commands of several words: what the second says. */
#ifndef LODGE_ACTION_H
#define LODGE_ACTION_H

struct command;

/**
 * struct action - what can be done
 * @name: what the user types; NULL ends a list
 * @run: takes argv from there on; returns the exit status
 */
struct action {
	const char *name;
	int (*run)(int argc, char **argv);
};

int action_run(const struct command *command, const struct action *actions, const char *of,
	       int argc, char **argv);
void action_expect(const struct command *command, char **args, const char *what,
		   const char *const *wanted);

#endif
