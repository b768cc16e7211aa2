// SPDX-License-Identifier: GPL-2.0
/* A console as a pseudo-terminal, for whatever program opens it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "console-peer.h"
#include "consoles.h"
#include "error.h"
#include "poll-list.h"
#include "rundir.h"
#include "util.h"

/**
 * struct pty - such a terminal
 * @master: lodge's end
 * @opened: an inotify instance that tells of programs that open it
 * @opened_ready: what poll() found
 * @name: of it
 * @there: it is open
 */
struct pty {
	int master, opened;
	short opened_ready;
	char name[64];
	bool there;
};

static void pty_receive(struct console_peer *peer)
{
	struct winsize size;

	console_peer_receive(peer);
	/* Nothing else tells when the program changes it. */
	if (!ioctl(peer->in, TIOCGWINSZ, &size))
		console_set_size(peer->console, size.ws_row, size.ws_col);
}

static void pty_left(struct console_peer *peer)
{
	struct pty *pty = peer->console->private;

	pty->there = false;
}

static const struct console_peer_kind pty_peer = {
	.lag = PEER_LOSES, .receive = pty_receive, .close = pty_left,
};

/* What the last one who was there has not read is not for the next. */
static void drop_unread(const struct pty *pty)
{
	int slave cleanup_fd = open(pty->name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (slave >= 0)
		tcflush(slave, TCIFLUSH);
}

static void see_who_is_there(struct console *console)
{
	struct pty *pty = console->private;
	struct pollfd fd = { .fd = pty->master };
	struct console_peer *peer;

	if (pty->there || poll(&fd, 1, 0) < 0 || fd.revents & POLLHUP)
		return;
	drop_unread(pty);
	pty->there = true;
	peer = console_peer_new(console, &pty_peer, pty->master, pty->master);
	console_peer_from_start(peer);
	console_peer_send(peer, false);
}

static void make_raw(const struct console *console, const char *name)
{
	int slave cleanup_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios modes;

	if (slave < 0 || tcgetattr(slave, &modes))
		die_errno(errno, "console %s: %s", console->id, name);
	cfmakeraw(&modes);
	tcsetattr(slave, TCSANOW, &modes);
}

/* A name for it that stays the same. */
static char *link_path(const struct console *console)
{
	return xasprintf(RUNDIR_CONSOLES "/%s.pty", console->id);
}

static void pty_open(struct console *console)
{
	char *link cleanup_free = link_path(console);
	struct pty *pty = xcalloc(1, sizeof(*pty));

	console->private = pty;
	pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (pty->master < 0 || grantpt(pty->master) || unlockpt(pty->master) ||
	    ptsname_r(pty->master, pty->name, sizeof(pty->name)))
		die_errno(errno, "console %s: no pseudo-terminal", console->id);
	/* That it was open once makes what follows tell whether it is. */
	make_raw(console, pty->name);
	pty->opened = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (pty->opened < 0 || inotify_add_watch(pty->opened, pty->name, IN_OPEN) < 0)
		die_errno(errno, "console %s: %s: inotify", console->id, pty->name);
	if (symlink(pty->name, link))
		die_errno(errno, "%s", link);
	warn_guest(console->consoles->guest, NULL, "console %s is %s", console->id, pty->name);
}

static void pty_poll(struct console *console, struct poll_list *list)
{
	struct pty *pty = console->private;

	poll_list_add(list, pty->opened, POLLIN, &pty->opened_ready);
}

static void pty_move(struct console *console)
{
	struct pty *pty = console->private;
	char events[4 * (sizeof(struct inotify_event) + NAME_MAX + 1)];

	if (!pty->opened_ready)
		return;
	while (read(pty->opened, events, sizeof(events)) > 0)
		;
	/* One who has left may not be forgotten yet. */
	console_peers_forget(console, false);
	see_who_is_there(console);
}

static char *pty_place(const struct console *console)
{
	const struct pty *pty = console->private;

	return xstrdup(pty->name);
}

static void pty_close(struct console *console)
{
	char *link cleanup_free = link_path(console);
	struct pty *pty = console->private;

	unlink(link);
	close(pty->opened);
	close(pty->master);
	free(pty);
}

const struct console_kind console_pty = {
	.name = "pty", .alias = "pts", .open = pty_open, .poll = pty_poll, .move = pty_move,
	.place = pty_place, .close = pty_close,
};
