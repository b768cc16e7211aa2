// SPDX-License-Identifier: GPL-2.0
/* lodge ls: all guests, one line each. */
#include <json-c/json.h>
#include <stdio.h>

#include "error.h"
#include "guests.h"
#include "lodge.h"
#include "report.h"
#include "settings.h"
#include "table.h"
#include "util.h"

enum { OPT_JSON = OPT_LONG_ONLY };

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 }
};

static void print_names(const struct guests *guests)
{
	size_t i;

	for (i = 0; i < guests->n; i++)
		puts(guests->names[i]);
}

static void print_table(const struct guests *guests)
{
	static const char *const heads[] = { "NAME", "PROCS", "CURRENT", "MAX", "STORE", "SWAP" };
	struct table table = { .columns = ARRAY_SIZE(heads), .right = "lrrrrr" };
	struct figures f;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (i = 0; i < guests->n; i++) {
		if (!figures_read(&f, guests->names[i]))
			continue;
		table_add(&table, guests->names[i]);
		table_add_count(&table, f.procs);
		table_add_size(&table, f.current);
		table_add_size(&table, f.max);
		table_add_size(&table, f.store);
		table_add_size(&table, f.swap);
	}
	table_print(&table);
}

static void print_json(const struct guests *guests)
{
	struct json_object *list = json_object_new_array();
	struct json_object *guest;
	struct figures f;
	size_t i;

	for (i = 0; i < guests->n; i++) {
		if (!figures_read(&f, guests->names[i]))
			continue;
		guest = json_object_new_object();
		json_object_object_add(guest, "name", json_object_new_string(guests->names[i]));
		json_object_object_add(guest, "procs", report_json_figure(f.procs));
		json_object_object_add(guest, "memory.current", report_json_figure(f.current));
		json_object_object_add(guest, "memory.max", report_json_figure(f.max));
		json_object_object_add(guest, "memory.zswap.current", report_json_figure(f.store));
		json_object_object_add(guest, "memory.swap.current", report_json_figure(f.swap));
		json_object_array_add(list, guest);
	}
	report_print_json(list);
}

static int ls_main(int argc, char **argv)
{
	void (*print)(const struct guests *guests) = print_table;
	struct guests guests;
	int opt;

	while ((opt = getopt_long(argc, argv, "hq", options, NULL)) >= 0) {
		switch (opt) {
		case OPT_JSON:
			print = print_json;
			break;
		case 'q':
			print = print_names;
			break;
		case 'h':
			puts(cmd_ls.usage);
			return 0;
		default:
			die_usage("ls", NULL);
		}
	}
	if (optind < argc)
		die_usage("ls", "takes no names");
	guests_read(&guests);
	print(&guests);
	guests_free(&guests);
	return 0;
}

const struct command cmd_ls = {
	.name = "ls",
	.run = ls_main,
	.summary = "list the guests",
	.usage =
	"Usage: lodge ls [OPTION]\n"
	"List the guests: processes, memory held, its limit, and of it the compressed store;\n"
	"what is in the swap file.\n\n"
	"      --json             as JSON, sizes in bytes\n"
	"  -q, --quiet            names only\n"
	"  -h, --help             show this",
};
