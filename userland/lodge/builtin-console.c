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

#include "console-log.h"
#include "error.h"
#include "frame.h"
#include "guest-arguments.h"
#include "guests.h"
#include "launcher.h"
#include "lodge.h"
#include "printable.h"
#include "rundir.h"
#include "table.h"
#include "terminal.h"
#include "util.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "list", no_argument, NULL, 'l' },
	{ 0 }
};

/**
 * struct request - what the user wants
 * @guest: whose console
 * @id: which one, or NULL
 * @list: what there is
 */
struct request {
	const char *guest, *id;
	bool list;
};

/* All commands here take a name; at @most so many words. */
static void parse(struct request *request, int argc, char **argv, const struct command *command,
		  int most)
{
	int opt;

	*request = (struct request){ 0 };
	while ((opt = getopt_long(argc, argv, command == &cmd_console ? "hl" : "h", options,
				  NULL)) >= 0) {
		if (opt == 'l' && command == &cmd_console) {
			request->list = true;
			continue;
		}
		if (opt != 'h')
			die_usage(command->name, NULL);
		puts(command->usage);
		exit(0);
	}
	if (optind == argc)
		die_usage(command->name, "one guest is named");
	if (argc - optind > most)
		die_usage(command->name, "%s: one word too many", argv[optind + most]);
	request->guest = argv[optind];
	request->id = argv[optind + 1];
}

/* One line of a list of consoles. */
struct entry {
	char id[8], kind[16], place[4096];
};

static bool read_entry(FILE *in, struct entry *entry)
{
	if (fscanf(in, "%7s %15s %4095[^\n]", entry->id, entry->kind, entry->place) != 3)
		return false;
	/* Root may be looking at what another user has written. */
	make_printable(entry->id);
	make_printable(entry->kind);
	make_printable(entry->place);
	return true;
}

static FILE *open_list(const char *guest)
{
	FILE *in = rundir_open(RUNDIR_CONSOLES_LIST);

	if (!in)
		die_guest(guest, "console", "it runs one command, which has no console");
	return in;
}

static int print_list(const char *guest)
{
	FILE *in cleanup_file = open_list(guest);
	struct table table = { .columns = 3, .right = "lll" };
	struct entry entry;

	table_add(&table, "CONSOLE");
	table_add(&table, "KIND");
	table_add(&table, "WHERE");
	while (read_entry(in, &entry)) {
		table_add(&table, entry.id);
		table_add(&table, entry.kind);
		table_add(&table, entry.place);
	}
	table_print(&table);
	return 0;
}

static noreturn void no_console(const char *guest, const char *id)
{
	FILE *in cleanup_file = open_list(guest);
	char *all = xstrdup(""), *longer;
	struct entry entry;

	while (read_entry(in, &entry)) {
		if (!strcmp(entry.id, id))
			die_guest(guest, NULL, "console %s: it is %s: there is nobody to talk to",
				  id, entry.kind);
		longer = xasprintf("%s%s%s", all, *all ? ", " : "", entry.id);
		free(all);
		all = longer;
	}
	die_guest(guest, NULL, "console %s: there is no such console; it has %s", id, all);
}

/* What does not look like one is none. */
static void check_id(const struct request *request)
{
	const char *number = request->id + (*request->id == 's');

	if (!*number || strlen(number) > 2 || number[strspn(number, "0123456789")])
		die_guest(request->guest, NULL,
			  "console %s: neither a number nor, for a serial line, s and a number",
			  request->id);
}

static int connect_to(const char *guest, const char *id)
{
	struct sockaddr_un there = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die_errno(errno, "socket");
	snprintf(there.sun_path, sizeof(there.sun_path), RUNDIR_CONSOLES "/%s", id);
	if (!connect(fd, (const struct sockaddr *)&there, sizeof(there)))
		return fd;
	if (errno == ENOENT)
		no_console(guest, id);
	die_guest(guest, NULL, "console %s: %s", id, strerror(errno));
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

static int be_there(const char *guest, const char *id)
{
	bool terminal = terminal_is_there(), left = false, resized = terminal;
	struct frame_out out = { .length = 0 };
	struct signalfd_siginfo info;
	struct escape escape = { 0 };
	struct pollfd fds[3] = {
		{ .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN },
		{ .events = POLLIN },
	};

	fds[0].fd = connect_to(guest, id);
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

static int console_main(int argc, char **argv)
{
	struct request request;

	parse(&request, argc, argv, &cmd_console, 2);
	full_guest_enter(request.guest);
	if (request.list)
		return print_list(request.guest);
	if (!request.id)
		request.id = "0";
	check_id(&request);
	return be_there(request.guest, request.id);
}

/* A guest wrote it: what a terminal could take for a command is not for ours. */
static void print_line(char *line, size_t length, FILE *to)
{
	size_t i, n = 0;

	/* Every line ends with a carriage return: most controls are left out, not replaced. */
	for (i = 0; i < length; i++)
		if ((unsigned char)line[i] >= ' ' || line[i] == '\n' || line[i] == '\t')
			line[n++] = line[i];
	line[n] = '\0';
	make_printable(line);
	fputs(line, to);
}

/* Returns whether there is such a file. */
static bool print_file(const char *file, FILE *to)
{
	FILE *in cleanup_file = rundir_open(file);
	bool terminal = isatty(fileno(to));
	size_t size = 0;
	char *line = NULL;
	ssize_t n;

	while (in && (n = getline(&line, &size, in)) >= 0) {
		if (terminal)
			print_line(line, n, to);
		else
			fwrite(line, 1, n, to);
	}
	free(line);
	return in;
}

/* Where a log is in a guest's directory; the caller frees it. */
static char *find_log(struct request *request)
{
	if (access(RUNDIR_CONSOLES, F_OK)) {
		if (request->id || access(RUNDIR_LOG, F_OK))
			die_guest(request->guest, "log", "it runs one command, and has no %s",
				  request->id ? "consoles" : "log");
		return xstrdup(RUNDIR_LOG);
	}
	if (!request->id)
		request->id = "0";
	check_id(request);
	return console_log_path(request->id);
}

static int logs_main(int argc, char **argv)
{
	char *log cleanup_free = NULL, *before cleanup_free = NULL;
	struct request request;

	parse(&request, argc, argv, &cmd_logs, 2);
	full_guest_check_name(request.guest);
	if (!rundir_enter_ended(request.guest))
		full_guest_enter(request.guest);
	log = find_log(&request);
	before = xasprintf("%s.1", log);
	if (access(log, F_OK))
		die_guest(request.guest, NULL, "console %s: it has no log", request.id);
	print_file(RUNDIR_MESSAGES, stderr);
	print_file(before, stdout);
	if (!print_file(log, stdout))
		die_guest(request.guest, "log", "cannot be read");
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
	.summary = "be at a console of a full guest",
	.usage =
	"Usage: lodge console NAME [CONSOLE]\n"
	"       lodge console --list NAME\n"
	"Show what a full guest says on a console, beginning with the last 64K, and pass on what\n"
	"is typed. CONSOLE is its number, 0 if not given; s0, s1 and so on are serial lines.\n"
	"Several may be there at once. On a terminal, Ctrl-] pressed three times within a second\n"
	"leaves, and so does the end of standard input; the guest goes on.\n\n"
	"  -l, --list             what consoles and serial lines it has, and where they are\n"
	"  -h, --help             show this",
};

const struct command cmd_logs = {
	.name = "logs",
	.run = logs_main,
	.summary = "print what a full guest has said",
	.usage =
	"Usage: lodge logs NAME [CONSOLE]\n"
	"Print what a full guest has said on a console (0), or a detached one's command: the last\n"
	"512K at least, also of one that has ended. What lodge itself had to say goes to standard\n"
	"error.\n\n"
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
