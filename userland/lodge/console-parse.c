// SPDX-License-Identifier: GPL-2.0
/* What the user says of a guest's consoles and serial lines. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console-kind.h"
#include "consoles.h"
#include "error.h"
#include "lodge.h"
#include "share.h"
#include "util.h"

static const struct console_kind *const kinds[] = {
	&console_stdio, &console_attach, &console_pty, &console_port, &console_xterm, &console_fd,
	&console_null, &console_none,
};

/** console_die - end the program over what the user wants of a console */
void console_die(const struct console *console, const char *fmt, ...)
{
	char *reason = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&reason, fmt, ap) < 0)
		reason = NULL;
	va_end(ap);
	die("--%s %s: %s", console->serial ? "serial" : "console", console->text,
	    reason ?: strerror(ENOMEM));
}

static unsigned int numbers(bool serial)
{
	return serial ? SERIAL_MAX : CONSOLES_MAX;
}

/* Without a number it is the one behind the last. Returns what follows. */
static const char *set_number(struct console *console, const struct consoles *consoles,
			      const char *text)
{
	size_t digits = strspn(text, "0123456789"), i;
	unsigned long n = 0;

	if (digits && text[digits] == ':') {
		errno = 0;
		n = strtoul(text, NULL, 10);
		if (errno)
			n = ~0UL;
		text += digits + 1;
	} else {
		for (i = 0; i < consoles->n; i++)
			if (consoles->list[i]->serial == console->serial)
				n = consoles->list[i]->number + 1;
	}
	if (n >= numbers(console->serial))
		console_die(console, "a guest has %s 0 to %u",
			    console->serial ? "serial lines" : "consoles",
			    numbers(console->serial) - 1);
	if (consoles_find(consoles, console->serial, n))
		console_die(console, "there is a %s %lu already",
			    console->serial ? "serial line" : "console", n);
	console->number = n;
	snprintf(console->id, sizeof(console->id), "%s%lu", console->serial ? "s" : "", n);
	return text;
}

static noreturn void no_kind(const struct console *console, const char *word)
{
	const char *names[ARRAY_SIZE(kinds)], *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		names[i] = kinds[i]->name;
	near = nearest(word, names, ARRAY_SIZE(kinds));
	if (near)
		console_die(console, "there is no kind '%s'; did you mean '%s'?", word, near);
	console_die(console,
		    "'%s' is none of stdio, attach, pty, port, xterm, fd, null, none", word);
}

static void set_kind(struct console *console, char *word)
{
	char *value = strchr(word, '=');
	const struct console_kind *kind;
	size_t i;

	if (value)
		*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(kinds) && !console->kind; i++)
		if (!strcmp(word, kinds[i]->name) ||
		    (kinds[i]->alias && !strcmp(word, kinds[i]->alias)))
			console->kind = kinds[i];
	kind = console->kind;
	if (!kind)
		no_kind(console, word);
	if (value && !kind->value)
		console_die(console, "nothing comes behind '%s'", word);
	if (kind->value_needed && (!value || !*value))
		console_die(console, "it is %s=%s", word, kind->value);
	if (value && *value)
		console->where = xstrdup(value);
}

/*
 * The launcher goes to another directory. Returns the absolute path of what may not be there
 * yet, which the caller frees; NULL with errno set if it cannot be there.
 */
static char *absolute(const char *file)
{
	char *copy cleanup_free = xstrdup(file), *directory cleanup_free = NULL;
	char *slash = strrchr(copy, '/');
	const char *name = slash ? slash + 1 : copy;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return realpath(file, NULL);
	if (slash)
		*slash = '\0';
	directory = realpath(!slash ? "." : *copy ? copy : "/", NULL);
	if (!directory)
		return NULL;
	return xasprintf("%s/%s", strcmp(directory, "/") ? directory : "", name);
}

static void set_key(struct console *console, char *word)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	if (!strcmp(word, "record") && value && !console->kind->argument) {
		free(console->record_file);
		console->record_file = absolute(value);
		if (!console->record_file)
			console_die(console, "record=%s: %s", value, strerror(errno));
	} else if (!strcmp(word, "login") && value && !console->kind->argument) {
		console->login = !strcmp(value, "yes");
		if (!console->login && strcmp(value, "no"))
			console_die(console, "login=%s: neither yes nor no", value);
	} else if (!strcmp(word, "raw") && !value && console->kind->can_be_raw) {
		console->raw = true;
	} else {
		console_die(console, "%s has no '%s%s'", console->kind->name, word,
			    value ? "=" : "");
	}
}

/**
 * consoles_add - one more console or serial line
 * @consoles: all of them
 * @serial: it is a serial line
 * @text: [NUMBER:]KIND[=WHERE][,KEY[=VALUE]]..., stays the caller's; ends the program if it is not
 *	that
 */
void consoles_add(struct consoles *consoles, bool serial, const char *text)
{
	char *copy cleanup_free = NULL;
	struct console *console = xcalloc(1, sizeof(*console));
	char *rest, *word;

	console->text = text;
	console->serial = serial;
	console->login = !serial;
	console->consoles = consoles;
	console->terminal = -1;
	console->guest_end = -1;
	console->listener = -1;
	copy = xstrdup(set_number(console, consoles, text));
	rest = copy;
	set_kind(console, strsep(&rest, ","));
	while ((word = strsep(&rest, ",")))
		set_key(console, word);
	consoles->list = xrealloc(consoles->list, consoles->n + 1, sizeof(*consoles->list));
	consoles->list[consoles->n++] = console;
}

static void check_out_of_reach(const char *path, const struct shares *shares)
{
	size_t i, n;

	for (i = 0; i < shares->n; i++) {
		n = strlen(shares->list[i].path);
		if (starts_with(path, shares->list[i].path) && (!path[n] || path[n] == '/'))
			die("record: %s: the guest would see it: it is in the share %s", path,
			    shares->list[i].path);
	}
}

static void make_directory(struct consoles *consoles, const struct shares *shares)
{
	const char *given = consoles->record;
	char *path = realpath(given, NULL) ?: absolute(given);
	struct stat st;

	if (!path)
		die_errno(errno, "--record %s", given);
	check_out_of_reach(path, shares);
	if (mkdir(path, 0700) && errno != EEXIST)
		die_errno(errno, "--record %s", given);
	if (stat(path, &st) || access(path, W_OK | X_OK))
		die_errno(errno, "--record %s", given);
	if (!S_ISDIR(st.st_mode))
		die("--record %s: not a directory", given);
	consoles->record = path;
}

static void check_records(struct consoles *consoles, const struct shares *shares, bool sandbox)
{
	bool any = consoles->record;
	size_t i;

	for (i = 0; i < consoles->n; i++) {
		if (!consoles->list[i]->record_file)
			continue;
		check_out_of_reach(consoles->list[i]->record_file, shares);
		any = true;
	}
	if (any && !sandbox)
		die("record: it needs the sandbox: without it the guest could read your files");
	if (consoles->record)
		make_directory(consoles, shares);
}

/**
 * consoles_check - see that what was asked for can be, or end the program with the reason
 * @consoles: as the user named them; a console 0 is added if he named none
 * @shares: what the guest will see of the host's files
 * @sandbox: it sees nothing else
 *
 * Before the working directory changes.
 */
void consoles_check(struct consoles *consoles, const struct shares *shares, bool sandbox)
{
	bool stdio_taken = consoles->background;
	size_t i;

	for (i = 0; i < consoles->n; i++)
		stdio_taken |= consoles->list[i]->kind == &console_stdio;
	if (!consoles_find(consoles, false, 0))
		consoles_add(consoles, false, stdio_taken ? "0:attach" : "0:stdio");
	for (i = 0; i < consoles->n; i++)
		if (consoles->list[i]->kind->check)
			consoles->list[i]->kind->check(consoles->list[i]);
	check_records(consoles, shares, sandbox);
}
