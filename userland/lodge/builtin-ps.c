// SPDX-License-Identifier: GPL-2.0
/* lodge ps: the processes of guests. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "error.h"
#include "full-figures.h"
#include "guests.h"
#include "lodge.h"
#include "processes.h"
#include "rundir.h"
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

/* Where a process of a full guest goes to. */
struct rows {
	struct table *table;
	const char *guest;
};

static void add_process(pid_t pid, unsigned long long memory, void *to)
{
	char *command cleanup_free = command_line(pid);
	const struct rows *rows = to;

	if (!command)
		return;
	table_add_count(rows->table, pid);
	table_add(rows->table, rows->guest);
	table_add_size(rows->table, memory);
	table_add(rows->table, command);
}

static void add_full(struct table *table, const char *guest)
{
	struct rows rows = { table, guest };

	full_processes(guest, add_process, &rows);
}

static void add_named(struct table *table, const char *guest)
{
	if (is_full_guest(guest))
		add_full(table, guest);
	else
		add_guest(table, guest);
}

static void add_all(struct table *table)
{
	struct guests guests, full;
	size_t i;

	rundir_read(&full);
	guests_read_beside(&guests, &full);
	for (i = 0; i < guests.n; i++)
		add_guest(table, guests.names[i]);
	guests_free(&guests);
	for (i = 0; i < full.n; i++)
		add_full(table, full.names[i]);
	guests_free(&full);
}

static int ps_main(int argc, char **argv)
{
	static const char *const heads[] = { "PID", "GUEST", "POOL", "COMMAND" };
	struct table table = { .columns = ARRAY_SIZE(heads), .right = "rlrl" };
	int opt, arg;
	size_t i;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (opt != 'h')
			die_usage("ps", NULL);
		puts(cmd_ps.usage);
		return 0;
	}
	for (arg = optind; arg < argc; arg++) {
		if (is_full_guest(argv[arg]))
			continue;
		if (strchr(argv[arg], '/'))
			full_guest_enter(argv[arg]);
		guest_check_exists(argv[arg]);
	}
	for (i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (arg = optind; arg < argc; arg++)
		add_named(&table, argv[arg]);
	if (optind == argc)
		add_all(&table);
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
	"has mapped (what processes share counts for each; '-' if you may not know). Those of a\n"
	"full guest are the host's processes that it consists of, and its pool is its memory.\n\n"
	"  -h, --help             show this",
};
