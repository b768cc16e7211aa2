// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control.h"
#include "error.h"
#include "settings.h"
#include "size.h"
#include "util.h"

#define OPTIONS_MOST 32

/* The fields whose values can be checked before a guest exists, in the order to write them. */
static const struct field {
	const char *name;
	enum { TEXT, SIZE, SWITCH } type;
} fields[] = {
	{ "memory.swap.file", TEXT },
	{ "memory.swap.max", SIZE },
	{ "memory.zswap.max", SIZE },
	{ "memory.max", SIZE },
	{ "memory.min", SIZE },
	{ "memory.reclaim", SIZE },
	{ "autoremove", SWITCH },
};

static const struct field *find_field(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static struct setting *find_setting(const struct settings *s, const char *field)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (!strcmp(s->list[i].field, field))
			return &s->list[i];
	return NULL;
}

/** settings_add - note that @field is to get @value; a later value replaces an earlier one */
void settings_add(struct settings *s, const char *field, const char *value)
{
	struct setting *set = find_setting(s, field);

	if (set) {
		free(set->value);
		set->value = xstrdup(value);
		return;
	}
	s->list = xrealloc(s->list, s->n + 1, sizeof(*s->list));
	s->list[s->n++] = (struct setting){
		.field = xstrdup(field),
		.value = xstrdup(value),
	};
}

static const struct shared_option {
	const char *name;
	int value;
	const char *field;
} shared_options[] = {
	{ "memory", 'm', "memory.max" },
	{ "min", OPT_MIN, "memory.min" },
	{ "swap", OPT_SWAP, "memory.swap.file" },
	{ "swap-max", OPT_SWAP_MAX, "memory.swap.max" },
	{ "zswap-max", OPT_ZSWAP_MAX, "memory.zswap.max" },
};

static bool add_option(struct settings *s, int opt, const char *arg)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shared_options); i++) {
		if (shared_options[i].value == opt) {
			settings_add(s, shared_options[i].field, arg);
			return true;
		}
	}
	return false;
}

/**
 * settings_getopt - getopt_long() that takes the options run, create and set share by itself
 * @s: where their values go
 * @argc: as for getopt_long()
 * @argv: as for getopt_long()
 * @letters: letters of the command's own options, and m:
 * @own: the command's own long options, ended by an empty one
 *
 * Return: the next of the command's own options, '?' or -1.
 */
int settings_getopt(struct settings *s, int argc, char **argv, const char *letters,
		    const struct option *own)
{
	struct option all[OPTIONS_MOST] = { 0 };
	size_t i, n = 0;
	int opt;

	for (i = 0; i < ARRAY_SIZE(shared_options); i++)
		all[n++] = (struct option){
			.name = shared_options[i].name,
			.has_arg = required_argument,
			.val = shared_options[i].value,
		};
	for (i = 0; own[i].name && n < OPTIONS_MOST - 1; i++)
		all[n++] = own[i];
	do
		opt = getopt_long(argc, argv, letters, all, NULL);
	while (opt >= 0 && add_option(s, opt, optarg));
	return opt;
}

/** settings_get - the value noted for @field, or NULL */
const char *settings_get(const struct settings *s, const char *field)
{
	struct setting *set = find_setting(s, field);

	return set ? set->value : NULL;
}

static size_t rank(const struct setting *set)
{
	const struct field *field = find_field(set->field);

	return field ? (size_t)(field - fields) : ARRAY_SIZE(fields);
}

/**
 * settings_check - check the values, and bring them into the order to write them
 * @s: the settings
 * @guest: name for the error message; the guest need not exist
 *
 * Ends the program, with the reason, at the first bad value.
 */
void settings_check(struct settings *s, const char *guest)
{
	const struct field *field;
	char text[SIZE_TEXT];
	struct setting set;
	unsigned long long bytes;
	size_t i, j;

	for (i = 0; i < s->n; i++) {
		set = s->list[i];
		field = find_field(set.field);
		if (field && field->type == SIZE) {
			if (!size_parse(set.value, &bytes))
				die_guest(guest, set.field, "%s: not a size: %s", set.value,
					  "a whole number, with K, M, G or T if need be, or max");
			free(s->list[i].value);
			s->list[i].value = xstrdup(size_exact(text, bytes));
		} else if (field && field->type == SWITCH) {
			if (strcmp(set.value, "0") && strcmp(set.value, "1"))
				die_guest(guest, set.field, "%s: neither 0 nor 1", set.value);
		}
		set = s->list[i];
		for (j = i; j && rank(&s->list[j - 1]) > rank(&set); j--)
			s->list[j] = s->list[j - 1];
		s->list[j] = set;
	}
}

static bool can_be_set(const char *guest, const char *field)
{
	char *path cleanup_free = control_path(guest, field);
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && (st.st_mode & 0222);
}

static noreturn void die_unknown_field(const char *guest, const char *field)
{
	char *path cleanup_free = control_path(guest, NULL);
	const char **names = NULL;
	struct dirent *entry;
	const char *near;
	size_t n = 0;
	DIR *dir;

	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !can_be_set(guest, entry->d_name))
			continue;
		names = xrealloc(names, n + 1, sizeof(*names));
		names[n++] = xstrdup(entry->d_name);
	}
	near = nearest(field, names, n);
	if (near)
		die_guest(guest, field, "no such field: did you mean '%s'?", near);
	die_guest(guest, field, "no such field");
}

/** settings_check_fields - end the program, with the reason, if @guest has not all these fields */
void settings_check_fields(const struct settings *s, const char *guest)
{
	const char *field;
	size_t i;

	for (i = 0; i < s->n; i++) {
		char *path cleanup_free = NULL;

		field = s->list[i].field;
		path = control_path(guest, field);
		if (!strcmp(field, "procs"))
			die_guest(guest, field,
				  "a process binds itself: use 'lodge run --join %s'", guest);
		if (strchr(field, '/') || access(path, F_OK))
			die_unknown_field(guest, field);
		if (!can_be_set(guest, field))
			die_guest(guest, field, "can be read only");
	}
}

/* memory.min never exceeds memory.max: when both go down, the lower bound goes first. */
static void order_bounds(struct settings *s, const char *guest)
{
	struct setting *max = find_setting(s, "memory.max");
	struct setting *min = find_setting(s, "memory.min");
	unsigned long long now, then;
	struct setting set;

	if (!max || !min || control_read_size(guest, "memory.max", &now) ||
	    !size_parse(max->value, &then) || then >= now)
		return;
	set = *max;
	*max = *min;
	*min = set;
}

static void put_back(const struct settings *s, const char *guest, size_t n)
{
	const struct setting *set;
	char *why;

	while (n--) {
		set = &s->list[n];
		if (!set->old)
			warn_guest(guest, set->field, "done already, and cannot be undone");
		else if (control_write(guest, set->field, set->old, &why))
			warn_guest(guest, set->field, "stays %s, could not be put back: %s",
				   set->value, why);
		else
			warn_guest(guest, set->field, "put back to %s", set->old);
	}
}

/**
 * settings_apply - write the values to a guest's files
 * @s: settings that settings_check() has seen
 * @guest: name
 * @undo: on a refusal, put back what was written before it
 *
 * Says on stderr what was refused, why, and what was put back.
 *
 * Return: 0 or a negative error number.
 */
int settings_apply(struct settings *s, const char *guest, bool undo)
{
	char *why;
	size_t i;
	int err;

	order_bounds(s, guest);
	for (i = 0; i < s->n; i++) {
		if (undo) {
			free(s->list[i].old);
			s->list[i].old = control_read(guest, s->list[i].field);
		}
		err = control_write(guest, s->list[i].field, s->list[i].value, &why);
		if (err) {
			warn_guest(guest, s->list[i].field, "%s", why);
			free(why);
			if (undo)
				put_back(s, guest, i);
			return err;
		}
	}
	return 0;
}

/** settings_free - give back what settings_add() took */
void settings_free(struct settings *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		free(s->list[i].field);
		free(s->list[i].value);
		free(s->list[i].old);
	}
	free(s->list);
	*s = (struct settings){ 0 };
}
