// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "control.h"
#include "full-figures.h"
#include "guests.h"
#include "report.h"
#include "rundir.h"
#include "size.h"
#include "util.h"

/* The guest's memory is one memfd, which its kernel has mapped as a whole. */
static unsigned long long shared_memory(pid_t pid)
{
	char *path cleanup_free = xasprintf("/proc/%d/status", pid);
	char *text cleanup_free = control_read_path(path);
	const char *line = text ? strstr(text, "\nRssShmem:") : NULL;

	return line ? strtoull(line + strlen("\nRssShmem:"), NULL, 10) * 1024 : 0;
}

/* Calls @each for a process and all below it. */
static void walk(pid_t pid, void (*each)(pid_t pid, unsigned long long memory, void *to), void *to)
{
	char *path cleanup_free = xasprintf("/proc/%d/task/%d/children", pid, pid);
	char *text cleanup_free = control_read_path(path);
	char *at = text, *end;
	long child;

	each(pid, shared_memory(pid), to);
	while (at && (child = strtol(at, &end, 10)) > 0) {
		walk(child, each, to);
		at = end;
	}
}

/**
 * full_processes - go through the host's processes that a full guest consists of
 * @guest: name
 * @each: called for each, with what it has mapped of the guest's memory, in bytes
 * @to: for @each
 *
 * Return: false when the guest has gone.
 */
bool full_processes(const char *guest, void (*each)(pid_t pid, unsigned long long memory, void *to),
		    void *to)
{
	pid_t pid;

	if (!rundir_enter(guest))
		return false;
	pid = rundir_number(RUNDIR_PID);
	if (pid > 1)
		walk(pid, each, to);
	rundir_leave();
	return true;
}

/* One of them has mapped all of the memory that is in use: the guest's kernel. */
static void count(pid_t pid, unsigned long long memory, void *to)
{
	struct figures *figures = to;

	(void)pid;
	figures->procs++;
	if (memory > figures->current)
		figures->current = memory;
}

/* Those of a guest in the kernel are in the control tree, under its name without its user's. */
static void read_from_tree(struct figures *figures, const char *guest)
{
	char *why cleanup_free = NULL;
	const char *slash = strchr(guest, '/');
	struct figures pool;

	if (control_find(&why) || !figures_read(&pool, slash ? slash + 1 : guest))
		return;
	figures->max = pool.max;
	figures->current = pool.current;
	figures->peak = pool.peak;
}

/** is_full_guest - whether a name is a full guest's; a confined one of the same name comes first */
bool is_full_guest(const char *guest)
{
	char *why cleanup_free = NULL;

	if (!strchr(guest, '/') && !control_find(&why) && control_is_confined(guest))
		return false;
	return rundir_exists(guest);
}

/**
 * full_figures_read - read the figures of one full guest
 * @figures: filled in
 * @guest: name
 *
 * Return: false when the guest has gone.
 */
bool full_figures_read(struct figures *figures, const char *guest)
{
	bool in_kernel;

	*figures = (struct figures){
		.peak = FIGURE_NONE, .store = FIGURE_NONE, .swap = FIGURE_NONE,
		.faults = FIGURE_NONE, .major = FIGURE_NONE, .refaults = FIGURE_NONE,
	};
	if (!full_processes(guest, count, figures) || !rundir_enter(guest))
		return false;
	figures->max = rundir_number(RUNDIR_MEMORY);
	in_kernel = rundir_number(RUNDIR_INSTANCE);
	rundir_leave();
	if (in_kernel)
		read_from_tree(figures, guest);
	return true;
}

/** full_report_text - print all that the host sees of a full guest; false when it has gone */
bool full_report_text(const char *guest)
{
	char current[SIZE_TEXT], max[SIZE_TEXT], peak[SIZE_TEXT];
	struct figures f;

	if (!full_figures_read(&f, guest))
		return false;
	printf("%s\n", guest);
	printf("  %-22s %s\n", "kind", "full");
	printf("  %-22s %llu\n", "procs", f.procs);
	printf("  %-22s %s\n", "memory.max", size_human(max, f.max));
	printf("  %-22s %s\n", "memory.current", size_human(current, f.current));
	if (f.peak != FIGURE_NONE)
		printf("  %-22s %s\n", "memory.peak", size_human(peak, f.peak));
	return true;
}

/** full_json_name - add a guest's name to an object, and whose it is if that is another user */
void full_json_name(struct json_object *object, const char *guest)
{
	const char *slash = strchr(guest, '/');

	if (slash)
		json_object_object_add(object, "user",
				       json_object_new_string_len(guest, slash - guest));
	json_object_object_add(object, "name", json_object_new_string(slash ? slash + 1 : guest));
}

/** full_report_json - the same as an object, which the caller puts; NULL when it has gone */
struct json_object *full_report_json(const char *guest)
{
	struct json_object *object;
	struct figures f;

	if (!full_figures_read(&f, guest))
		return NULL;
	object = json_object_new_object();
	full_json_name(object, guest);
	json_object_object_add(object, "kind", json_object_new_string("full"));
	json_object_object_add(object, "procs", report_json_figure(f.procs));
	json_object_object_add(object, "memory.max", report_json_figure(f.max));
	json_object_object_add(object, "memory.current", report_json_figure(f.current));
	if (f.peak != FIGURE_NONE)
		json_object_object_add(object, "memory.peak", report_json_figure(f.peak));
	return object;
}
