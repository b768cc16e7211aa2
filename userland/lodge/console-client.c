// SPDX-License-Identifier: GPL-2.0
/* `lodge console` at a console: frames come from it, output goes to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "console-peer.h"
#include "error.h"
#include "frame.h"
#include "rundir.h"
#include "util.h"

/* Beside what the log keeps, or what net.core.wmem_max allows. */
#define SEND_BUFFER 0x100000

static void client_receive(struct console_peer *peer)
{
	struct frame *frame = peer->private;
	struct frame_window window;

	switch (frame_receive(frame, peer->in)) {
	case FRAME_PARTIAL:
		return;
	case FRAME_COMPLETE:
		if (frame->head.type == FRAME_INPUT && frame->head.length <= FRAME_INPUT_MAX) {
			console_input(peer->console, frame->data, frame->head.length);
			return;
		}
		if (frame->head.type == FRAME_WINDOW && frame->head.length == sizeof(window)) {
			memcpy(&window, frame->data, sizeof(window));
			console_set_size(peer->console, window.rows, window.columns);
			return;
		}
		break;
	default:
		break;
	}
	peer->gone = true;
}

static void client_close(struct console_peer *peer)
{
	close(peer->in);
	free(peer->private);
}

static const struct console_peer_kind client = {
	.lag = PEER_LEAVES, .receive = client_receive, .close = client_close,
};

static struct sockaddr_un place(const struct console *console)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), RUNDIR_CONSOLES "/%s", console->id);
	return sun;
}

/** console_client_open - let `lodge console` find this one in the guest's directory */
void console_client_open(struct console *console)
{
	const struct sockaddr_un sun = place(console);
	mode_t mask = umask(0177);

	console->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (console->listener < 0 ||
	    bind(console->listener, (const struct sockaddr *)&sun, sizeof(sun)) ||
	    listen(console->listener, CONSOLE_CLIENTS))
		die_errno(errno, "console %s", console->id);
	umask(mask);
}

/** console_client_accept - somebody wants to come */
void console_client_accept(struct console *console)
{
	int fd = accept4(console->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const int room = SEND_BUFFER;
	struct console_peer *peer;

	if (fd < 0)
		return;
	if (!console_has_room(console)) {
		close(fd);
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	peer = console_peer_new(console, &client, fd, fd);
	peer->private = xcalloc(1, sizeof(struct frame));
	console_peer_from_start(peer);
	console_peer_send(peer, false);
}

/** console_client_close - nobody finds it any more */
void console_client_close(struct console *console)
{
	const struct sockaddr_un sun = place(console);

	close(console->listener);
	unlink(sun.sun_path);
}
