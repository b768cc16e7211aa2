// SPDX-License-Identifier: GPL-2.0
/* lodge stat: all figures of guests. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "error.h"
#include "full-figures.h"
#include "guests.h"
#include "lodge.h"
#include "report.h"
#include "rundir.h"
#include "settings.h"
#include "util.h"

enum { OPT_JSON = OPT_LONG_ONLY };

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ 0 }
};

static bool report_one(const char *guest)
{
	return is_full_guest(guest) ? full_report_text(guest) : report_text(guest);
}

static bool print_text(char **names, size_t n)
{
	bool all = true;
	size_t i;

	for (i = 0; i < n; i++) {
		if (i)
			putchar('\n');
		if (!report_one(names[i])) {
			warn_guest(names[i], NULL, "has gone");
			all = false;
		}
	}
	return all;
}

/* One guest asked for by name is an object; everything else is a list. */
static bool print_json(char **names, size_t n, bool as_list)
{
	struct json_object *list, *object;
	bool all = true;
	size_t i;

	list = json_object_new_array();
	for (i = 0; i < n; i++) {
		object = (is_full_guest(names[i]) ? full_report_json : report_json)(names[i]);
		if (object) {
			json_object_array_add(list, object);
		} else {
			warn_guest(names[i], NULL, "has gone");
			all = false;
		}
	}
	if (as_list) {
		report_print_json(list);
		return all;
	}
	if (all)
		report_print_json(json_object_get(json_object_array_get_idx(list, 0)));
	json_object_put(list);
	return all;
}

/* Confined guests, then full ones: of two that have one name, the confined one. */
static void read_all(struct guests *guests)
{
	struct guests full;
	size_t i;

	rundir_read(&full);
	guests_read_beside(guests, &full);
	for (i = 0; i < full.n; i++) {
		if (!is_full_guest(full.names[i]))
			continue;
		guests->names = xrealloc(guests->names, guests->n + 1, sizeof(*guests->names));
		guests->names[guests->n++] = xstrdup(full.names[i]);
	}
	guests_free(&full);
}

static int stat_main(int argc, char **argv)
{
	struct guests guests = { 0 };
	bool json = false, ok;
	char **names;
	size_t n;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (opt) {
		case OPT_JSON:
			json = true;
			break;
		case 'h':
			puts(cmd_stat.usage);
			return 0;
		default:
			die_usage("stat", NULL);
		}
	}
	names = argv + optind;
	n = argc - optind;
	if (n) {
		size_t i;

		for (i = 0; i < n; i++) {
			if (is_full_guest(names[i]))
				continue;
			if (strchr(names[i], '/'))
				full_guest_enter(names[i]);
			guest_check_exists(names[i]);
		}
	} else {
		read_all(&guests);
		names = guests.names;
		n = guests.n;
	}
	ok = json ? print_json(names, n, n != 1 || guests.n) : print_text(names, n);
	guests_free(&guests);
	return ok ? 0 : error_status();
}

const struct command cmd_stat = {
	.name = "stat",
	.run = stat_main,
	.summary = "show all figures of guests",
	.usage =
	"Usage: lodge stat [--json] [NAME]...\n"
	"Show all figures of the guests named, or of every guest.\n\n"
	"      --json             as JSON: an object for one guest named, else a list;\n"
	"                         members are called as the files are, sizes in bytes\n"
	"  -h, --help             show this",
};
