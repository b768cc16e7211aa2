// SPDX-License-Identifier: GPL-2.0
/* A port of a switch of lodge's own, which is started if it is not there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "net-kind.h"
#include "rundir.h"
#include "switch.h"
#include "util.h"

#define TRIES 10

/* A path that fits, whatever the directory's own is. */
static struct sockaddr_un address(int directory, const char *file)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/%s", directory, file);
	return sun;
}

static int packet_socket(int flags)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
}

/* Returns a connection to who listens there, or -1. */
static int connect_to(int directory, const char *file)
{
	const struct sockaddr_un sun = address(directory, file);
	int fd = packet_socket(0), err;

	if (fd < 0 || !connect(fd, (const struct sockaddr *)&sun, sizeof(sun)))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* Waits for the switch's word. Returns false if it has ended. */
static bool is_let_in(int fd)
{
	char byte;
	ssize_t n;

	do
		n = recv(fd, &byte, 1, 0);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* A grandchild: nobody is to wait for it. Returns false, with errno set, if it cannot be. */
static bool start(int directory, const char *name, const char *file,
		  const struct net_interface *uplink)
{
	int listener cleanup_fd = packet_socket(SOCK_NONBLOCK);
	const struct sockaddr_un sun = address(directory, file);
	mode_t mask = umask(0177);
	bool good;
	pid_t pid;

	unlinkat(directory, file, 0);
	good = listener >= 0 && !bind(listener, (const struct sockaddr *)&sun, sizeof(sun)) &&
	       !listen(listener, SOMAXCONN);
	umask(mask);
	if (!good)
		return false;
	pid = fork();
	if (!pid) {
		pid = fork();
		if (!pid)
			switch_run(directory, name, listener, uplink);
		_exit(pid < 0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid > 0;
}

/**
 * switch_connect - get a port of a switch, which is started if it is not there
 * @directory: the runtime directory
 * @name: of the switch
 * @uplink: the way out of one that is started, or NULL
 *
 * Return: a socket of packets, a frame in each; -1 with errno set.
 */
int switch_connect(int directory, const char *name, const struct net_interface *uplink)
{
	char *file cleanup_free = xasprintf(SWITCH_PREFIX "%s", name);
	bool started;
	int fd, i;

	for (i = 0; i < TRIES; i++) {
		fd = connect_to(directory, file);
		if (fd < 0) {
			flock(directory, LOCK_EX);
			fd = connect_to(directory, file);
			started = fd >= 0 || start(directory, name, file, uplink);
			flock(directory, LOCK_UN);
			if (!started)
				return -1;
		}
		if (fd < 0)
			continue;
		if (is_let_in(fd))
			return fd;
		close(fd);
	}
	errno = ECONNREFUSED;
	return -1;
}

/**
 * switch_sweep - remove what switches that were killed have left behind
 * @directory: the runtime directory
 */
void switch_sweep(int directory)
{
	int listed = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	DIR *dir = listed < 0 ? NULL : fdopendir(listed);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!starts_with(entry->d_name, SWITCH_PREFIX))
			continue;
		flock(listed, LOCK_EX);
		fd = connect_to(listed, entry->d_name);
		if (fd >= 0)
			close(fd);
		else if (errno == ECONNREFUSED)
			unlinkat(listed, entry->d_name, 0);
		flock(listed, LOCK_UN);
	}
	closedir(dir);
}

static void switch_open(struct net_port *port)
{
	int directory cleanup_fd = rundir_open_root();

	if (directory >= 0)
		port->fd = switch_connect(directory, port->interface->where,
					  port->interface->uplink);
	if (directory < 0 || port->fd < 0)
		die_errno(errno, "%s: no switch", port->interface->text);
}

/* A switch that was killed: the launcher starts another one. */
static ssize_t switch_receive(struct net_port *port, void *frame, size_t size)
{
	ssize_t n = recv(port->fd, frame, size, MSG_DONTWAIT);

	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	_exit(1);
}

static void switch_send(struct net_port *port, const void *frame, size_t length)
{
	if (send(port->fd, frame, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

const struct net_kind net_switch = {
	.name = "switch", .value = "NAME", .comes_back = true,
	.open = switch_open, .receive = switch_receive, .send = switch_send,
};
