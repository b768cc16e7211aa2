// SPDX-License-Identifier: GPL-2.0
/* The process that serves an interface: what it keeps, and all that it gives up. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "net-kind.h"
#include "util.h"

#define NOBODY 65534
#define MEMORY_MAX (256UL << 20)
#define FILES_MAX 4096UL
#define END_MS 2000
#define RESOLV_CONF "/etc/resolv.conf"

/* Where its descriptors are, all others being closed. */
enum { LINE = 3, TOLD, GIVEN };

static void allow_reading(int rules, const char *directory)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = open(directory, O_PATH | O_CLOEXEC),
	};

	if (beneath.parent_fd < 0)
		return;
	syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	close(beneath.parent_fd);
}

/* All files but those that name the host's name servers, if the host's kernel has Landlock. */
static void give_up_files(void)
{
	const struct landlock_ruleset_attr handled = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	char *resolv_conf cleanup_free = realpath(RESOLV_CONF, NULL);
	int rules cleanup_fd = syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);

	if (rules < 0)
		return;
	allow_reading(rules, "/etc");
	if (resolv_conf) {
		*strrchr(resolv_conf, '/') = '\0';
		allow_reading(rules, *resolv_conf ? resolv_conf : "/");
	}
	syscall(SYS_landlock_restrict_self, rules, 0);
}

static void lower_limit(int resource, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return;
	if (limit.rlim_max > most)
		limit.rlim_max = most;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(resource, &limit);
}

/**
 * net_server_give_up_privileges - keep nothing but open descriptors and the network
 * @kind: what is served
 *
 * Whoever sends it frames may find an error in a library, and is then this process. What cannot
 * be given up here was not there, or is not the user's to give up.
 */
void net_server_give_up_privileges(const struct net_kind *kind)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	lower_limit(RLIMIT_CORE, 0);
	lower_limit(RLIMIT_FSIZE, 0);
	lower_limit(RLIMIT_NOFILE, FILES_MAX);
#ifndef __SANITIZE_ADDRESS__
	lower_limit(RLIMIT_DATA, MEMORY_MAX);
#endif
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* A port that leaves a file in somebody's directory must be able to remove it. */
	if (kind->close)
		return;
	give_up_files();
	if (!geteuid() &&
	    (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	     setresuid(NOBODY, NOBODY, NOBODY)))
		errno = 0;	/* a namespace without a user of that number */
	syscall(SYS_capset, &head, none);
	lower_limit(RLIMIT_NPROC, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* The three that it needs, where nothing else is. */
static void keep_descriptors(struct net_interface *interface, int told)
{
	int given = interface->kind == &net_fd ? atoi(interface->where) : -1;
	int line = fcntl(interface->host_end, F_DUPFD, GIVEN + 1);
	int null = open("/dev/null", O_RDWR);

	told = fcntl(told, F_DUPFD, GIVEN + 1);
	if (given >= 0)
		given = fcntl(given, F_DUPFD, GIVEN + 1);
	if (line < 0 || told < 0 || null < 0)
		die_errno(errno, "%s", interface->text);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(line, LINE);
	dup2(told, TOLD);
	if (given >= 0)
		dup2(given, GIVEN);
	close_range(given >= 0 ? GIVEN + 1 : GIVEN, ~0U, 0);
}

static noreturn void serve(struct net_interface *interface, int told, pid_t lodge)
{
	struct net_port port = {
		.interface = interface, .fd = GIVEN,
		.line = { .fd = LINE, .longest = interface->mtu + NET_FRAME_EXTRA },
	};

	/* Neither the terminal's signals nor what becomes of the launcher's are for it. */
	setsid();
	prctl(PR_SET_NAME, "lodge-net");
	keep_descriptors(interface, told);
	interface->kind->open(&port);
	net_server_give_up_privileges(interface->kind);
	/* A change of user forgets it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == lodge && write(TOLD, "", 1) == 1) {
		close(TOLD);
		dup2(STDOUT_FILENO, STDERR_FILENO);
		if (interface->kind->serve)
			interface->kind->serve(&port);
		else
			net_relay(&port);
	}
	if (interface->kind->close)
		interface->kind->close(&port);
	_exit(0);
}

/* Returns where a byte comes when frames can flow, or -1 with errno. */
static int begin(struct net_interface *interface,
		 void (*prepare)(struct net_interface *interface, void *data), void *data)
{
	pid_t lodge = getpid();
	int told[2];

	if (pipe2(told, O_CLOEXEC))
		return -1;
	fflush(NULL);
	interface->server = fork();
	if (!interface->server) {
		if (prepare)
			prepare(interface, data);
		serve(interface, told[1], lodge);
	}
	close(told[1]);
	if (interface->server > 0)
		return told[0];
	interface->server = 0;
	close(told[0]);
	return -1;
}

/* Returns when frames can flow; false if they never will, after a message. */
static bool launch(struct net_interface *interface,
		   void (*prepare)(struct net_interface *interface, void *data))
{
	int told = begin(interface, prepare, NULL);
	ssize_t n;
	char ok;

	if (told < 0)
		die_errno(errno, "%s", interface->text);
	do {
		n = read(told, &ok, 1);
	} while (n < 0 && errno == EINTR);
	close(told);
	return n == 1;
}

static bool make_line(struct net_interface *interface)
{
	int line[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line))
		return false;
	interface->host_end = line[0];
	interface->guest_end = line[1];
	return true;
}

/**
 * net_server_start - start the process that serves an interface
 * @interface: as the user wants it; its ends and its server are filled in
 *
 * Returns when frames can flow; ends the program if they never will, after a message.
 */
void net_server_start(struct net_interface *interface)
{
	if (!make_line(interface))
		die_errno(errno, "%s", interface->text);
	if (!launch(interface, NULL))
		exit(error_status());
}

/**
 * net_server_begin - start the process that serves an interface, and do not wait for it
 * @interface: its ends and its server are filled in
 * @prepare: called in that process, to say what the user wants; may end it
 * @data: for @prepare
 *
 * Return: where a byte comes when frames can flow, or the end if they never will; -1 with errno.
 */
int net_server_begin(struct net_interface *interface,
		     void (*prepare)(struct net_interface *interface, void *data), void *data)
{
	int told;

	if (!make_line(interface))
		return -1;
	told = begin(interface, prepare, data);
	if (told < 0) {
		close(interface->host_end);
		close(interface->guest_end);
	}
	return told;
}

/** net_server_end - end the process that serves an interface, if there is one */
void net_server_end(struct net_interface *interface)
{
	struct pollfd server = { .events = POLLIN };

	if (!interface->server)
		return;
	/* It cleans up; unless a guest has taken it over. */
	kill(interface->server, SIGTERM);
	server.fd = syscall(SYS_pidfd_open, interface->server, 0);
	if (server.fd < 0 || poll(&server, 1, END_MS) == 0)
		kill(interface->server, SIGKILL);
	if (server.fd >= 0)
		close(server.fd);
	while (waitpid(interface->server, NULL, 0) < 0 && errno == EINTR)
		;
	interface->server = 0;
}

static void nowhere_open(struct net_port *port)
{
	port->fd = -1;
}

static const struct net_kind nowhere = { .name = "nowhere", .open = nowhere_open };

/* What only a server knows whose interface was added to a guest that runs. */
static void parse_again(struct net_interface *interface, void *data)
{
	struct net own = { 0 };

	(void)data;
	net_add(&own, interface->wanted);
	interface->where = own.interfaces[0].where;
	interface->uplink = own.interfaces[0].uplink;
}

/**
 * net_server_replace - start another process that takes what a guest sends
 * @interface: its server has ended
 *
 * The guest's kernel would spend all its time on a line that nobody reads, or that has ended.
 * For this the launcher has kept the server's end of it.
 *
 * Return: whether there is a network behind it again; else what the guest sends is lost.
 */
bool net_server_replace(struct net_interface *interface)
{
	if (interface->kind->comes_back && launch(interface, parse_again))
		return true;
	interface->kind = &nowhere;
	if (!launch(interface, NULL))
		exit(error_status());
	return false;
}
