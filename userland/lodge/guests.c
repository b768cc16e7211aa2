// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lodge/lodge.h"

#include "control.h"
#include "error.h"
#include "guests.h"
#include "keyvals.h"
#include "processes.h"
#include "util.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/**
 * guests_list - list what is in a directory that has an entry for each guest
 * @guests: filled in, sorted; the caller frees it with guests_free()
 * @directory: its path; the program ends if it cannot be read
 * @is_guest: whether an entry is one
 */
void guests_list(struct guests *guests, const char *directory, bool (*is_guest)(const char *name))
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	*guests = (struct guests){ 0 };
	if (!dir)
		die_errno(errno, "%s", directory);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !is_guest(entry->d_name))
			continue;
		guests->names = xrealloc(guests->names, guests->n + 1, sizeof(*guests->names));
		guests->names[guests->n++] = xstrdup(entry->d_name);
	}
	closedir(dir);
	if (guests->n)
		qsort(guests->names, guests->n, sizeof(*guests->names), by_name);
}

/**
 * guests_read - list all guests of the module; ends the program if there is no tree
 * @guests: filled in; the caller frees it with guests_free()
 */
void guests_read(struct guests *guests)
{
	guests_list(guests, control_root(), control_exists);
}

/**
 * guests_read_beside - list the confined guests, if the module is loaded
 * @guests: filled in; the caller frees it with guests_free()
 * @full: the full guests that run, which need no module
 *
 * That the module is not loaded is said if there is nothing else to be shown. Without full guests,
 * a tree that cannot be used ends the program.
 */
void guests_read_beside(struct guests *guests, const struct guests *full)
{
	char *why cleanup_free = NULL;
	int err = control_find(&why);

	*guests = (struct guests){ 0 };
	if (!err)
		guests_list(guests, control_root(), control_is_confined);
	else if (!full->n && err != -ENODEV)
		die("%s", why);
	else if (!full->n)
		warn("no full guest runs, and %s", why);
}

/** guests_free - give back what guests_list() took */
void guests_free(struct guests *guests)
{
	while (guests->n)
		free(guests->names[--guests->n]);
	free(guests->names);
	guests->names = NULL;
}

/** guest_name_is_valid - whether a guest can be called @guest */
bool guest_name_is_valid(const char *guest)
{
	return *guest && !guest[strspn(guest, NAME_BYTES)] && *guest != '.' && *guest != '-' &&
	       strlen(guest) <= LODGE_NAME_MAX;
}

/** guest_check_name - end the program, with the reason, if no guest can be called @guest */
void guest_check_name(const char *guest)
{
	size_t bad = strspn(guest, NAME_BYTES);

	if (!*guest)
		die("a guest's name cannot be empty");
	if (strchr(guest, '/'))
		die_guest(guest, "name", "has a slash: a name is not a path");
	if (guest[bad])
		die_guest(guest, "name",
			  "has a character other than letters, digits, '.', '_' and '-'");
	if (guest[0] == '.' || guest[0] == '-')
		die_guest(guest, "name", "begins with '%c'", guest[0]);
	if (strlen(guest) > LODGE_NAME_MAX)
		die_guest(guest, "name", "has more than %d characters", LODGE_NAME_MAX);
}

/**
 * guest_not_found - end the program because there is no guest of this name
 * @guest: the name
 * @kind: "guest", "full guest"
 * @guests: those that there are, one of which may have been meant
 */
noreturn void guest_not_found(const char *guest, const char *kind, const struct guests *guests)
{
	const char *near = nearest(guest, (const char *const *)guests->names, guests->n);

	if (near)
		die_guest(guest, NULL, "no such %s: did you mean '%s'?", kind, near);
	die_guest(guest, NULL, "no such %s", kind);
}

/** guest_check_exists - end the program, with the reason, if there is no guest @guest */
void guest_check_exists(const char *guest)
{
	struct guests guests;

	guest_check_name(guest);
	if (control_exists(guest))
		return;
	guests_read(&guests);
	guest_not_found(guest, "guest", &guests);
}

/**
 * guest_new_name - make up a name for a guest after the command it is for
 * @command: path or name of a program
 *
 * Return: such as "redis-3f2a" for /usr/bin/redis-server, not necessarily free yet; the
 * caller frees it.
 */
char *guest_new_name(const char *command)
{
	const char *base = strrchr(command, '/');
	unsigned int tail = 0;
	size_t len = 0;

	base = base ? base + 1 : command;
	while (len < LODGE_NAME_MAX / 2 && isalnum((unsigned char)base[len]) && isascii(base[len]))
		len++;
	if (getrandom(&tail, sizeof(tail), 0) < 0)
		die_errno(errno, "getrandom");
	if (!len)
		return xasprintf("guest-%04x", tail & 0xffff);
	return xasprintf("%.*s-%04x", (int)len, base, tail & 0xffff);
}

static unsigned long long figure(const char *guest, const char *file)
{
	unsigned long long bytes = FIGURE_NONE;

	control_read_size(guest, file, &bytes);
	return bytes;
}

/**
 * figures_read - read the figures of one guest
 * @figures: filled in
 * @guest: name
 *
 * Return: false when the guest has gone.
 */
bool figures_read(struct figures *figures, const char *guest)
{
	struct keyvals stat;
	struct pids pids;
	int err;

	*figures = (struct figures){
		.procs = FIGURE_NONE,
		.current = figure(guest, "memory.current"),
		.peak = figure(guest, "memory.peak"),
		.max = figure(guest, "memory.max"),
		.store = figure(guest, "memory.zswap.current"),
		.swap = figure(guest, "memory.swap.current"),
		.faults = FIGURE_NONE,
		.major = FIGURE_NONE,
		.refaults = FIGURE_NONE,
	};
	err = pids_read(&pids, guest);
	if (!err)
		figures->procs = pids.n;
	pids_free(&pids);
	/* It has gone, or is just going: its directory may stay a moment longer than its files. */
	if (err == -ENODEV || !control_exists(guest))
		return false;
	keyvals_read(&stat, guest, "memory.stat");
	keyvals_get(&stat, "pgfault", &figures->faults);
	keyvals_get(&stat, "pgmajfault", &figures->major);
	keyvals_get(&stat, "workingset_refault", &figures->refaults);
	keyvals_free(&stat);
	return true;
}
