// SPDX-License-Identifier: GPL-2.0
/*
 * One command, its input and output carried over virtio ports. The ports can be
 * opened once only, so the command gets pipes and we copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

/* So long before the time limit, the log gets where everything stands. */
#define HANG_REPORT_SECONDS	10
#define SWEEP_SECONDS		10

struct stream {
	const char *port;
	int from;
	int to;
};

static void write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		data += n;
		len -= n;
	}
}

/* One bite from a stream; false at its end. */
static bool copy(struct stream *stream)
{
	static char buf[65536];
	ssize_t n = read(stream->from, buf, sizeof(buf));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	write_all(stream->to, buf, n);
	return n > 0;
}

static void report_hang(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	say("the time limit is near: blocked tasks and what each CPU does");
	if (fd < 0)
		return;
	write_all(fd, "w", 1);
	write_all(fd, "l", 1);
	close(fd);
}

static void terminal(const struct order *order)
{
	struct winsize size = { .ws_row = order->rows, .ws_col = order->cols };
	int fd;

	setsid();
	fd = open("/dev/hvc0", O_RDWR);
	if (fd < 0)
		die("/dev/hvc0: %m");
	ioctl(fd, TIOCSCTTY, 1);
	ioctl(fd, TIOCSWINSZ, &size);
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	if (fd > 2)
		close(fd);
}

/* In the child. @pipes: its standard input, output and error. */
static void __attribute__((noreturn))
become(const struct order *order, const int *pipes)
{
	sigset_t none;
	int i;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (order->tty) {
		terminal(order);
	} else {
		setsid();
		for (i = 0; i < 3; i++)
			dup2(pipes[i], i);
	}
	for (i = 0; order->env[i]; i++)
		putenv(order->env[i]);
	if (chdir(order->cwd)) {
		fprintf(stderr, "lodge-vm: %s: %m\n", order->cwd);
		_exit(127);
	}
	execvp(order->argv[0], order->argv);
	fprintf(stderr, "lodge-vm: %s: %m\n", order->argv[0]);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Reap whoever died; true and the status when it was @main_pid. */
static bool reap(pid_t main_pid, int *status)
{
	bool found = false;
	int one;
	pid_t pid;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
		if (pid == main_pid) {
			*status = one;
			found = true;
		}
	}
	return found;
}

static int open_null(int flags)
{
	int fd = open("/dev/null", flags | O_CLOEXEC);

	if (fd < 0)
		die("/dev/null: %m");
	return fd;
}

static void make_pipe(int *ends)
{
	if (pipe2(ends, O_CLOEXEC))
		die("pipe: %m");
}

static int need_port(const char *name, int flags)
{
	int fd = setup_port(name, flags);

	if (fd < 0)
		die("no virtio port %s", name);
	return fd;
}

/* Our ends in @streams, the command's in @pipes. */
static void make_streams(const struct order *order, struct stream *streams,
			 int *pipes)
{
	int ends[2], i;

	streams[0] = (struct stream){ "lodge.in", -1, -1 };
	streams[1] = (struct stream){ "lodge.out", -1, -1 };
	streams[2] = (struct stream){ "lodge.err", -1, -1 };
	for (i = 0; i < 3; i++)
		pipes[i] = -1;
	if (order->tty)
		return;

	if (order->input) {
		make_pipe(ends);
		pipes[0] = ends[0];
		streams[0].to = ends[1];
		streams[0].from = need_port(streams[0].port, O_RDONLY);
	} else {
		pipes[0] = open_null(O_RDONLY);
	}
	for (i = 1; i < 3; i++) {
		make_pipe(ends);
		pipes[i] = ends[1];
		streams[i].from = ends[0];
		streams[i].to = need_port(streams[i].port, O_WRONLY);
		fcntl(ends[0], F_SETFL, O_NONBLOCK);
	}
}

static void end_stream(struct stream *stream)
{
	close(stream->from);
	close(stream->to);
	stream->from = -1;
	stream->to = -1;
}

/* Copy until the command is dead; its wait status. */
static int serve(const struct order *order, struct stream *streams,
		 int signals, pid_t pid)
{
	time_t start = time(NULL);
	bool reported = order->limit <= HANG_REPORT_SECONDS;
	struct signalfd_siginfo info;
	struct pollfd polls[4];
	int i, status = 0;

	while (!reap(pid, &status)) {
		for (i = 0; i < 3; i++)
			polls[i] = (struct pollfd){ streams[i].from, POLLIN, 0 };
		polls[3] = (struct pollfd){ signals, POLLIN, 0 };
		poll(polls, 4, 1000);
		for (i = 0; i < 3; i++)
			if (polls[i].revents && !copy(&streams[i]))
				end_stream(&streams[i]);
		if (polls[3].revents && read(signals, &info, sizeof(info)) < 0)
			continue;
		if (!reported && time(NULL) - start >
				 (time_t)order->limit - HANG_REPORT_SECONDS) {
			reported = true;
			report_hang();
		}
	}
	return status;
}

int session_run(const struct order *order)
{
	struct stream streams[3];
	struct pollfd sent;
	int pipes[3], signals, i, status;
	sigset_t set;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		die("signalfd: %m");
	make_streams(order, streams, pipes);

	pid = fork();
	if (pid < 0)
		die("fork: %m");
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		become(order, pipes);
	}
	for (i = 0; i < 3; i++)
		if (pipes[i] >= 0)
			close(pipes[i]);

	status = serve(order, streams, signals, pid);

	/*
	 * What is in the pipes now was written before the command died. A port
	 * is writable again when the machine outside has taken our last write.
	 */
	for (i = 1; i < 3; i++) {
		struct pollfd left = { streams[i].from, POLLIN, 0 };

		if (streams[i].from < 0)
			continue;
		while (poll(&left, 1, 0) > 0 && (left.revents & POLLIN) &&
		       copy(&streams[i]))
			;
		sent = (struct pollfd){ streams[i].to, POLLOUT, 0 };
		poll(&sent, 1, 5000);
	}
	return status;
}

int session_sweep(void)
{
	int i, stuck = 0;
	pid_t pid;

	kill(-1, SIGKILL);
	for (i = 0; i < SWEEP_SECONDS * 100; i++) {
		pid = waitpid(-1, NULL, WNOHANG);
		if (pid < 0)
			return 0;
		if (!pid)
			usleep(10000);
	}
	report_hang();
	while (waitpid(-1, NULL, WNOHANG) == 0 && !stuck)
		stuck++;
	return stuck;
}
