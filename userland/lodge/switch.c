// SPDX-License-Identifier: GPL-2.0
/* A switch as a process: frames between its ports, until the last port has gone. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net-kind.h"
#include "switch.h"
#include "util.h"

#define PORTS_MAX 512
#define STATIONS 1024	/* a power of two */
/* Frames of one port before the next has its turn. */
#define TURN 64
/* Whoever starts a switch comes at once, or was killed. */
#define FIRST_MS 10000

/* Where its descriptors are, all others being closed. */
enum { LISTENER = 3, DIRECTORY };

/* Where frames for an address go: the port that it was last seen behind, or -1. */
struct station {
	unsigned char mac[NET_MAC];
	int port;
};

static struct station stations[STATIONS];
static int ports[PORTS_MAX];
static size_t n_ports;
/* The port of the way out, which keeps no switch alive; -1: there is none. */
static int way_out = -1;
/* Until a port goes there can be no more. */
static bool is_full;

static size_t n_guests(void)
{
	return n_ports - (way_out >= 0);
}

static struct station *station_of(const unsigned char *mac)
{
	unsigned int hash = 0;
	size_t i;

	for (i = 0; i < NET_MAC; i++)
		hash = hash * 31 + mac[i];
	return stations + hash % STATIONS;
}

static bool is_group(const unsigned char *mac)
{
	return mac[0] & 1;
}

static void learn(const unsigned char *mac, int port)
{
	struct station *station = station_of(mac);

	if (is_group(mac))
		return;
	memcpy(station->mac, mac, NET_MAC);
	station->port = port;
}

/* A port that is full loses frames, as on every network; one that has gone says so itself. */
static void send_frame(int port, const unsigned char *frame, size_t length)
{
	if (send(port, frame, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

static void forward(const unsigned char *frame, size_t length, int from)
{
	const struct station *station = station_of(frame);
	size_t i;

	learn(frame + NET_MAC, from);
	if (!is_group(frame) && station->port >= 0 && !memcmp(station->mac, frame, NET_MAC)) {
		if (station->port != from)
			send_frame(station->port, frame, length);
		return;
	}
	for (i = 0; i < n_ports; i++)
		if (ports[i] != from)
			send_frame(ports[i], frame, length);
}

static void close_port(size_t index)
{
	int port = ports[index];
	size_t i;

	for (i = 0; i < STATIONS; i++)
		if (stations[i].port == port)
			stations[i].port = -1;
	if (port == way_out)
		way_out = -1;
	close(port);
	ports[index] = ports[--n_ports];
	is_full = false;
}

/* Returns false when the port has gone. */
static bool take_frames(int port)
{
	static unsigned char frame[NET_FRAME_MAX + 1];
	ssize_t n;
	int i;

	for (i = 0; i < TURN; i++) {
		n = recv(port, frame, sizeof(frame), MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
		if (!n)
			return false;
		if (n >= NET_FRAME_HEAD && n <= NET_FRAME_MAX)
			forward(frame, n, port);
	}
	return true;
}

/* Returns whether somebody came. A byte tells him that he is not one of those who came too late. */
static bool new_port(void)
{
	int fd = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0) {
		is_full = errno == EMFILE || errno == ENFILE;
		return false;
	}
	if (send(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1) {
		close(fd);
		return true;
	}
	ports[n_ports++] = fd;
	is_full = n_ports == PORTS_MAX;
	return true;
}

/*
 * Nobody is here. While the directory is locked nobody starts a switch; who has connected, but was
 * not let in, finds the line cut and begins again.
 */
static bool can_end(const char *file)
{
	flock(DIRECTORY, LOCK_EX);
	if (!new_port()) {
		unlinkat(DIRECTORY, file, 0);
		return true;
	}
	flock(DIRECTORY, LOCK_UN);
	return false;
}

/* It moves frames and removes its socket: whoever can make it do something else gains nothing. */
static void give_up_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	const struct landlock_ruleset_attr handled = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	const struct landlock_path_beneath_attr remove = {
		.allowed_access = LANDLOCK_ACCESS_FS_REMOVE_FILE, .parent_fd = DIRECTORY,
	};
	const struct rlimit nothing = { 0, 0 };
	int rules;

	setrlimit(RLIMIT_CORE, &nothing);
	setrlimit(RLIMIT_FSIZE, &nothing);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	rules = syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (rules >= 0) {
		syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &remove, 0);
		syscall(SYS_landlock_restrict_self, rules, 0);
		close(rules);
	}
	syscall(SYS_capset, &head, none);
	setrlimit(RLIMIT_NPROC, &nothing);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Its guests end it, not who started it, and not a service manager that ends them as well. */
static void leave_starter(int directory, int listener)
{
	int null = open("/dev/null", O_RDWR);
	int own = openat(directory, ".", O_RDONLY | O_DIRECTORY);

	/* Not the directory of its first guest. */
	if (chdir("/"))
		_exit(1);
	setsid();
	prctl(PR_SET_NAME, "lodge-switch");
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* Its own open file: a lock is that file's. */
	own = fcntl(own, F_DUPFD, DIRECTORY + 1);
	listener = fcntl(listener, F_DUPFD, DIRECTORY + 1);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	if (own < 0 || listener < 0 || dup2(listener, LISTENER) < 0 || dup2(own, DIRECTORY) < 0)
		_exit(1);
	close_range(DIRECTORY + 1, ~0U, 0);
}

/* NAT, DHCP and names for all who are on the switch, by the process that serves one guest, too. */
static noreturn void serve_way_out(const struct net_interface *uplink, int line)
{
	struct net_port port = {
		.interface = uplink, .fd = -1,
		.line = { .fd = line, .longest = uplink->mtu + NET_FRAME_EXTRA },
	};

	prctl(PR_SET_NAME, "lodge-net");
	signal(SIGTERM, SIG_DFL);
	close(LISTENER);
	close(DIRECTORY);
	uplink->kind->open(&port);
	net_server_give_up_privileges(uplink->kind);
	uplink->kind->serve(&port);
	_exit(0);
}

static void start_way_out(const struct net_interface *uplink)
{
	int line[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line))
		return;
	/* It ends when its line does; nobody waits for it. */
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (!pid) {
		close(line[0]);
		serve_way_out(uplink, line[1]);
	}
	close(line[1]);
	way_out = line[0];
	ports[n_ports++] = line[0];
}

/* Returns false when there has been nothing for too long. */
static bool wait_for_news(bool is_first)
{
	struct pollfd fds[PORTS_MAX + 1];
	size_t i, n = n_ports;

	fds[0] = (struct pollfd){ .fd = is_full ? -1 : LISTENER, .events = POLLIN };
	for (i = 0; i < n; i++)
		fds[i + 1] = (struct pollfd){ .fd = ports[i], .events = POLLIN };
	if (!poll(fds, n + 1, is_first ? FIRST_MS : -1))
		return false;
	/* From the last: one that is closed is replaced by one that had its turn. */
	for (i = n; i-- > 0; )
		if (fds[i + 1].revents && !take_frames(ports[i]))
			close_port(i);
	if (fds[0].revents)
		new_port();
	return true;
}

/**
 * switch_run - be a switch until nobody is connected; ends the process
 * @directory: the runtime directory
 * @name: of the switch
 * @listener: socket, bound in the directory, at which ports connect: non-blocking, of packets
 * @uplink: its way out, or NULL
 */
void switch_run(int directory, const char *name, int listener, const struct net_interface *uplink)
{
	char *file cleanup_free = xasprintf(SWITCH_PREFIX "%s", name);
	bool is_first = true;
	size_t i;

	leave_starter(directory, listener);
	if (uplink)
		start_way_out(uplink);
	give_up_privileges();
	for (i = 0; i < STATIONS; i++)
		stations[i].port = -1;
	do {
		while (wait_for_news(is_first)) {
			is_first &= !n_guests();
			if (!n_guests() && !is_first)
				break;
		}
	} while (!can_end(file));
	_exit(0);
}
