// SPDX-License-Identifier: GPL-2.0
/*
 * What arch/um/drivers/mconsole_user.c, which is compiled for libc, calls of it; and where the
 * management console's socket is.
 */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <linux/types.h>
#include <init.h>
#include <os.h>

#include "host.h"

/* A long answer is many packets, and who reads them may have no CPU but ours. */
#define PATIENCE_MS	1000

int *__errno_location(void);
ssize_t sendto(int fd, const void *buffer, size_t length, int flags, const void *name, int room);
ssize_t recvfrom(int fd, void *buffer, size_t length, int flags, void *name, int *room);
ssize_t sendmsg(int fd, const struct user_msghdr *msg, int flags);
int socket(int domain, int type, int protocol);
int unlink(const char *path);

int *__errno_location(void)
{
	static int last_errno;

	return &last_errno;
}

static long result(long ret)
{
	if (ret >= 0)
		return ret;
	*__errno_location() = -ret;
	return -1;
}

int os_send_packet(int fd, const void *data, int length, const void *to, int to_length)
{
	static int patience = PATIENCE_MS;
	struct lodge_part part = { (void *)data, length };
	struct lodge_packet packet = { &part, 1, (void *)to, to_length };
	long n = lodge_send(host, fd, &packet, patience);

	/* One who has stopped is not waited for with each packet. */
	patience = n < 0 ? 0 : PATIENCE_MS;
	return n;
}

ssize_t sendto(int fd, const void *buffer, size_t length, int flags, const void *name, int room)
{
	return result(os_send_packet(fd, buffer, length, name, room));
}

ssize_t recvfrom(int fd, void *buffer, size_t length, int flags, void *name, int *room)
{
	struct lodge_part part = { buffer, length };
	struct lodge_packet packet = { &part, 1, name, *room };
	long n = lodge_receive(host, fd, &packet);

	*room = packet.name_length;
	return result(n);
}

ssize_t sendmsg(int fd, const struct user_msghdr *msg, int flags)
{
	struct lodge_packet packet = {
		(__force struct lodge_part *)msg->msg_iov, msg->msg_iovlen,
		(__force void *)msg->msg_name, msg->msg_namelen,
	};

	return result(lodge_send(host, fd, &packet, PATIENCE_MS));
}

/* For "mconsole=notify:", which names a socket outside of its sandbox. */
int socket(int domain, int type, int protocol)
{
	return result(-EPERM);
}

int unlink(const char *path)
{
	return result(lodge_remove(host, path, 0));
}

int os_create_unix_socket(const char *path, int length, int close_on_exec)
{
	/* That of the last boot. */
	lodge_remove(host, path, 0);
	return lodge_socket(host, path);
}

/* ---- its directory ---- */

static char uml_dir[256], umid[64];

static int __init set_uml_dir(char *line, int *add)
{
	*add = 0;
	return strscpy(uml_dir, line, sizeof(uml_dir)) < 0 ? -E2BIG : 0;
}

__uml_setup("uml_dir=", set_uml_dir,
	    "uml_dir=<directory>\n    Where the management console's socket is.\n\n");

int __init set_umid(char *name)
{
	return strscpy(umid, name, sizeof(umid)) < 0 ? -E2BIG : 0;
}

char *get_umid(void)
{
	return umid;
}

int umid_file_name(char *name, char *buffer, int length)
{
	int n = snprintf(buffer, length, "%s%s", uml_dir, umid);
	long err;

	if (!*uml_dir || !*umid || n >= length)
		return -ENOENT;
	err = lodge_make_directory(host, buffer, 0700);
	if (err && err != -EEXIST)
		return err;
	return snprintf(buffer + n, length - n, "/%s", name) >= length - n ? -E2BIG : 0;
}
