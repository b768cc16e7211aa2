// SPDX-License-Identifier: GPL-2.0
/* lodge version: of the command, and of the module if it is there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lodge/lodge.h"

#include "control.h"
#include "error.h"
#include "lodge.h"
#include "settings.h"
#include "util.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ 0 }
};

static void print_module(void)
{
	char *text cleanup_free = NULL;
	char *line, *value, *rest;
	char *why;

	if (control_find(&why)) {
		printf("module     none: %s\n", why);
		free(why);
		return;
	}
	text = control_read(NULL, "version");
	if (!text) {
		puts("module     none: the tree has no version file");
		return;
	}
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		value = strchr(line, ' ');
		if (value)
			*value++ = '\0';
		if (!strcmp(line, "version") && value)
			printf("module     %s\n", value);
		else
			printf("%-10s %s\n", line, value ? value : "");
	}
}

static int version_main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (opt != 'h')
			die_usage("version", NULL);
		puts(cmd_version.usage);
		return 0;
	}
	if (optind < argc)
		die_usage("version", "takes no arguments");
	puts("lodge      " LODGE_VERSION);
	print_module();
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.run = version_main,
	.summary = "show the version of the command and of the module",
	.usage =
	"Usage: lodge version\n"
	"Show the version of this command, and of the module and what is built into it, if it\n"
	"is loaded.\n\n"
	"  -h, --help             show this",
};
