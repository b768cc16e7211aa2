// SPDX-License-Identifier: GPL-2.0
/* lodge ls: all guests, one line each. */
#include <json-c/json.h>
#include <stdio.h>

#include "error.h"
#include "full-figures.h"
#include "guest-arguments.h"
#include "guests.h"
#include "lodge.h"
#include "report.h"
#include "rundir.h"
#include "settings.h"
#include "table.h"
#include "util.h"

enum { OPT_JSON = OPT_LONG_ONLY };

static const struct option options[] = {
	{ "file", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 }
};

/* Both kinds, and how their figures are read. */
static struct kind {
	const char *name;
	bool (*read)(struct figures *figures, const char *guest);
	struct guests guests;
} kinds[] = {
	{ .name = "confined", .read = figures_read },
	{ .name = "full", .read = full_figures_read },
};

/* With a file, those of its guests that run; else all. */
static void read_kinds(const char *file)
{
	if (file) {
		guests_described(&kinds[1].guests, file, rundir_exists);
		return;
	}
	rundir_read(&kinds[1].guests);
	guests_read_beside(&kinds[0].guests, &kinds[1].guests);
}

static void print_names(void)
{
	const struct kind *kind;
	size_t i;

	for (kind = kinds; kind < kinds + ARRAY_SIZE(kinds); kind++)
		for (i = 0; i < kind->guests.n; i++)
			puts(kind->guests.names[i]);
}

static void print_table(void)
{
	static const char *const heads[] = { "NAME", "PROCS", "CURRENT", "MAX", "STORE", "SWAP" };
	struct table table = { .columns = ARRAY_SIZE(heads), .right = "lrrrrr" };
	const struct kind *kind;
	struct figures f;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (kind = kinds; kind < kinds + ARRAY_SIZE(kinds); kind++) {
		for (i = 0; i < kind->guests.n; i++) {
			if (!kind->read(&f, kind->guests.names[i]))
				continue;
			table_add(&table, kind->guests.names[i]);
			table_add_count(&table, f.procs);
			table_add_size(&table, f.current);
			table_add_size(&table, f.max);
			table_add_size(&table, f.store);
			table_add_size(&table, f.swap);
		}
	}
	table_print(&table);
}

static void add_json(struct json_object *list, const struct kind *kind, const char *name)
{
	struct json_object *guest;
	struct figures f;

	if (!kind->read(&f, name))
		return;
	guest = json_object_new_object();
	full_json_name(guest, name);
	json_object_object_add(guest, "kind", json_object_new_string(kind->name));
	json_object_object_add(guest, "procs", report_json_figure(f.procs));
	json_object_object_add(guest, "memory.current", report_json_figure(f.current));
	json_object_object_add(guest, "memory.max", report_json_figure(f.max));
	json_object_object_add(guest, "memory.zswap.current", report_json_figure(f.store));
	json_object_object_add(guest, "memory.swap.current", report_json_figure(f.swap));
	json_object_array_add(list, guest);
}

static void print_json(void)
{
	struct json_object *list = json_object_new_array();
	const struct kind *kind;
	size_t i;

	for (kind = kinds; kind < kinds + ARRAY_SIZE(kinds); kind++)
		for (i = 0; i < kind->guests.n; i++)
			add_json(list, kind, kind->guests.names[i]);
	report_print_json(list);
}

static int ls_main(int argc, char **argv)
{
	void (*print)(void) = print_table;
	struct kind *kind;
	const char *file = NULL;
	int opt;

	while ((opt = getopt_long(argc, argv, "f:hq", options, NULL)) >= 0) {
		switch (opt) {
		case 'f':
			file = optarg;
			break;
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
	read_kinds(file);
	print();
	for (kind = kinds; kind < kinds + ARRAY_SIZE(kinds); kind++)
		guests_free(&kind->guests);
	return 0;
}

const struct command cmd_ls = {
	.name = "ls",
	.run = ls_main,
	.summary = "list the guests",
	.usage =
	"Usage: lodge ls [OPTION]\n"
	"List the guests: processes, memory held, its limit, and of it the compressed store;\n"
	"what is in the swap file. Confined guests come first, then your own full guests; root\n"
	"sees those of other users, too, as USER/NAME.\n\n"
	"  -f, --file FILE        only full guests that FILE describes\n"
	"      --json             as JSON, sizes in bytes\n"
	"  -q, --quiet            names only\n"
	"  -h, --help             show this",
};
