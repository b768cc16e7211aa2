// SPDX-License-Identifier: GPL-2.0
/* Requests about the devices of a running guest, and answers, with descriptors. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"
#include "error.h"
#include "mconsole.h"
#include "printable.h"
#include "rundir.h"
#include "util.h"

#define START_MS 10000
#define PAUSE_MS 20

union control {
	char bytes[CMSG_SPACE(DEVICES_PASSED * sizeof(int))];
	struct cmsghdr head;
};

/* Relative: whoever is concerned is in the guest's directory. */
static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strncpy(sun.sun_path, path, sizeof(sun.sun_path) - 1);
	return sun;
}

/** device_listen - make the socket that clients connect to; ends the program on failure */
int device_listen(const char *path)
{
	const struct sockaddr_un sun = address(path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) ||
	    listen(fd, DEVICES_CLIENTS))
		die_errno(errno, "%s", path);
	umask(mask);
	return fd;
}

/**
 * device_send - send a message
 * @fd: a connection
 * @message: the message
 * @passed: descriptors to go with it, which stay the caller's
 * @n: how many
 *
 * Return: false if it did not get away.
 */
bool device_send(int fd, const struct device_message *message, const int *passed, size_t n)
{
	struct iovec iov = { (void *)message, sizeof(*message) };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.head = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(n * sizeof(int)),
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.head), passed, n * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == sizeof(*message);
}

/**
 * device_receive - receive a message
 * @fd: a connection
 * @message: filled in, its texts ended
 * @passed: descriptors that came with it, now the caller's; -1 behind the last
 *
 * Return: false at the end of the connection, or if it was not a message.
 */
bool device_receive(int fd, struct device_message *message, int passed[DEVICES_PASSED])
{
	struct iovec iov = { message, sizeof(*message) };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head;
	ssize_t n;

	memset(passed, -1, DEVICES_PASSED * sizeof(*passed));
	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	head = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
		memcpy(passed, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
	message->text[sizeof(message->text) - 1] = '\0';
	message->more[sizeof(message->more) - 1] = '\0';
	return n == sizeof(*message);
}

static void pause_ms(void)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };

	nanosleep(&pause, NULL);
}

/**
 * device_connect - connect to who has started the guest whose directory was entered
 *
 * Waits for the kernel of one that is starting. Ends the program on failure.
 */
int device_connect(const char *guest)
{
	long long end = now_ms() + START_MS;
	const struct sockaddr_un sun = address(RUNDIR_DEVICES);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&sun, sizeof(sun)))
		die_guest(guest, NULL, "%s", strerror(errno));
	while (!mconsole_boot_id() && now_ms() < end)
		pause_ms();
	return fd;
}

/**
 * device_ask - ask, and wait for the answer
 * @fd: of device_connect()
 * @guest: name, for messages
 * @message: the request, which becomes the answer
 * @passed: descriptors to go with it, which stay the caller's; those that come back replace
 *	them, DEVICES_PASSED of them
 * @n: how many go with it
 *
 * Ends the program, with the reason, if it is refused.
 */
void device_ask(int fd, const char *guest, struct device_message *message, int *passed, size_t n)
{
	int came[DEVICES_PASSED];

	if (!device_send(fd, message, passed, n) || !device_receive(fd, message, came))
		die_guest(guest, NULL, "has ended");
	make_printable(message->text);
	make_printable(message->more);
	if (message->order)
		die_guest(guest, NULL, "%s", message->text);
	if (passed)
		memcpy(passed, came, sizeof(came));
}

/** device_disk_message - put a disk into a message; its files go beside it */
void device_disk_message(struct device_message *message, const struct disk *disk)
{
	message->readonly = disk->readonly;
	message->block = disk->block;
	message->size = disk->size;
	message->bitmap = disk->bitmap;
	message->bitmap_length = disk->bitmap_length;
	message->data = disk->data;
	snprintf(message->text, sizeof(message->text), "%s", disk->file);
	snprintf(message->more, sizeof(message->more), "%s", disk->cow ? disk->cow : "");
}

/**
 * device_message_disk - take a disk out of a message
 * @message: the message
 * @passed: descriptors that came with it
 * @disk: filled in if it returns true; then the descriptors are its
 *
 * Return: false if it is none.
 */
bool device_message_disk(const struct device_message *message, const int *passed,
			 struct disk *disk)
{
	bool named = *message->more, passed_too = passed[1] >= 0;

	if (passed[0] < 0 || !*message->text || named != passed_too)
		return false;
	*disk = (struct disk){
		.file = xstrdup(message->text),
		.cow = *message->more ? xstrdup(message->more) : NULL,
		.readonly = message->readonly, .block = message->block,
		.fd = passed[0], .cow_fd = passed[1], .size = message->size,
		.bitmap = message->bitmap, .bitmap_length = message->bitmap_length,
		.data = message->data,
	};
	return true;
}
