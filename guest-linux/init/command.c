// SPDX-License-Identifier: GPL-2.0
/* The command: on pipes or a terminal of its own, and what passes between it and the host. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "init.h"

#define STATUS_CANNOT_RUN 126
#define STATUS_NOT_FOUND 127

/* Input that the command has not taken yet; end: nothing follows it. */
static struct {
	char data[CREDIT_MAX];
	size_t length;
	bool end;
} pending;

static void make_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC))
		fail("pipe: %s", strerror(errno));
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static noreturn void become(const struct order *order, int input, int output, int error_output,
			    int told)
{
	sigset_t none;
	int err;

	setsid();
	if (order->terminal)
		ioctl(input, TIOCSCTTY, 0);
	dup2(input, 0);
	dup2(output, 1);
	dup2(error_output, 2);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (chdir(order->directory) && chdir("/"))
		_exit(STATUS_CANNOT_RUN);
	environ = order->envp;
	execvp(order->argv[0], order->argv);
	err = errno;
	if (write(told, &err, sizeof(err)) != sizeof(err))
		_exit(STATUS_CANNOT_RUN);
	_exit(err == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN);
}

/* Says why, in the words of the host's own shell, when exec() failed. */
static void check_started(int told, const struct order *order)
{
	char text[512];
	int err;

	if (read(told, &err, sizeof(err)) == sizeof(err)) {
		snprintf(text, sizeof(text), "lodge: %s: %s\n", order->argv[0],
			 err == ENOENT ? "command not found" : strerror(err));
		line_send(FRAME_ERROR_OUTPUT, text, strlen(text));
	} else {
		line_send(FRAME_RUNS, NULL, 0);
	}
	close(told);
}

/**
 * command_start - start what the host has ordered; ends the guest if that is not possible
 * @command: filled in
 * @order: what
 */
void command_start(struct command *command, const struct order *order)
{
	struct winsize size = { .ws_row = order->rows, .ws_col = order->columns };
	int input[2], output[2], error_output[2], told[2];

	make_pipe(told);
	if (order->terminal) {
		if (openpty(&output[0], &output[1], NULL, NULL, &size))
			fail("no terminal: %s", strerror(errno));
		fcntl(output[0], F_SETFD, FD_CLOEXEC);
		fcntl(output[1], F_SETFD, FD_CLOEXEC);
		input[0] = output[1];
		input[1] = fcntl(output[0], F_DUPFD_CLOEXEC, 0);
		error_output[0] = -1;
		error_output[1] = output[1];
	} else {
		make_pipe(input);
		make_pipe(output);
		make_pipe(error_output);
	}
	command->pid = fork();
	if (command->pid < 0)
		fail("fork: %s", strerror(errno));
	if (!command->pid)
		become(order, input[0], output[1], error_output[1], told[1]);
	close(told[1]);
	close(output[1]);
	if (!order->terminal) {
		close(input[0]);
		close(error_output[1]);
	}
	command->input = input[1];
	command->output = output[0];
	command->error_output = error_output[0];
	fcntl(command->input, F_SETFL, O_NONBLOCK);
	fcntl(command->output, F_SETFL, O_NONBLOCK);
	if (command->error_output >= 0)
		fcntl(command->error_output, F_SETFL, O_NONBLOCK);
	check_started(told[0], order);
}

static void take_frame(struct command *command, unsigned int type, const void *data, size_t length)
{
	const struct frame_window *window = data;
	const unsigned int *number = data;
	struct winsize size;

	switch (type) {
	case FRAME_INPUT:
		if (!length)
			pending.end = true;
		if (length > CREDIT_MAX - pending.length)
			fail("the host sent more input than it was allowed to");
		memcpy(pending.data + pending.length, data, length);
		pending.length += length;
		break;
	case FRAME_WINDOW:
		if (length != sizeof(*window))
			fail("the host sent half a window size");
		size = (struct winsize){ .ws_row = window->rows, .ws_col = window->columns };
		if (command->input >= 0)
			ioctl(command->input, TIOCSWINSZ, &size);
		break;
	case FRAME_SIGNAL:
		if (length != sizeof(*number))
			fail("the host sent half a signal");
		kill(-command->pid, *number);
		break;
	case FRAME_NO_READER:
		if (length != sizeof(*number))
			fail("the host sent half a word");
		close_fd(*number == FRAME_OUTPUT ? &command->output : &command->error_output);
		break;
	default:
		fail("the host sent a frame of type %u", type);
	}
}

/* What nobody reads any more counts as taken. */
static void give_input(struct command *command)
{
	unsigned int taken = pending.length;
	ssize_t n;

	if (command->input >= 0 && pending.length) {
		n = write(command->input, pending.data, pending.length);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			close_fd(&command->input);
		else
			taken = n;
	}
	if (taken) {
		pending.length -= taken;
		memmove(pending.data, pending.data + taken, pending.length);
		line_send(FRAME_CREDIT, &taken, sizeof(taken));
	}
	if (pending.end && !pending.length)
		close_fd(&command->input);
}

/* Returns whether there may be more. */
static bool pass_output(int *fd, enum frame_type type)
{
	char data[FRAME_DATA_MAX];
	ssize_t n;

	if (*fd < 0)
		return false;
	n = read(*fd, data, sizeof(data));
	if (n > 0)
		line_send(type, data, n);
	else if (!n || (errno != EAGAIN && errno != EINTR))
		close_fd(fd);
	return n > 0;
}

/* Init is everybody's last parent. Returns whether the command itself has ended. */
static bool reap(pid_t pid, unsigned int *result)
{
	bool ended = false;
	int status;
	pid_t one;

	while ((one = waitpid(-1, &status, WNOHANG)) > 0) {
		if (one != pid)
			continue;
		ended = true;
		*result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return ended;
}

static void take_frames(struct command *command)
{
	size_t length;
	unsigned int type;
	void *data;

	while ((data = line_frame(&type, &length)))
		take_frame(command, type, data, length);
}

/**
 * command_relay - pass input, output and signals until the command has ended
 * @command: as command_start() left it
 *
 * What the command said before it ended has been passed on when this returns; what
 * others that it started may say later is not waited for.
 *
 * Return: its exit status.
 */
unsigned int command_relay(struct command *command)
{
	struct signalfd_siginfo info;
	unsigned int result = 0;
	sigset_t watched;
	int signals;

	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	/* What the kernel sends for Ctrl-Alt-Del: lodge halt. */
	sigaddset(&watched, SIGINT);
	sigprocmask(SIG_BLOCK, &watched, NULL);
	signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		fail("signalfd: %s", strerror(errno));
	while (!reap(command->pid, &result)) {
		struct pollfd fds[] = {
			{ .fd = signals, .events = POLLIN },
			{ .fd = line_fd(), .events = POLLIN },
			{ .fd = command->output, .events = POLLIN },
			{ .fd = command->error_output, .events = POLLIN },
			{ .fd = pending.length ? command->input : -1, .events = POLLOUT },
		};

		poll(fds, ARRAY_SIZE(fds), -1);
		while (read(signals, &info, sizeof(info)) > 0)
			if (info.ssi_signo == SIGINT)
				kill(-command->pid, SIGTERM);
		if (fds[1].revents) {
			take_frames(command);
			give_input(command);
		}
		if (fds[2].revents)
			pass_output(&command->output, FRAME_OUTPUT);
		if (fds[3].revents)
			pass_output(&command->error_output, FRAME_ERROR_OUTPUT);
		if (fds[4].revents)
			give_input(command);
	}
	while (pass_output(&command->output, FRAME_OUTPUT))
		;
	while (pass_output(&command->error_output, FRAME_ERROR_OUTPUT))
		;
	return result;
}
