// SPDX-License-Identifier: GPL-2.0
/* A console on descriptors: lodge's own standard input and output, or what it was given. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "console-peer.h"
#include "consoles.h"
#include "error.h"
#include "terminal.h"
#include "util.h"

/**
 * struct given - descriptors that the user gave
 * @in: to read from
 * @out: to write to
 * @modes: of the terminal that @in is
 * @is_terminal: it is one
 */
struct given {
	int in, out;
	struct termios modes;
	bool is_terminal;
};

/* The end of the input is no reason to see no output. */
static void take(struct console_peer *peer)
{
	char data[CONSOLE_INPUT];
	ssize_t n = console_peer_read(peer, data, sizeof(data));

	if (!n)
		peer->in = -1;
	if (n <= 0)
		return;
	if (peer->private && escape_seen(peer->private, data, n))
		peer->console->escaped = true;
	else
		console_input(peer->console, data, n);
}

static void stdio_close(struct console_peer *peer)
{
	terminal_restore();
	free(peer->private);
}

static const struct console_peer_kind stdio_peer = {
	.lag = PEER_HOLDS, .receive = take, .close = stdio_close,
};

static const struct console_peer_kind fd_peer = { .lag = PEER_HOLDS, .receive = take };

static void fit(struct console *console, int fd)
{
	struct winsize size;

	if (!ioctl(fd, TIOCGWINSZ, &size))
		console_set_size(console, size.ws_row, size.ws_col);
}

static void stdio_check(struct console *console)
{
	const struct consoles *all = console->consoles;
	size_t i;

	if (all->background)
		console_die(console, "a guest in the background has no standard input and output");
	for (i = 0; all->list[i] != console; i++)
		if (all->list[i]->kind == &console_stdio)
			console_die(console, "console %s has it already", all->list[i]->id);
}

static void stdio_resized(struct console *console)
{
	fit(console, STDOUT_FILENO);
}

static void stdio_open(struct console *console)
{
	bool blocks;
	int out = own_description(STDOUT_FILENO, &blocks);
	struct console_peer *peer = console_peer_new(console, &stdio_peer, STDIN_FILENO, out);

	peer->blocks = blocks;
	peer->person = isatty(STDIN_FILENO);
	peer->private = xcalloc(1, sizeof(struct escape));
	stdio_resized(console);
}

static void stdio_begin(struct console *console)
{
	if (console->peers && isatty(STDIN_FILENO))
		terminal_raw();
}

static int parse_fd(const struct console *console, const char *text, int access_mode)
{
	unsigned long fd;
	char *end;
	int flags;

	errno = 0;
	fd = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || fd > INT_MAX)
		console_die(console, "'%s' is not the number of a descriptor", text);
	if (fd <= STDERR_FILENO)
		console_die(console, "0, 1 and 2 are lodge's own: 'stdio' takes them");
	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		console_die(console, "descriptor %lu: %s", fd, strerror(errno));
	if ((flags & O_ACCMODE) != O_RDWR && (flags & O_ACCMODE) != access_mode)
		console_die(console, "descriptor %lu is not open for %s", fd,
			    access_mode == O_RDONLY ? "reading" : "writing");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static void fd_check(struct console *console)
{
	char *in cleanup_free = xstrdup(console->where);
	struct given *given = xcalloc(1, sizeof(*given));
	char *out = strchr(in, ':');

	if (out)
		*out++ = '\0';
	given->in = parse_fd(console, in, O_RDONLY);
	given->out = parse_fd(console, out ?: in, O_WRONLY);
	console->private = given;
}

static void fd_open(struct console *console)
{
	struct given *given = console->private;
	struct termios raw;
	struct console_peer *peer;
	bool blocks;
	int out = own_description(given->out, &blocks);

	peer = console_peer_new(console, &fd_peer, given->in, out);
	peer->blocks = blocks;
	fit(console, given->out);
	given->is_terminal = !tcgetattr(given->in, &given->modes);
	if (!given->is_terminal)
		return;
	raw = given->modes;
	cfmakeraw(&raw);
	tcsetattr(given->in, TCSADRAIN, &raw);
}

static void fd_resized(struct console *console)
{
	const struct given *given = console->private;

	fit(console, given->out);
}

static void fd_close(struct console *console)
{
	struct given *given = console->private;

	if (given->is_terminal)
		tcsetattr(given->in, TCSADRAIN, &given->modes);
	free(given);
}

const struct console_kind console_stdio = {
	.name = "stdio", .check = stdio_check, .open = stdio_open, .begin = stdio_begin,
	.resized = stdio_resized,
};

const struct console_kind console_fd = {
	.name = "fd", .value = "NUMBER[:NUMBER]", .value_needed = true,
	.check = fd_check, .open = fd_open, .resized = fd_resized, .close = fd_close,
};
