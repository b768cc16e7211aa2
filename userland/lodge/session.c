// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices.h"
#include "error.h"
#include "frame.h"
#include "guest-log.h"
#include "kernel-log.h"
#include "launcher.h"
#include "lodge.h"
#include "mconsole.h"
#include "net.h"
#include "printable.h"
#include "session.h"
#include "terminal.h"
#include "util.h"

#define IMPATIENCE 3
#define TICK_MS 1000
#define TICK_DEVICES_MS 20
/* What a user types is read at all times, to see the escape key: so much waits for the guest. */
#define TYPED_MAX 65536
/*
 * With this little on its way, what piles up while a guest is paused fits, with all its
 * credit, into its tty layer's buffer.
 */
#define SEND_BUFFER 8192

static_assert(FRAME_DATA_MAX <= PIPE_BUF, "a pipe that is ready takes a frame without blocking");

/* What the reader of our output has not taken yet. While there is any, no frame is read. */
struct outgoing {
	int fd;
	const char *data;
	size_t length;
};

/* Bits of relay.unsent: what goes to the guest as soon as it takes it, each at most once. */
enum { UNSENT_WINDOW = 1, UNSENT_NO_OUTPUT = 2, UNSENT_NO_ERROR_OUTPUT = 4, UNSENT_END = 8 };

struct relay {
	struct session *session;
	int signals;
	struct frame in;
	struct frame_out to_guest;
	struct outgoing out;
	size_t credit, ordered;
	unsigned int unsent;
	unsigned long long unsent_signals;
	char typed[TYPED_MAX];
	size_t typed_length;
	bool ready, started, input_ended, ended, dead;
	int status;
	int interrupts;
	struct escape escape;
};

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void end_at_once(struct relay *r, const char *why, int status)
{
	terminal_restore();
	warn_guest(r->session->name, NULL, "%s", why);
	kill(r->session->guest, SIGKILL);
	r->ended = true;
	r->out.length = 0;
	r->status = status;
}

/* Makes the next frame for the guest. Returns false if there is none. */
static bool next_frame(struct relay *r)
{
	const struct session *s = r->session;
	struct frame_window window;
	unsigned int number;
	size_t n;

	if (r->ready && !r->started) {
		n = min_size(r->credit, min_size(s->order_length - r->ordered, FRAME_INPUT_MAX));
		if (r->ordered < s->order_length) {
			if (!n)
				return false;
			frame_put(&r->to_guest, FRAME_ORDER, s->order + r->ordered, n);
			r->ordered += n;
			r->credit -= n;
			return true;
		}
		r->started = true;
		frame_put(&r->to_guest, FRAME_START, NULL, 0);
		if (s->terminal)
			terminal_raw();
		return true;
	}
	if (!r->started)
		return false;
	if (r->unsent_signals) {
		number = __builtin_ctzll(r->unsent_signals);
		r->unsent_signals &= r->unsent_signals - 1;
		frame_put(&r->to_guest, FRAME_SIGNAL, &number, sizeof(number));
	} else if (r->unsent & UNSENT_WINDOW) {
		r->unsent &= ~UNSENT_WINDOW;
		terminal_size(&window.rows, &window.columns);
		frame_put(&r->to_guest, FRAME_WINDOW, &window, sizeof(window));
	} else if (r->unsent & (UNSENT_NO_OUTPUT | UNSENT_NO_ERROR_OUTPUT)) {
		number = r->unsent & UNSENT_NO_OUTPUT ? FRAME_OUTPUT : FRAME_ERROR_OUTPUT;
		r->unsent &= ~(number == FRAME_OUTPUT ? UNSENT_NO_OUTPUT : UNSENT_NO_ERROR_OUTPUT);
		frame_put(&r->to_guest, FRAME_NO_READER, &number, sizeof(number));
	} else if (r->typed_length && r->credit) {
		n = min_size(r->credit, min_size(r->typed_length, FRAME_INPUT_MAX));
		frame_put(&r->to_guest, FRAME_INPUT, r->typed, n);
		r->typed_length -= n;
		memmove(r->typed, r->typed + n, r->typed_length);
		r->credit -= n;
	} else if (r->unsent & UNSENT_END && !r->typed_length) {
		r->unsent &= ~UNSENT_END;
		frame_put(&r->to_guest, FRAME_INPUT, NULL, 0);
	} else {
		return false;
	}
	return true;
}

static void send_frames(struct relay *r)
{
	while (frame_send(&r->to_guest, r->session->channel) && next_frame(r))
		;
}

/* Of a file no more is read than the guest can have; a user's keys beyond all limits are lost. */
static void take_input(struct relay *r)
{
	bool terminal = r->session->terminal;
	char data[FRAME_INPUT_MAX];
	ssize_t n;

	n = read(STDIN_FILENO, data, terminal ? sizeof(data) : min_size(r->credit, sizeof(data)));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		r->input_ended = true;
		r->unsent |= UNSENT_END;
		return;
	}
	if (terminal && escape_seen(&r->escape, data, n)) {
		end_at_once(r, "ended by the escape key", 128 + SIGKILL);
		return;
	}
	n = min_size(n, TYPED_MAX - r->typed_length);
	memcpy(r->typed + r->typed_length, data, n);
	r->typed_length += n;
}

static void take_child(struct relay *r)
{
	siginfo_t info = { 0 };

	net_watch(r->session->net);
	if (!waitid(P_PID, r->session->guest, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid)
		r->dead = true;
}

static void take_signal(struct relay *r)
{
	struct signalfd_siginfo info;

	if (read(r->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		take_child(r);
		return;
	case SIGWINCH:
		if (r->session->terminal)
			r->unsent |= UNSENT_WINDOW;
		return;
	case SIGINT:
	case SIGTERM:
	case SIGHUP:
	case SIGQUIT:
		/* Nothing is left of a guest that is dead but output that nobody takes. */
		if (!r->started || r->dead || ++r->interrupts == IMPATIENCE) {
			end_at_once(r, "ended by a signal", 128 + info.ssi_signo);
			return;
		}
		break;
	}
	/* Before there is a command nobody can have wanted another signal to end it. */
	if (r->started)
		r->unsent_signals |= 1ULL << info.ssi_signo;
}

static void begin(struct relay *r)
{
	if (r->ready)
		return;
	r->ready = true;
	r->credit = CREDIT_MAX;
}

static void take_failure(struct relay *r)
{
	char text[FRAME_DATA_MAX + 1] = "";

	memcpy(text, r->in.data, r->in.head.length);
	make_printable(text);
	terminal_restore();
	warn_guest(r->session->name, NULL, "%s", text);
	r->ended = true;
}

/* The log takes it at once. */
static void take_output(struct relay *r, unsigned int type)
{
	struct guest_log *kept = r->session->kept;

	if (kept) {
		guest_log_write(kept, r->in.data, r->in.head.length);
		return;
	}
	r->out = (struct outgoing){
		.fd = type == FRAME_OUTPUT ? STDOUT_FILENO : STDERR_FILENO,
		.data = r->in.data, .length = r->in.head.length,
	};
}

static void take_start(struct session *session)
{
	if (!session->runs)
		session->up(session->name);
	session->runs = true;
}

static void handle_frame(struct relay *r)
{
	unsigned int type = r->in.head.type;

	switch (type) {
	case FRAME_READY:
		begin(r);
		break;
	case FRAME_CREDIT:
		r->credit = min_size(r->credit + frame_number(&r->in), CREDIT_MAX);
		break;
	case FRAME_OUTPUT:
	case FRAME_ERROR_OUTPUT:
		take_output(r, type);
		break;
	case FRAME_RUNS:
		take_start(r->session);
		break;
	case FRAME_FAILED:
		take_failure(r);
		break;
	case FRAME_EXIT:
		r->ended = true;
		r->status = frame_number(&r->in) & 0xff;
		break;
	default:
		end_at_once(r, "its init sent a frame of no known type", error_status());
	}
}

/* Returns false at the end of the line. */
static bool take_channel(struct relay *r)
{
	switch (frame_receive(&r->in, r->session->channel)) {
	case FRAME_COMPLETE:
		handle_frame(r);
		break;
	case FRAME_TOO_LONG:
		end_at_once(r, "its init sent a frame that is too long", error_status());
		break;
	case FRAME_PARTIAL:
		break;
	case FRAME_END:
		return false;
	}
	return true;
}

/* A reader that has gone is the command's business: it gets SIGPIPE, as on the host. */
static void give_output(struct relay *r)
{
	ssize_t n;

	n = write(r->out.fd, r->out.data, r->out.length);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		r->unsent |= r->out.fd == STDOUT_FILENO ? UNSENT_NO_OUTPUT : UNSENT_NO_ERROR_OUTPUT;
		n = r->out.length;
	}
	r->out.data += n;
	r->out.length -= n;
}

static void wait_for_news(struct relay *r)
{
	struct session *s = r->session;
	bool input = r->started && !r->input_ended &&
		     (s->terminal || (r->credit && !r->typed_length));
	short channel = (r->out.length ? 0 : POLLIN) | (r->to_guest.length ? POLLOUT : 0);
	struct pollfd fds[7 + DEVICES_FDS] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = s->log->fd, .events = POLLIN },
		{ .fd = channel ? s->channel : -1, .events = channel },
		{ .fd = r->out.length ? r->out.fd : -1, .events = POLLOUT },
		{ .fd = input ? STDIN_FILENO : -1, .events = POLLIN },
	};
	int tick = mconsole_relay_is_busy(s->console) ? TICK_MS : -1;

	mconsole_relay_poll(s->console, fds + 5);
	devices_poll(s->devices, fds + 7);
	if (poll(fds, ARRAY_SIZE(fds), devices_wait(s->devices) ? TICK_DEVICES_MS : tick) < 0)
		return;
	if (fds[1].revents)
		kernel_log_read(s->log);
	mconsole_relay_move(s->console, fds + 5);
	devices_move(s->devices, fds + 7);
	if (fds[3].revents)
		give_output(r);
	if (fds[0].revents)
		take_signal(r);
	if (fds[4].revents && !r->ended)
		take_input(r);
	/* What give_output() has just made room for is for the next time. */
	if (fds[2].revents && channel & POLLIN && !r->ended && !take_channel(r))
		r->ended = true;
	if (!r->ended)
		send_frames(r);
}

/**
 * session_run - pass everything between the user and a command in a guest until both have ended
 * @session: a guest that has just been started
 *
 * Return: the command's exit status; -1 if the guest ended without one, and its log should
 * be shown.
 */
int session_run(struct session *session)
{
	struct relay r = { .session = session, .status = -1 };
	const int room = SEND_BUFFER;

	setsockopt(session->channel, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	r.signals = launcher_signals();
	while (!r.ended || r.out.length)
		wait_for_news(&r);
	terminal_restore();
	session->guest_status = launcher_reap(session->guest, r.signals, session->log);
	close(r.signals);
	return r.status;
}
