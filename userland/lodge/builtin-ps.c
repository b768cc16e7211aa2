// SPDX-License-Identifier: GPL-2.0
/* lodge ps: the processes of guests. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "control.h"
#include "error.h"
#include "guests.h"
#include "lodge.h"
#include "processes.h"
#include "settings.h"
#include "table.h"
#include "util.h"

/* Numbers of fields of /proc/PID/stat, as proc(5) counts them. */
#define STAT_COMM 2
#define STAT_ARG_START 48

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
	errno = 0;
	while (fgets(line, sizeof(line), smaps)) {
		/* Only the lines that begin a mapping begin with a lower-case letter or a digit. */
		if (islower((unsigned char)line[0]) || isdigit((unsigned char)line[0]))
			of_pool = !!strstr(line, " [lodge:");
		else if (of_pool && sscanf(line, "Rss: %llu", &kb) == 1)
			total += kb << 10;
	}
	return ferror(smaps) ? FIGURE_NONE : total;
}

/*
 * The arguments of a process, separated by zero bytes. /proc/PID/cmdline is empty for most
 * processes of a guest, because the kernel reads it from anonymous memory only: then they are
 * fetched from where /proc/PID/stat says that they are, which takes the right to trace it.
 */
static size_t read_arguments(pid_t pid, char *text, size_t room)
{
	char *cmdline cleanup_free = xasprintf("/proc/%d/cmdline", pid);
	char *stat_path cleanup_free = xasprintf("/proc/%d/stat", pid);
	char *stat cleanup_free = NULL;
	FILE *file cleanup_file = fopen(cmdline, "re");
	struct iovec here = { .iov_base = text }, there;
	unsigned long begin, end;
	const char *field;
	ssize_t n;
	int i;

	n = file ? fread(text, 1, room, file) : 0;
	stat = n ? NULL : control_read_path(stat_path);
	/* The name in parentheses may have anything in it; fields are counted behind it. */
	field = stat ? strrchr(stat, ')') : NULL;
	for (i = STAT_COMM; field && i < STAT_ARG_START; i++)
		field = strchr(field + 1, ' ');
	if (!field || sscanf(field, "%lu %lu", &begin, &end) != 2 || end <= begin)
		return n;
	there.iov_base = (void *)begin;
	here.iov_len = end - begin < room ? end - begin : room;
	there.iov_len = here.iov_len;
	n = process_vm_readv(pid, &here, 1, &there, 1, 0);
	return n < 0 ? 0 : n;
}

/* The command line, with what could upset a terminal replaced; NULL when the process has gone. */
static char *command_line(pid_t pid)
{
	char *comm cleanup_free = xasprintf("/proc/%d/comm", pid);
	char *name cleanup_free = NULL;
	char text[256];
	size_t len, i;

	len = read_arguments(pid, text, sizeof(text) - 1);
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
