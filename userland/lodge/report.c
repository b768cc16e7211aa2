// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "error.h"
#include "guests.h"
#include "keyvals.h"
#include "lodge.h"
#include "processes.h"
#include "report.h"
#include "size.h"
#include "util.h"

/*
 * The files of a guest and the keys of memory.stat, as they are grouped for reading. A key that is
 * not here is shown too, under "Other": the module may know more than this table.
 */
static const struct row {
	const char *group;
	const char *name;
	enum { FILE_SIZE_OF, FILE_TEXT, STAT_SIZE, STAT_COUNT } kind;
} rows[] = {
	{ "Memory", "memory.max", FILE_SIZE_OF },
	{ "Memory", "memory.min", FILE_SIZE_OF },
	{ "Memory", "memory.current", FILE_SIZE_OF },
	{ "Memory", "memory.peak", FILE_SIZE_OF },
	{ "Memory", "anon", STAT_SIZE },
	{ "Memory", "frames_cached", STAT_SIZE },
	{ "Memory", "frames_reserved", STAT_SIZE },
	{ "Memory", "metadata", STAT_SIZE },
	{ "Store", "memory.zswap.max", FILE_SIZE_OF },
	{ "Store", "memory.zswap.current", FILE_SIZE_OF },
	{ "Store", "zswapped", STAT_SIZE },
	{ "Store", "zswpin", STAT_COUNT },
	{ "Store", "zswpout", STAT_COUNT },
	{ "Store", "zswpwb", STAT_COUNT },
	{ "Same-filled pages", "same_filled", STAT_SIZE },
	{ "Same-filled pages", "same_filled_in", STAT_COUNT },
	{ "Same-filled pages", "same_filled_out", STAT_COUNT },
	{ "Swap", "memory.swap.file", FILE_TEXT },
	{ "Swap", "memory.swap.max", FILE_SIZE_OF },
	{ "Swap", "memory.swap.current", FILE_SIZE_OF },
	{ "Swap", "swapped", STAT_SIZE },
	{ "Swap", "pswpin", STAT_COUNT },
	{ "Swap", "pswpout", STAT_COUNT },
	{ "Faults", "pgfault", STAT_COUNT },
	{ "Faults", "pgmajfault", STAT_COUNT },
	{ "Faults", "workingset_refault", STAT_COUNT },
	{ "Faults", "cow", STAT_COUNT },
	{ "Faults", "waits", STAT_COUNT },
	{ "Faults", "wait_max_us", STAT_COUNT },
	{ "Reclaim", "pgscan", STAT_COUNT },
	{ "Reclaim", "pgsteal", STAT_COUNT },
	{ "Reclaim", "pgsteal_kswapd", STAT_COUNT },
	{ "Reclaim", "pgsteal_direct", STAT_COUNT },
	{ "Reclaim", "clean_drop", STAT_COUNT },
};

/* The same as memory.zswap.current. */
#define STAT_DOUBLE "zswap"

/** report_json_figure - a figure as JSON: a number, "max", or null for FIGURE_NONE */
struct json_object *report_json_figure(unsigned long long value)
{
	if (value == FIGURE_NONE)
		return NULL;
	if (value == SIZE_NO_LIMIT)
		return json_object_new_string("max");
	return json_object_new_uint64(value);
}

/** report_print_json - print an object and give it back */
void report_print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

static bool known(const char *key)
{
	size_t i;

	if (!strcmp(key, STAT_DOUBLE))
		return true;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].kind >= STAT_SIZE && !strcmp(rows[i].name, key))
			return true;
	return false;
}

static void print_group(const char *name)
{
	printf("  %s\n", name);
}

static void print_value(const char *name, const char *value)
{
	printf("    %-22s %10s\n", name, value);
}

/* The row's value as text, which the caller frees; NULL if this guest has no such figure. */
static char *row_value(const char *guest, const struct row *row, const struct keyvals *stat)
{
	unsigned long long value;
	char text[SIZE_TEXT];

	switch (row->kind) {
	case FILE_TEXT:
		return control_read(guest, row->name);
	case FILE_SIZE_OF:
		if (control_read_size(guest, row->name, &value))
			return NULL;
		return xstrdup(size_human(text, value));
	case STAT_SIZE:
		if (!keyvals_get(stat, row->name, &value))
			return NULL;
		return xstrdup(size_human(text, value));
	case STAT_COUNT:
		if (!keyvals_get(stat, row->name, &value))
			return NULL;
		return xasprintf("%llu", value);
	}
	return NULL;
}

static void print_rows(const char *guest, const struct keyvals *stat)
{
	const char *group = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char *value cleanup_free = row_value(guest, &rows[i], stat);

		if (!value)
			continue;
		if (!group || strcmp(group, rows[i].group))
			print_group(rows[i].group);
		group = rows[i].group;
		print_value(rows[i].name, value);
	}
}

static void print_keyvals(const char *group, const struct keyvals *kv, bool others_only)
{
	bool begun = false;
	size_t i;

	for (i = 0; i < kv->n; i++) {
		if (others_only && known(kv->list[i].key))
			continue;
		if (!begun)
			print_group(group);
		begun = true;
		printf("    %-22s %10llu\n", kv->list[i].key, kv->list[i].value);
	}
}

static void print_pids(const char *guest)
{
	struct pids pids;
	size_t i;

	if (!pids_read(&pids, guest)) {
		printf("  %-24s %10zu", "Processes", pids.n);
		for (i = 0; i < pids.n; i++)
			printf("%s%d", i ? " " : "  (", pids.list[i]);
		puts(pids.n ? ")" : "");
	}
	pids_free(&pids);
}

/**
 * report_text - print all figures of a guest for people
 * @guest: name
 *
 * Return: false, and nothing printed, when the guest has gone.
 */
bool report_text(const char *guest)
{
	struct keyvals stat, events;

	if (!control_exists(guest))
		return false;
	keyvals_read(&stat, guest, "memory.stat");
	keyvals_read(&events, guest, "memory.events");
	printf("%s\n", guest);
	print_pids(guest);
	print_rows(guest, &stat);
	print_keyvals("Other", &stat, true);
	print_keyvals("Events", &events, false);
	keyvals_free(&stat);
	keyvals_free(&events);
	return true;
}

static struct json_object *json_keyvals(const char *guest, const char *file)
{
	struct json_object *object = json_object_new_object();
	struct keyvals kv;
	size_t i;

	keyvals_read(&kv, guest, file);
	for (i = 0; i < kv.n; i++)
		json_object_object_add(object, kv.list[i].key,
				       json_object_new_uint64(kv.list[i].value));
	keyvals_free(&kv);
	return object;
}

static struct json_object *json_pids(const char *guest)
{
	struct json_object *list = json_object_new_array();
	struct pids pids;
	size_t i;

	pids_read(&pids, guest);
	for (i = 0; i < pids.n; i++)
		json_object_array_add(list, json_object_new_int(pids.list[i]));
	pids_free(&pids);
	return list;
}

/**
 * report_json - all figures of a guest
 * @guest: name
 *
 * Return: an object whose members are called as the files are, sizes in bytes; NULL when the
 * guest has gone. The caller gives it back.
 */
struct json_object *report_json(const char *guest)
{
	struct json_object *object;
	unsigned long long value;
	size_t i;

	if (!control_exists(guest))
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "name", json_object_new_string(guest));
	json_object_object_add(object, "procs", json_pids(guest));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text cleanup_free = NULL;

		if (rows[i].kind == FILE_SIZE_OF &&
		    !control_read_size(guest, rows[i].name, &value))
			json_object_object_add(object, rows[i].name, report_json_figure(value));
		if (rows[i].kind == FILE_TEXT)
			text = control_read(guest, rows[i].name);
		if (text)
			json_object_object_add(object, rows[i].name, json_object_new_string(text));
	}
	json_object_object_add(object, "memory.stat", json_keyvals(guest, "memory.stat"));
	json_object_object_add(object, "memory.events", json_keyvals(guest, "memory.events"));
	return object;
}
