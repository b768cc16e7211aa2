// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console-kind.h"
#include "consoles.h"
#include "error.h"
#include "poll-list.h"
#include "pty-records.h"
#include "record.h"
#include "rundir.h"
#include "util.h"

/** consoles_find - a console or serial line by its number, or NULL */
struct console *consoles_find(const struct consoles *consoles, bool serial, unsigned int number)
{
	size_t i;

	for (i = 0; i < consoles->n; i++)
		if (consoles->list[i]->serial == serial && consoles->list[i]->number == number)
			return consoles->list[i];
	return NULL;
}

/* The guest's name for it. Returns text that the caller frees. */
static char *device(const struct console *console)
{
	return xasprintf("tty%s%u", console->serial ? "S" : "", console->number);
}

/* Where the kernel says what it has to say: at the first console that is there. */
static const struct console *main_console(const struct consoles *consoles)
{
	const struct console *first = consoles_find(consoles, false, 0);
	const struct console *serial = consoles_find(consoles, true, 0);

	if (first->kind == &console_none && serial && serial->kind != &console_none)
		return serial;
	return first;
}

/* The record of it alone goes where the user says, else to where all of them go. */
static void open_record(struct console *console, const char *prefix)
{
	char *name cleanup_free = device(console), *all cleanup_free = NULL;
	char *title cleanup_free = xasprintf("%s: %s", console->consoles->guest, name);
	const char *path = console->record_file;

	if (!path && !prefix)
		return;
	if (!path) {
		all = xasprintf("%s-%s.cast", prefix, name);
		path = all;
	}
	console->record = record_open(path, title, console->consoles->guest, console->rows,
				      console->columns);
	if (!console->record)
		die_errno(errno, "record: %s", path);
}

static void open_records(struct consoles *consoles)
{
	char *prefix cleanup_free = NULL;
	size_t i;

	if (consoles->record)
		prefix = record_prefix(consoles->record, consoles->guest);
	for (i = 0; i < consoles->n; i++)
		if (!consoles->list[i]->kind->argument)
			open_record(consoles->list[i], prefix);
	if (prefix)
		consoles->ptys = pty_records_open(prefix, consoles->guest);
}

/* Where it is, for people. Returns text that the caller frees. */
static char *place_of(const struct console *console)
{
	if (console->kind->place)
		return console->kind->place(console);
	return xstrdup(console->where ?: "-");
}

static void write_list(const struct consoles *consoles)
{
	FILE *out cleanup_file = fopen(RUNDIR_CONSOLES_LIST, "we");
	size_t i;

	if (!out)
		die_errno(errno, RUNDIR_CONSOLES_LIST);
	for (i = 0; i < consoles->n; i++) {
		char *place cleanup_free = place_of(consoles->list[i]);

		fprintf(out, "%s %s %s\n", consoles->list[i]->id, consoles->list[i]->kind->name,
			place);
	}
	if (fflush(out))
		die_errno(errno, RUNDIR_CONSOLES_LIST);
}

/**
 * consoles_open - make all of them in the present guest's directory, or end the program
 * @consoles: as they were checked
 * @guest: its name; must outlive them
 * @log: empty; gets all output of that one at which the guest's kernel speaks
 */
void consoles_open(struct consoles *consoles, const char *guest, struct kernel_log *log)
{
	const struct console *first = main_console(consoles);
	size_t i;

	consoles->guest = guest;
	if (mkdir(RUNDIR_CONSOLES, 0700) && errno != EEXIST)
		die_errno(errno, RUNDIR_CONSOLES);
	for (i = 0; i < consoles->n; i++) {
		struct console *console = consoles->list[i];

		if (!console->kind->argument)
			console_open(console, console == first ? log : xcalloc(1, sizeof(*log)));
	}
	open_records(consoles);
	write_list(consoles);
}

/** consoles_kernel_end - the guest's end of where its kernel speaks; -1 if that is nowhere */
int consoles_kernel_end(const struct consoles *consoles)
{
	return main_console(consoles)->guest_end;
}

/** consoles_show_kernel - whether what the guest's kernel says is seen on standard output */
bool consoles_show_kernel(const struct consoles *consoles)
{
	return main_console(consoles)->kind == &console_stdio;
}

static char *kernel_argument(const struct console *console)
{
	const char *which = console->serial ? "ssl" : "con";

	if (console->kind->argument)
		return xasprintf("%s%u=%s", which, console->number, console->kind->argument);
	return xasprintf("%s%u=fd:%d", which, console->number, console->guest_end);
}

/**
 * consoles_pass_on - hand them on to the guest's kernel
 * @consoles: open
 *
 * For the process that is going to be the guest: it keeps the guest's ends when it calls exec.
 *
 * Return: what the kernel is told, NULL at the end; the caller frees all of it.
 */
char **consoles_pass_on(const struct consoles *consoles)
{
	char **arguments = xcalloc(2 * consoles->n + 3, sizeof(*arguments));
	size_t i, n = 0;

	for (i = 0; i < consoles->n; i++) {
		char *name cleanup_free = device(consoles->list[i]);
		const struct console *console = consoles->list[i];

		arguments[n++] = kernel_argument(console);
		if (console->guest_end < 0)
			continue;
		fcntl(console->guest_end, F_SETFD, 0);
		/* Others than systemd overlook it. */
		if (console->login)
			arguments[n++] = xasprintf("systemd.wants=%sgetty@%s.service",
						   console->serial ? "serial-" : "", name);
	}
	arguments[n++] = xstrdup(main_console(consoles)->serial ? "console=ttyS0" : "console=tty0");
	if (consoles->ptys)
		arguments[n++] = pty_records_pass_on(consoles->ptys);
	return arguments;
}

/** consoles_close_guest_ends - close what only the guest is to have, once it has been started */
void consoles_close_guest_ends(struct consoles *consoles)
{
	size_t i;

	for (i = 0; i < consoles->n; i++) {
		if (consoles->list[i]->guest_end >= 0)
			close(consoles->list[i]->guest_end);
		consoles->list[i]->guest_end = -1;
	}
	if (consoles->ptys)
		pty_records_close_guest_end(consoles->ptys);
}

/** consoles_begin - the guest has been started */
void consoles_begin(struct consoles *consoles)
{
	size_t i;

	for (i = 0; i < consoles->n; i++)
		if (consoles->list[i]->kind->begin)
			consoles->list[i]->kind->begin(consoles->list[i]);
}

/** consoles_poll - what to wait for */
void consoles_poll(struct consoles *consoles, struct poll_list *list)
{
	size_t i;

	for (i = 0; i < consoles->n; i++)
		if (!consoles->list[i]->kind->argument)
			console_poll(consoles->list[i], list);
	if (consoles->ptys)
		pty_records_poll(consoles->ptys, list);
}

/** consoles_move - pass on what poll() found for consoles_poll() */
void consoles_move(struct consoles *consoles)
{
	size_t i;

	for (i = 0; i < consoles->n; i++)
		if (!consoles->list[i]->kind->argument)
			console_move(consoles->list[i]);
	if (consoles->ptys)
		pty_records_move(consoles->ptys);
}

/** consoles_resize - the window of standard output has changed */
void consoles_resize(struct consoles *consoles)
{
	size_t i;

	for (i = 0; i < consoles->n; i++)
		if (consoles->list[i]->kind->resized)
			consoles->list[i]->kind->resized(consoles->list[i]);
}

/** consoles_watch - a child of lodge's may have ended; after SIGCHLD */
void consoles_watch(struct consoles *consoles)
{
	size_t i;

	for (i = 0; i < consoles->n; i++)
		if (consoles->list[i]->kind->watch)
			consoles->list[i]->kind->watch(consoles->list[i]);
}

/** consoles_escaped - whether a user has typed the escape key since this was last asked */
bool consoles_escaped(struct consoles *consoles)
{
	bool escaped = false;
	size_t i;

	for (i = 0; i < consoles->n; i++) {
		escaped |= consoles->list[i]->escaped;
		consoles->list[i]->escaped = false;
	}
	return escaped;
}

/** consoles_end - the guest has ended: pass on the rest, and leave nothing behind but the logs */
void consoles_end(struct consoles *consoles)
{
	const struct console *first = main_console(consoles);
	size_t i;

	for (i = 0; i < consoles->n; i++) {
		struct console *console = consoles->list[i];

		if (!console->kind->argument)
			console_end(console);
		if (console != first)
			free(console->log.kept);
		free(console->where);
		free(console->record_file);
	}
	for (i = 0; i < consoles->n; i++)
		free(consoles->list[i]);
	unlink(RUNDIR_CONSOLES_LIST);
	free(consoles->list);
	if (consoles->ptys)
		pty_records_close(consoles->ptys);
	*consoles = (struct consoles){ 0 };
}
