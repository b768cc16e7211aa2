// SPDX-License-Identifier: GPL-2.0
/* A console: the terminal of which lodge has one end, between the guest and who is there. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "console-peer.h"
#include "consoles.h"
#include "error.h"
#include "instance.h"
#include "poll-list.h"
#include "record.h"
#include "util.h"

/*
 * The guest's kernel makes the terminal raw when it opens it. What is said before that has no
 * carriage returns, and nobody's input is to be echoed by the host.
 */
static void open_terminal(struct console *console)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct termios modes;

	if (openpty(&console->terminal, &console->guest_end, NULL, NULL, &size) ||
	    tcgetattr(console->guest_end, &modes))
		die_errno(errno, "console %s: no terminal", console->id);
	cfmakeraw(&modes);
	modes.c_oflag |= OPOST | ONLCR;
	tcsetattr(console->guest_end, TCSANOW, &modes);
	fcntl(console->terminal, F_SETFD, FD_CLOEXEC);
	fcntl(console->guest_end, F_SETFD, FD_CLOEXEC);
	fcntl(console->terminal, F_SETFL, O_NONBLOCK);
	console->rows = size.ws_row;
	console->columns = size.ws_col;
}

/**
 * console_open - make a console in the present guest's directory, or end the program
 * @console: as the user wants it; @guest_end is for the guest
 * @kept: an empty log, which gets all output
 */
void console_open(struct console *console, struct kernel_log *kept)
{
	open_terminal(console);
	console_log_open(&console->log, console->id, kept);
	console_client_open(console);
	if (console->kind->open)
		console->kind->open(console);
}

/** console_listens - whether the guest has taken all input, and there may be more */
bool console_listens(const struct console *console)
{
	return console->terminal >= 0 && !console->pending_length;
}

/** console_has_room - whether one more may come */
bool console_has_room(const struct console *console)
{
	const struct console_peer *peer;
	size_t n = 0;

	for (peer = console->peers; peer; peer = peer->next)
		n += !peer->gone;
	return n < CONSOLE_CLIENTS;
}

static bool is_held_up(const struct console *console)
{
	const struct console_peer *peer;

	for (peer = console->peers; peer; peer = peer->next)
		if (peer->kind->lag == PEER_HOLDS && console_peer_waits(peer))
			return true;
	return false;
}

/** console_poll - what to wait for */
void console_poll(struct console *console, struct poll_list *list)
{
	short wish = is_held_up(console) ? 0 : POLLIN;
	struct console_peer *peer;

	wish |= console->pending_length ? POLLOUT : 0;
	/* Without a wish for anything, poll() would still tell of a hang-up, again and again. */
	poll_list_add(list, wish ? console->terminal : -1, wish, &console->terminal_ready);
	poll_list_add(list, console->listener, POLLIN, &console->listener_ready);
	for (peer = console->peers; peer; peer = peer->next)
		console_peer_poll(peer, list);
	if (console->kind->poll)
		console->kind->poll(console, list);
}

static void take_output(struct console *console)
{
	char data[CONSOLE_OUTPUT];
	struct console_peer *peer;
	ssize_t n;

	n = read(console->terminal, data, sizeof(data));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* EIO: nobody has the other end any more. */
	if (n <= 0) {
		close(console->terminal);
		console->terminal = -1;
		return;
	}
	record_output(console->record, data, n);
	console_log_add(&console->log, data, n);
	for (peer = console->peers; peer; peer = peer->next)
		console_peer_send(peer, false);
	console_peers_lag(console);
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
	else
		record_input(console->record, console->pending, n);
	console->pending_length -= n;
	memmove(console->pending, console->pending + n, console->pending_length);
}

/**
 * console_input - somebody has typed something
 * @console: where
 * @data, @length: what; lost if there is no room for it
 */
void console_input(struct console *console, const char *data, size_t length)
{
	if (console->terminal < 0 || length > CONSOLE_PENDING - console->pending_length)
		return;
	memcpy(console->pending + console->pending_length, data, length);
	console->pending_length += length;
	give_input(console);
}

/** console_set_size - the window of somebody there is so large now; 0: he does not know */
void console_set_size(struct console *console, unsigned short rows, unsigned short columns)
{
	const struct winsize size = { .ws_row = rows, .ws_col = columns };

	if (!rows || !columns || (rows == console->rows && columns == console->columns))
		return;
	console->rows = rows;
	console->columns = columns;
	ioctl(console->terminal, TIOCSWINSZ, &size);
	if (console->consoles->instance >= 0)
		instance_windows(console->consoles->instance);
	record_size(console->record, rows, columns);
}

/** console_move - pass on what poll() found for console_poll() */
void console_move(struct console *console)
{
	struct console_peer *peer;

	for (peer = console->peers; peer; peer = peer->next)
		console_peer_move(peer);
	if (console->terminal_ready & POLLOUT && console->pending_length)
		give_input(console);
	if (console->terminal_ready & (POLLIN | POLLHUP | POLLERR) && !is_held_up(console))
		take_output(console);
	if (console->listener_ready)
		console_client_accept(console);
	if (console->kind->move)
		console->kind->move(console);
	console_peers_forget(console, false);
}

/** console_end - the guest has ended: take the rest of its output, send everybody away */
void console_end(struct console *console)
{
	struct console_peer *peer;

	while (console->terminal >= 0) {
		struct pollfd fd = { .fd = console->terminal, .events = POLLIN };

		for (peer = console->peers; peer; peer = peer->next)
			if (peer->kind->lag == PEER_HOLDS)
				console_peer_flush(peer);
		if (poll(&fd, 1, 0) <= 0)
			break;
		take_output(console);
	}
	for (peer = console->peers; peer; peer = peer->next)
		console_peer_flush(peer);
	console_peers_forget(console, true);
	if (console->kind->close)
		console->kind->close(console);
	console_client_close(console);
	console_log_close(&console->log);
	record_close(console->record);
}
