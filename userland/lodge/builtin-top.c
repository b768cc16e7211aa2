// SPDX-License-Identifier: GPL-2.0
/* lodge top: guests live, or as plain text again and again. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "error.h"
#include "lodge.h"
#include "settings.h"
#include "table.h"
#include "top.h"
#include "util.h"

#define DELAY_LEAST 0.05
#define DELAY_MOST 3600

static const struct option options[] = {
	{ "batch", no_argument, NULL, 'b' },
	{ "delay", required_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ "iterations", required_argument, NULL, 'n' },
	{ "sort", required_argument, NULL, 's' },
	{ 0 }
};

static void add_rate(struct table *table, double rate)
{
	table_add_count(table, rate < 0 ? FIGURE_NONE : (unsigned long long)(rate + 0.5));
}

static void print_sample(const struct top *top)
{
	static const char *const heads[] = {
		"NAME", "PROCS", "CURRENT", "MAX", "STORE", "SWAP",
		"FAULT/s", "MAJOR/s", "REFAULT/s",
	};
	struct table table = { .columns = ARRAY_SIZE(heads), .right = "lrrrrrrrr" };
	const struct top_row *row;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (i = 0; i < top->n; i++) {
		row = &top->rows[i];
		table_add(&table, row->name);
		table_add_count(&table, row->now.procs);
		table_add_size(&table, row->now.current);
		table_add_size(&table, row->now.max);
		table_add_size(&table, row->now.store);
		table_add_size(&table, row->now.swap);
		add_rate(&table, row->faults);
		add_rate(&table, row->major);
		add_rate(&table, row->refaults);
	}
	table_print(&table);
}

static void sleep_for(double seconds)
{
	const struct timespec time = {
		.tv_sec = seconds,
		.tv_nsec = (seconds - floor(seconds)) * 1e9,
	};

	nanosleep(&time, NULL);
}

/* Rates need two samples: the one that top_main() took is never printed. */
static void batch(struct top *top, long iterations, double delay)
{
	long i;

	for (i = 0; !iterations || i < iterations; i++) {
		sleep_for(delay);
		top_sample(top);
		if (i)
			putchar('\n');
		print_sample(top);
		if (fflush(stdout))
			die_errno(errno, "top");
	}
}

static double parse_delay(const char *text)
{
	char *end;
	double delay = strtod(text, &end);

	if (end == text || *end || !(delay >= DELAY_LEAST && delay <= DELAY_MOST))
		die_usage("top", "delay: %s: not a number of seconds from %g to %d", text,
			  DELAY_LEAST, DELAY_MOST);
	return delay;
}

static long parse_iterations(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 1)
		die_usage("top", "iterations: %s: not a number from 1", text);
	return n;
}

static enum top_order parse_order(const char *text)
{
	const char *near;
	size_t i;

	for (i = 0; i < TOP_ORDERS; i++)
		if (!strcmp(text, top_order_names[i]))
			return i;
	near = nearest(text, top_order_names, TOP_ORDERS);
	if (near)
		die_usage("top", "sort: %s: did you mean '%s'?", text, near);
	die_usage("top", "sort: %s: not one of name, memory, faults, swap", text);
}

static int top_main(int argc, char **argv)
{
	struct top top = { .order = TOP_BY_MEMORY };
	bool plain = false;
	double delay = 1;
	long iterations = 0;
	int opt;

	while ((opt = getopt_long(argc, argv, "bd:hn:s:", options, NULL)) >= 0) {
		switch (opt) {
		case 'b':
			plain = true;
			break;
		case 'd':
			delay = parse_delay(optarg);
			break;
		case 'n':
			iterations = parse_iterations(optarg);
			break;
		case 's':
			top.order = parse_order(optarg);
			break;
		case 'h':
			puts(cmd_top.usage);
			return 0;
		default:
			die_usage("top", NULL);
		}
	}
	if (optind < argc)
		die_usage("top", "takes no names");
	if (iterations && !plain)
		die_usage("top", "--iterations needs --batch");
	control_root();
	if (!plain && !isatty(STDOUT_FILENO))
		die("top: the output is not a terminal: use --batch");
	top_sample(&top);
	if (plain)
		batch(&top, iterations, delay);
	else
		top_screen(&top, delay);
	top_free(&top);
	return 0;
}

const struct command cmd_top = {
	.name = "top",
	.run = top_main,
	.summary = "watch the guests live",
	.usage =
	"Usage: lodge top [OPTION]...\n"
	"Watch the guests: memory held against the limit, the compressed store, the swap file,\n"
	"and page faults per second.\n\n"
	"  -b, --batch            plain text, for a pipe or a file\n"
	"  -n, --iterations N     end after N samples (with --batch)\n"
	"  -d, --delay SECONDS    time between samples (1)\n"
	"  -s, --sort KEY         name, memory (default), faults or swap\n"
	"  -h, --help             show this\n\n"
	"Keys: q quit, s sort by the next key, r reverse, + and - delay, arrows scroll.",
};
