// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "printable.h"

static int exit_status = STATUS_FAILED;
static char *(*place)(const char **text);

/**
 * error_set_status - choose what the die_ family exits with
 * @status: 1 for most commands; run uses 125 so that CMD's own status can be told from its own
 */
void error_set_status(int status)
{
	exit_status = status;
}

/** error_status - what the die_ family exits with */
int error_status(void)
{
	return exit_status;
}

/**
 * error_set_place - have all messages say where the error is
 * @in: returns that for the text of a message, of which it may take off the beginning, on the
 *	heap; NULL: nowhere
 *
 * What the place names is not named once more: the command, or the guest.
 */
void error_set_place(char *(*in)(const char **text))
{
	place = in;
}

/* Names and reasons may be those of a guest, or of a file that one has written. */
static void say(const char *guest, const char *field, const char *fmt, va_list ap)
{
	char *where cleanup_free = NULL;
	char *text cleanup_free = NULL;
	const char *rest;

	fflush(stdout);
	if (vasprintf(&text, fmt, ap) < 0) {
		text = NULL;
		return;
	}
	rest = text;
	where = place ? place(&rest) : NULL;
	if (where)
		make_printable(where);
	fputs("lodge: ", stderr);
	if (where)
		fprintf(stderr, "%s: ", where);
	else if (guest)
		fprintf(stderr, "%s: ", guest);
	if (field)
		fprintf(stderr, "%s: ", field);
	make_printable(text);
	fputs(rest, stderr);
}

/** warn - say something on stderr and go on */
void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(NULL, NULL, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/**
 * warn_guest - say something about a guest on stderr and go on
 * @guest: its name
 * @field: the file or option it is about, or NULL
 * @fmt: the reason
 */
void warn_guest(const char *guest, const char *field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(guest, field, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/** die - say why on stderr and end the program */
void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(NULL, NULL, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(exit_status);
}

/** die_errno - die() with what a positive error number means behind the text */
void die_errno(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(NULL, NULL, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(err));
	exit(exit_status);
}

/**
 * die_guest - end the program over something about a guest
 * @guest: its name
 * @field: the file or option it is about, or NULL
 * @fmt: the reason
 */
void die_guest(const char *guest, const char *field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(guest, field, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(exit_status);
}

/**
 * die_usage - end the program over how it was called
 * @command: the sub-command, or NULL for lodge itself
 * @fmt: what is wrong, or NULL when it has been said (getopt does)
 */
void die_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		say(command, NULL, fmt, ap);
		va_end(ap);
		fputc('\n', stderr);
	}
	if (place)
		exit(exit_status);
	if (command)
		fprintf(stderr, "Try 'lodge %s --help'.\n", command);
	else
		fputs("Try 'lodge --help'.\n", stderr);
	exit(exit_status);
}
