// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console-peer.h"
#include "poll-list.h"
#include "util.h"

/* The guest has ended: so long a reader of its last words may stand still. */
#define HOLDER_FLUSH_MS 3000
#define FLUSH_MS 300

static_assert(PEER_CHUNK <= PIPE_BUF, "a pipe that is ready takes it without blocking");

/**
 * console_peer_new - somebody has come
 * @console: where
 * @kind: how to talk to him
 * @in: what he types, or -1; closed by @kind's close only
 * @out: what he gets, or -1; the same
 *
 * He gets what is said from now on. Return: him; the console forgets him when he is gone.
 */
struct console_peer *console_peer_new(struct console *console,
				      const struct console_peer_kind *kind, int in, int out)
{
	struct console_peer *peer = xcalloc(1, sizeof(*peer));

	peer->kind = kind;
	peer->console = console;
	peer->in = in;
	peer->out = out;
	peer->at = console->log.kept->written;
	peer->next = console->peers;
	console->peers = peer;
	return peer;
}

/** console_peer_from_start - he gets what was said before, too, as far as it is kept */
void console_peer_from_start(struct console_peer *peer)
{
	peer->at = console_log_first(&peer->console->log);
}

/** console_peer_close_fd - close() of a kind of peers who have their own descriptor */
void console_peer_close_fd(struct console_peer *peer)
{
	close(peer->in);
}

/** console_peer_put - something for him, behind what is on its way; too much sends him away */
void console_peer_put(struct console_peer *peer, const char *data, size_t length)
{
	if (length > sizeof(peer->buffer) - peer->length) {
		peer->gone = true;
		return;
	}
	memcpy(peer->buffer + peer->length, data, length);
	peer->length += length;
}

/**
 * console_peer_read - take what he has typed
 * @peer: @in can be read
 * @data, @size: where it goes
 *
 * Return: bytes; -1 if there are none now, 0 at the end.
 */
ssize_t console_peer_read(struct console_peer *peer, char *data, size_t size)
{
	ssize_t n = read(peer->in, data, size);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -1;
	return n < 0 ? 0 : n;
}

/** console_peer_receive - receive() of a kind of peers who type, and no more; the end is theirs */
void console_peer_receive(struct console_peer *peer)
{
	char data[CONSOLE_INPUT];
	ssize_t n = console_peer_read(peer, data, sizeof(data));

	if (n > 0)
		console_input(peer->console, data, n);
	else if (!n)
		peer->gone = true;
}

/** console_peer_waits - whether there is output that he has not taken */
bool console_peer_waits(const struct console_peer *peer)
{
	return peer->out >= 0 && !peer->gone &&
	       (peer->length || peer->at < peer->console->log.kept->written);
}

static void fill(struct console_peer *peer)
{
	size_t n;
	const char *piece = console_log_piece(&peer->console->log, peer->at, &n);

	if (n > PEER_CHUNK)
		n = PEER_CHUNK;
	if (n && peer->kind->encode)
		peer->kind->encode(peer, piece, n);
	else if (n)
		console_peer_put(peer, piece, n);
	peer->at += n;
}

static ssize_t write_now(const struct console_peer *peer)
{
	const char *data = peer->buffer + peer->done;
	size_t length = peer->length - peer->done;
	ssize_t n = send(peer->out, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n < 0 && errno == ENOTSOCK ? write(peer->out, data, length) : n;
}

/* Nobody reads it any more. Who has started the guest may still type; it is in the log. */
static void lost_reader(struct console_peer *peer)
{
	if (peer->kind->lag == PEER_LEAVES)
		peer->gone = true;
	if (peer->kind->lag == PEER_HOLDS)
		peer->out = -1;
	peer->length = 0;
	peer->done = 0;
	peer->at = peer->console->log.kept->written;
}

/**
 * console_peer_send - give him what he takes now
 * @peer: to whom
 * @ready: poll() says that he takes something
 */
void console_peer_send(struct console_peer *peer, bool ready)
{
	ssize_t n;

	while (peer->out >= 0 && !peer->gone && (ready || !peer->blocks)) {
		if (!peer->length)
			fill(peer);
		if (!peer->length || peer->gone)
			return;
		n = write_now(peer);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			lost_reader(peer);
			return;
		}
		peer->done += n;
		if (peer->done == peer->length) {
			peer->length = 0;
			peer->done = 0;
		}
		ready = false;
	}
}

/** console_peer_poll - what to wait for */
void console_peer_poll(struct console_peer *peer, struct poll_list *list)
{
	bool typing = peer->person || console_listens(peer->console);
	short in = typing ? POLLIN : 0, out = console_peer_waits(peer) ? POLLOUT : 0;
	bool same = peer->in == peer->out;

	/* Without a wish for anything, poll() would still tell of a hang-up, again and again. */
	if (same)
		in |= out;
	poll_list_add(list, in ? peer->in : -1, in, &peer->in_ready);
	poll_list_add(list, out && !same ? peer->out : -1, out, &peer->out_ready);
}

/** console_peer_move - pass on what poll() found */
void console_peer_move(struct console_peer *peer)
{
	short in = peer->in_ready, out = peer->in == peer->out ? in : peer->out_ready;

	if (out & (POLLOUT | POLLERR | POLLHUP))
		console_peer_send(peer, true);
	/* Another one may have typed what the guest does not take. */
	if (!peer->gone && in & (POLLIN | POLLHUP | POLLERR) &&
	    (peer->person || console_listens(peer->console)))
		peer->kind->receive(peer);
}

/** console_peer_flush - the guest has ended: give him the rest, if he takes it soon */
void console_peer_flush(struct console_peer *peer)
{
	int patience = peer->kind->lag == PEER_HOLDS ? HOLDER_FLUSH_MS : FLUSH_MS;
	struct pollfd fd = { .events = POLLOUT };

	while (console_peer_waits(peer)) {
		fd.fd = peer->out;
		if (poll(&fd, 1, patience) <= 0)
			return;
		console_peer_send(peer, true);
	}
}

/** console_peers_lag - see who is too far behind to be waited for; after each output */
void console_peers_lag(struct console *console)
{
	size_t first = console_log_first(&console->log);
	struct console_peer *peer;

	for (peer = console->peers; peer; peer = peer->next) {
		if (peer->out < 0)
			peer->at = console->log.kept->written;
		if (peer->at >= first)
			continue;
		peer->gone |= peer->kind->lag == PEER_LEAVES;
		peer->at = first;
	}
}

/** console_peers_forget - forget those who are gone, or @all */
void console_peers_forget(struct console *console, bool all)
{
	struct console_peer **link = &console->peers, *peer;

	while ((peer = *link)) {
		if (!peer->gone && !all) {
			link = &peer->next;
			continue;
		}
		*link = peer->next;
		if (peer->kind->close)
			peer->kind->close(peer);
		free(peer);
	}
}

/**
 * own_description - the same terminal or pipe, so that not to wait for it is ours alone
 * @fd: a descriptor that others may have, too
 * @blocks: whether writing to what is returned may wait
 *
 * Return: a new descriptor, or @fd itself where there is no such thing.
 */
int own_description(int fd, bool *blocks)
{
	char path[32];
	unsigned int number;
	struct stat st;
	int own = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* The other end of a pseudo-terminal would be a new one. */
	if (!fstat(fd, &st) && (S_ISFIFO(st.st_mode) ||
				(isatty(fd) && ioctl(fd, TIOCGPTN, &number))))
		own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	*blocks = own < 0;
	return own < 0 ? fd : own;
}
