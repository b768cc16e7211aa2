// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "error.h"
#include "terminal.h"
#include "util.h"

#define ESCAPE 0x1d	/* Ctrl-] */
#define ESCAPES 3
#define ESCAPE_MS 1000

static struct termios before;
static pid_t owner;

/** terminal_is_there - whether a person sits at both standard input and standard output */
bool terminal_is_there(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/** terminal_size - rows and columns of standard output; 24 and 80 when nobody knows */
void terminal_size(unsigned short *rows, unsigned short *columns)
{
	struct winsize size;

	*rows = 24;
	*columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		return;
	*rows = size.ws_row;
	*columns = size.ws_col;
}

/** terminal_restore - undo terminal_raw(), if it was done by this process */
void terminal_restore(void)
{
	if (owner == getpid())
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	owner = 0;
}

/** terminal_raw - give every key to the guest, until terminal_restore() or the end of lodge */
void terminal_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before))
		die_errno(errno, "terminal");
	raw = before;
	cfmakeraw(&raw);
	owner = getpid();
	atexit(terminal_restore);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw))
		die_errno(errno, "terminal");
}

/**
 * escape_seen - whether what was typed says that the user wants lodge itself
 * @escape: all zero at first
 * @data, @length: what was typed; it is passed on as well, as machinectl has it
 */
bool escape_seen(struct escape *escape, const char *data, ssize_t length)
{
	ssize_t i;

	for (i = 0; i < length; i++) {
		if (data[i] != ESCAPE) {
			escape->count = 0;
			continue;
		}
		if (!escape->count || now_ms() - escape->first_ms > ESCAPE_MS) {
			escape->count = 0;
			escape->first_ms = now_ms();
		}
		if (++escape->count == ESCAPES)
			return true;
	}
	return false;
}
