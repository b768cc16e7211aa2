// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "console.h"
#include "error.h"
#include "lodge.h"
#include "rundir.h"
#include "util.h"

/* A client that is so far behind, or what net.core.wmem_max allows, is not waited for. */
#define BEHIND_MAX 0x100000
/* The guest has ended: so long a reader of its last words may stand still. */
#define FLUSH_MS 3000

static_assert(CONSOLE_UNSHOWN <= PIPE_BUF, "a pipe that is ready takes it without blocking");

/* Where in the poll set who is. */
enum { AT_TERMINAL, AT_LISTENER, AT_INPUT, AT_OUTPUT, AT_CLIENTS };

static int listen_here(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = RUNDIR_CONSOLE };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) || listen(fd, 8))
		die_errno(errno, "console");
	umask(mask);
	return fd;
}

/*
 * The guest's kernel makes the terminal raw when it opens it. What is said before that has no
 * carriage returns, and nobody's input is to be echoed by the host.
 */
static void open_terminal(struct console *console)
{
	struct winsize size = { 0 };
	struct termios modes;

	terminal_size(&size.ws_row, &size.ws_col);
	if (openpty(&console->terminal, &console->guest_end, NULL, NULL, &size) ||
	    tcgetattr(console->guest_end, &modes))
		die_errno(errno, "console: no terminal");
	cfmakeraw(&modes);
	modes.c_oflag |= OPOST | ONLCR;
	tcsetattr(console->guest_end, TCSANOW, &modes);
	fcntl(console->terminal, F_SETFD, FD_CLOEXEC);
	fcntl(console->guest_end, F_SETFD, FD_CLOEXEC);
	fcntl(console->terminal, F_SETFL, O_NONBLOCK);
}

/**
 * console_open - make the console of a guest in the present guest's directory
 * @console: filled in; @guest_end is for the guest, and closed by the caller
 * @kept: an empty log, which gets all output
 * @stdio: show it on standard output, and pass standard input on
 */
void console_open(struct console *console, struct kernel_log *kept, bool stdio)
{
	size_t i;

	*console = (struct console){ .kept = kept, .stdio = stdio, .input = stdio };
	console->person = stdio && isatty(STDIN_FILENO);
	open_terminal(console);
	console->listener = listen_here();
	guest_log_open(&console->file);
	for (i = 0; i < CONSOLE_CLIENTS; i++)
		console->clients[i].fd = -1;
}

/** console_poll - what to wait for */
void console_poll(const struct console *console, struct pollfd fds[CONSOLE_FDS])
{
	bool typing = !console->pending_length && console->terminal >= 0;
	size_t i;

	for (i = 0; i < CONSOLE_FDS; i++)
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	/* Without a wish for anything, poll() would still tell of a hang-up, again and again. */
	if (!console->unshown_length || console->pending_length)
		fds[AT_TERMINAL].fd = console->terminal;
	fds[AT_TERMINAL].events = (console->unshown_length ? 0 : POLLIN) |
				  (console->pending_length ? POLLOUT : 0);
	fds[AT_LISTENER].fd = console->listener;
	/* A user may want to leave because the guest takes nothing. */
	if (console->input && (typing || console->person))
		fds[AT_INPUT].fd = STDIN_FILENO;
	if (console->unshown_length) {
		fds[AT_OUTPUT].fd = STDOUT_FILENO;
		fds[AT_OUTPUT].events = POLLOUT;
	}
	for (i = 0; typing && i < CONSOLE_CLIENTS; i++)
		fds[AT_CLIENTS + i].fd = console->clients[i].fd;
}

static void drop_client(struct console_client *client)
{
	close(client->fd);
	client->fd = -1;
}

static void send_client(struct console_client *client, const char *data, size_t length)
{
	if (client->fd >= 0 &&
	    send(client->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)length)
		drop_client(client);
}

/* Only when poll() says so, and no more than it speaks of: standard output may block. */
static void show(struct console *console)
{
	ssize_t n = write(STDOUT_FILENO, console->unshown, console->unshown_length);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/* Nobody reads it any more: it is in the log. */
	if (n < 0) {
		console->stdio = false;
		n = console->unshown_length;
	}
	console->unshown_length -= n;
	memmove(console->unshown, console->unshown + n, console->unshown_length);
}

static void take_output(struct console *console)
{
	char data[CONSOLE_UNSHOWN];
	ssize_t n;
	size_t i;

	n = read(console->terminal, data, sizeof(data));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* EIO: nobody has the other end any more. */
	if (n <= 0) {
		close(console->terminal);
		console->terminal = -1;
		return;
	}
	kernel_log_add(console->kept, data, n);
	guest_log_write(&console->file, data, n);
	for (i = 0; i < CONSOLE_CLIENTS; i++)
		send_client(&console->clients[i], data, n);
	if (console->stdio) {
		memcpy(console->unshown, data, n);
		console->unshown_length = n;
	}
}

/* Input for the guest; no more is asked for until it has taken this. */
static void give_input(struct console *console)
{
	ssize_t n = write(console->terminal, console->pending, console->pending_length);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Nobody will take it any more. */
	if (n < 0)
		n = console->pending_length;
	console->pending_length -= n;
	memmove(console->pending, console->pending + n, console->pending_length);
}

static void put_input(struct console *console, const char *data, size_t length)
{
	memcpy(console->pending + console->pending_length, data, length);
	console->pending_length += length;
	give_input(console);
}

static void take_stdin(struct console *console)
{
	char data[1024];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		console->input = false;
		return;
	}
	if (escape_seen(&console->escape, data, n))
		console->escaped = true;
	else if (console->terminal >= 0 && console->pending_length + n <= CONSOLE_PENDING)
		put_input(console, data, n);
}

static void new_client(struct console *console)
{
	struct kernel_log *kept = console->kept;
	int fd = accept4(console->listener, NULL, NULL, SOCK_CLOEXEC);
	int behind = BEHIND_MAX;
	size_t i, first;

	for (i = 0; i < CONSOLE_CLIENTS && console->clients[i].fd >= 0; i++)
		;
	if (fd < 0)
		return;
	if (i == CONSOLE_CLIENTS) {
		close(fd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &behind, sizeof(behind));
	console->clients[i] = (struct console_client){ .fd = fd };
	first = kept->written > KERNEL_LOG_KEPT ? kept->written - KERNEL_LOG_KEPT : 0;
	/* The ring in its two pieces. */
	while (first < kept->written && console->clients[i].fd >= 0) {
		size_t at = first % KERNEL_LOG_KEPT, n = kept->written - first;

		if (n > KERNEL_LOG_KEPT - at)
			n = KERNEL_LOG_KEPT - at;
		send_client(&console->clients[i], kept->text + at, n);
		first += n;
	}
}

static void set_size(struct console *console, unsigned short rows, unsigned short columns)
{
	const struct winsize size = { .ws_row = rows, .ws_col = columns };

	ioctl(console->terminal, TIOCSWINSZ, &size);
}

static void take_client(struct console *console, struct console_client *client)
{
	const struct frame *frame = &client->frame;
	struct frame_window window;

	switch (frame_receive(&client->frame, client->fd)) {
	case FRAME_PARTIAL:
		return;
	case FRAME_COMPLETE:
		if (frame->head.type == FRAME_INPUT && frame->head.length <= FRAME_INPUT_MAX) {
			put_input(console, frame->data, frame->head.length);
			return;
		}
		if (frame->head.type == FRAME_WINDOW && frame->head.length == sizeof(window)) {
			memcpy(&window, frame->data, sizeof(window));
			set_size(console, window.rows, window.columns);
			return;
		}
		break;
	default:
		break;
	}
	drop_client(client);
}

/** console_move - pass on what poll() found for console_poll() */
void console_move(struct console *console, const struct pollfd fds[CONSOLE_FDS])
{
	size_t i;

	if (fds[AT_OUTPUT].revents)
		show(console);
	if (fds[AT_TERMINAL].revents & POLLOUT)
		give_input(console);
	if (fds[AT_TERMINAL].revents & (POLLIN | POLLHUP | POLLERR) && !console->unshown_length)
		take_output(console);
	if (fds[AT_INPUT].revents)
		take_stdin(console);
	for (i = 0; i < CONSOLE_CLIENTS; i++)
		if (fds[AT_CLIENTS + i].revents && !console->pending_length)
			take_client(console, &console->clients[i]);
	if (fds[AT_LISTENER].revents)
		new_client(console);
}

/** console_resize - make it as large as standard output */
void console_resize(struct console *console)
{
	unsigned short rows, columns;

	terminal_size(&rows, &columns);
	if (console->stdio)
		set_size(console, rows, columns);
}

static void flush(struct console *console)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	while (console->unshown_length) {
		if (poll(&fd, 1, FLUSH_MS) > 0) {
			show(console);
			continue;
		}
		console->stdio = false;
		console->unshown_length = 0;
	}
}

/** console_end - the guest has ended: take the rest of its output, send everybody away */
void console_end(struct console *console)
{
	size_t i;

	while (console->terminal >= 0) {
		struct pollfd fd = { .fd = console->terminal, .events = POLLIN };

		flush(console);
		if (poll(&fd, 1, 0) <= 0)
			break;
		take_output(console);
	}
	flush(console);
	for (i = 0; i < CONSOLE_CLIENTS; i++)
		if (console->clients[i].fd >= 0)
			drop_client(&console->clients[i]);
	close(console->listener);
}
