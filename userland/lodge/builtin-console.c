// SPDX-License-Identifier: GPL-2.0
/* lodge console, logs: what a full guest says, and, on a terminal, to it. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "error.h"
#include "frame.h"
#include "guest-arguments.h"
#include "guests.h"
#include "launcher.h"
#include "lodge.h"
#include "printable.h"
#include "rundir.h"
#include "terminal.h"
#include "util.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ 0 }
};

/* Most of these commands take one name and nothing else. */
static const char *parse(int argc, char **argv, const struct command *command)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "+h", options, NULL)) >= 0) {
		if (opt != 'h')
			die_usage(command->name, NULL);
		puts(command->usage);
		exit(0);
	}
	if (optind + 1 != argc)
		die_usage(command->name, "one guest is named");
	return argv[optind];
}

static int connect_to(const char *guest)
{
	const struct sockaddr_un there = { .sun_family = AF_UNIX, .sun_path = RUNDIR_CONSOLE };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die_errno(errno, "socket");
	if (!connect(fd, (const struct sockaddr *)&there, sizeof(there)))
		return fd;
	if (errno == ENOENT)
		die_guest(guest, "console", "it runs one command, which has no console");
	die_guest(guest, "console", "%s", strerror(errno));
}

/* To a guest that is paused: at most the present frame and one window size wait. */
static void send_frames(int fd, struct frame_out *out, bool *resized)
{
	struct frame_window window;

	if (!frame_send(out, fd) || !*resized)
		return;
	*resized = false;
	terminal_size(&window.rows, &window.columns);
	frame_put(out, FRAME_WINDOW, &window, sizeof(window));
	frame_send(out, fd);
}

/* Returns false at its end, or when the user leaves. What cannot be sent is lost. */
static bool pass_input(struct frame_out *out, struct escape *escape, bool terminal)
{
	char data[FRAME_INPUT_MAX];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0 || (terminal && escape_seen(escape, data, n)))
		return false;
	if (!out->length)
		frame_put(out, FRAME_INPUT, data, n);
	return true;
}

/* Returns false when the guest has ended, or nobody reads what it says. */
static bool pass_output(int fd)
{
	char data[4096];
	ssize_t n = recv(fd, data, sizeof(data), 0), done = 0, part;

	if (n < 0 && errno == EINTR)
		return true;
	for (; done < n; done += part) {
		part = write(STDOUT_FILENO, data + done, n - done);
		if (part < 0 && errno != EINTR)
			return false;
		if (part < 0)
			part = 0;
	}
	return n > 0;
}

static int console_main(int argc, char **argv)
{
	const char *guest = parse(argc, argv, &cmd_console);
	bool terminal = terminal_is_there(), left = false, resized = terminal;
	struct frame_out out = { .length = 0 };
	struct signalfd_siginfo info;
	struct escape escape = { 0 };
	struct pollfd fds[3] = {
		{ .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN },
		{ .events = POLLIN },
	};

	full_guest_enter(guest);
	fds[0].fd = connect_to(guest);
	launcher_hold_signals();
	fds[2].fd = launcher_signals();
	if (terminal)
		terminal_raw();
	while (!left) {
		send_frames(fds[0].fd, &out, &resized);
		fds[0].events = POLLIN | (out.length ? POLLOUT : 0);
		fds[1].fd = terminal || !out.length ? STDIN_FILENO : -1;
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[0].revents & ~POLLOUT && !pass_output(fds[0].fd))
			break;
		if (fds[1].revents && !pass_input(&out, &escape, terminal))
			left = true;
		if (fds[2].revents && read(fds[2].fd, &info, sizeof(info)) == sizeof(info)) {
			resized |= info.ssi_signo == SIGWINCH && terminal;
			left |= info.ssi_signo != SIGWINCH && info.ssi_signo != SIGCHLD;
		}
	}
	terminal_restore();
	fprintf(stderr, "\nlodge: %s: %s\n", guest, left ? "left; it goes on" : "ended");
	return 0;
}

/* A guest wrote it: what a terminal could take for a command is not for ours. */
static void print_line(char *line, size_t length)
{
	size_t i, n = 0;

	/* Every line ends with a carriage return: most controls are left out, not replaced. */
	for (i = 0; i < length; i++)
		if ((unsigned char)line[i] >= ' ' || line[i] == '\n' || line[i] == '\t')
			line[n++] = line[i];
	line[n] = '\0';
	make_printable(line);
	fputs(line, stdout);
}

/* Returns whether there is such a file. */
static bool print_file(const char *file)
{
	FILE *in cleanup_file = rundir_open(file);
	bool terminal = isatty(STDOUT_FILENO);
	size_t size = 0;
	char *line = NULL;
	ssize_t n;

	while (in && (n = getline(&line, &size, in)) >= 0) {
		if (terminal)
			print_line(line, n);
		else
			fwrite(line, 1, n, stdout);
	}
	free(line);
	return in;
}

static int logs_main(int argc, char **argv)
{
	const char *guest = parse(argc, argv, &cmd_logs);

	full_guest_check_name(guest);
	if (!rundir_enter_ended(guest))
		full_guest_enter(guest);
	if (access(RUNDIR_LOG, F_OK))
		die_guest(guest, "log", "it runs one command, and has no log");
	print_file(RUNDIR_LOG_BEFORE);
	if (!print_file(RUNDIR_LOG))
		die_guest(guest, "log", "cannot be read");
	return 0;
}

static bool has_ended(const char *guest)
{
	return rundir_enter_ended(guest);
}

static int rm_main(int argc, char **argv)
{
	struct guests guests;
	int status = 0;
	size_t i;

	guests_from_arguments(&guests, argc, argv, &cmd_rm, has_ended);
	for (i = 0; i < guests.n; i++) {
		full_guest_check_name(guests.names[i]);
		if (rundir_forget(guests.names[i]))
			continue;
		full_guest_enter(guests.names[i]);
		warn_guest(guests.names[i], NULL, "it runs: 'lodge halt' or 'lodge kill' ends it");
		status = error_status();
	}
	guests_free(&guests);
	return status;
}

const struct command cmd_console = {
	.name = "console",
	.run = console_main,
	.summary = "be at the console of a full guest",
	.usage =
	"Usage: lodge console NAME\n"
	"Show what a full guest says on its console, beginning with the last 64K, and pass on\n"
	"what is typed. Several may be there at once. On a terminal, Ctrl-] pressed three times\n"
	"within a second leaves, and so does the end of standard input; the guest goes on.\n\n"
	"  -h, --help             show this",
};

const struct command cmd_logs = {
	.name = "logs",
	.run = logs_main,
	.summary = "print what a full guest has said on its console",
	.usage =
	"Usage: lodge logs NAME\n"
	"Print what a full guest has said on its console: the last 512K at least, also of a\n"
	"detached guest that has ended.\n\n"
	"  -h, --help             show this",
};

const struct command cmd_rm = {
	.name = "rm",
	.run = rm_main,
	.summary = "forget full guests that have ended",
	.usage =
	"Usage: lodge rm NAME...\n"
	"       lodge rm --file FILE\n"
	"Forget detached guests that have ended, and with them their logs. Their disks stay.\n\n"
	"  -f, --file FILE        all guests that have ended of those that FILE describes\n"
	"  -h, --help             show this",
};
