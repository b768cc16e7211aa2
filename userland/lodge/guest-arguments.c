// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "description.h"
#include "error.h"
#include "guest-arguments.h"
#include "lodge.h"
#include "util.h"

static const struct option options[] = {
	{ "file", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 }
};

static void add(struct guests *guests, const char *name)
{
	guests->names = xrealloc(guests->names, guests->n + 1, sizeof(*guests->names));
	guests->names[guests->n++] = xstrdup(name);
}

/**
 * guests_described - list guests that a file describes, or end the program with the reason
 * @guests: filled in, in the order of the file; the caller frees it with guests_free()
 * @file: its path
 * @wanted: which of them
 */
void guests_described(struct guests *guests, const char *file, bool (*wanted)(const char *guest))
{
	struct description description;
	size_t i;

	*guests = (struct guests){ 0 };
	description_read(&description, file);
	for (i = 0; i < description.n; i++)
		if (wanted(description.guests[i].name))
			add(guests, description.guests[i].name);
}

/**
 * guests_from_arguments - parse the arguments of a command that takes guests and no other options
 * @guests: filled in; the caller frees it with guests_free(). Empty only if a file was given
 * @argc: of the command
 * @argv: of the command
 * @command: the command, for messages
 * @wanted: which guests of a file it can do something to
 *
 * Whoever names guests means these, whether they are wanted or not.
 *
 * Return: whether a file was given: its guests are not missed if they have ended by now.
 */
bool guests_from_arguments(struct guests *guests, int argc, char **argv,
			   const struct command *command, bool (*wanted)(const char *guest))
{
	const char *file = NULL;
	int opt;

	while ((opt = getopt_long(argc, argv, "f:h", options, NULL)) >= 0) {
		if (opt == 'f') {
			file = optarg;
		} else if (opt == 'h') {
			puts(command->usage);
			exit(0);
		} else {
			die_usage(command->name, NULL);
		}
	}
	*guests = (struct guests){ 0 };
	if (file && optind < argc)
		die_usage(command->name, "either a file or names");
	if (file)
		guests_described(guests, file, wanted);
	else if (optind == argc)
		die_usage(command->name, "no guest named");
	for (; optind < argc; optind++)
		add(guests, argv[optind]);
	return file;
}
