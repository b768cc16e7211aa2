// SPDX-License-Identifier: GPL-2.0
/* lodge ps: the processes of guests. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "error.h"
#include "guests.h"
#include "lodge.h"
#include "processes.h"
#include "settings.h"
#include "table.h"
#include "util.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ 0 }
};

/*
 * What a process has mapped of the pool. The kernel counts pool frames as file pages (RssFile), as
 * it does the page cache; smaps tells them apart by the mapping's name, but only to those who may
 * trace the process.
 */
static unsigned long long pool_rss(pid_t pid)
{
	char *path cleanup_free = xasprintf("/proc/%d/smaps", pid);
	FILE *smaps cleanup_file = fopen(path, "re");
	unsigned long long kb, total = 0;
	bool of_pool = false;
	char line[4352];

	if (!smaps)
		return FIGURE_NONE;
	while (fgets(line, sizeof(line), smaps)) {
		/* Only the lines that begin a mapping begin with a lower-case letter or a digit. */
		if (islower((unsigned char)line[0]) || isdigit((unsigned char)line[0]))
			of_pool = !!strstr(line, " [lodge:");
		else if (of_pool && sscanf(line, "Rss: %llu", &kb) == 1)
			total += kb << 10;
	}
	return ferror(smaps) ? FIGURE_NONE : total;
}

/* The command line, with what could upset a terminal replaced; NULL when the process has gone. */
static char *command_line(pid_t pid)
{
	char *path cleanup_free = xasprintf("/proc/%d/cmdline", pid);
	char *comm cleanup_free = xasprintf("/proc/%d/comm", pid);
	FILE *file cleanup_file = fopen(path, "re");
	char *name cleanup_free = NULL;
	char text[256];
	size_t len, i;

	if (!file)
		return NULL;
	len = fread(text, 1, sizeof(text) - 1, file);
	while (len && !text[len - 1])
		len--;
	for (i = 0; i < len; i++) {
		if (!text[i])
			text[i] = ' ';
		else if (iscntrl((unsigned char)text[i]))
			text[i] = '?';
	}
	text[len] = '\0';
	if (len)
		return xstrdup(text);
	name = control_read_path(comm);
	return name ? xasprintf("[%s]", name) : NULL;
}

static void add_guest(struct table *table, const char *guest)
{
	struct pids pids;
	size_t i;

	pids_read(&pids, guest);
	for (i = 0; i < pids.n; i++) {
		char *command cleanup_free = command_line(pids.list[i]);

		if (!command)
			continue;
		table_add_count(table, pids.list[i]);
		table_add(table, guest);
		table_add_size(table, pool_rss(pids.list[i]));
		table_add(table, command);
	}
	pids_free(&pids);
}

static int ps_main(int argc, char **argv)
{
	static const char *const heads[] = { "PID", "GUEST", "POOL", "COMMAND" };
	struct table table = { .columns = ARRAY_SIZE(heads), .right = "rlrl" };
	struct guests guests;
	int opt, arg;
	size_t i;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (opt != 'h')
			die_usage("ps", NULL);
		puts(cmd_ps.usage);
		return 0;
	}
	for (arg = optind; arg < argc; arg++)
		guest_check_exists(argv[arg]);
	for (i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (arg = optind; arg < argc; arg++)
		add_guest(&table, argv[arg]);
	if (optind == argc) {
		guests_read(&guests);
		for (i = 0; i < guests.n; i++)
			add_guest(&table, guests.names[i]);
		guests_free(&guests);
	}
	table_print(&table);
	return 0;
}

const struct command cmd_ps = {
	.name = "ps",
	.run = ps_main,
	.summary = "list the processes in guests",
	.usage =
	"Usage: lodge ps [NAME]...\n"
	"List the processes of the guests named, or of every guest: how much of the pool each\n"
	"has mapped (what processes share counts for each; '-' if you may not know).\n\n"
	"  -h, --help             show this",
};
