// SPDX-License-Identifier: GPL-2.0
/* Channels of consoles and serial lines: a descriptor of the host's, or nothing. */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <os.h>

#include "../../arch/um/drivers/chan_user.h"
#include "host.h"

void generic_close(int fd, void *unused)
{
	lodge_close(host, fd);
}

int generic_read(int fd, __u8 *byte, void *unused)
{
	long n;

	do
		n = lodge_read(host, fd, byte, 1, -1);
	while (n == -EINTR);
	if (n == -EAGAIN)
		return 0;
	return n ? n : -EIO;
}

int generic_write(int fd, const __u8 *buffer, size_t length, void *unused)
{
	size_t written = 0;
	long n = 0;

	while (written < length) {
		n = lodge_write(host, fd, buffer + written, length - written, -1);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		written += n;
	}
	if (written || n == -EAGAIN)
		return written;
	return n ? n : -EIO;
}

/* A terminal is raw: what the kernel itself says has no carriage returns. */
int generic_console_write(int fd, const char *buffer, int length)
{
	const char *end = buffer + length, *at = buffer, *next;
	bool terminal = lodge_is_terminal(host, fd);
	int err = 0;

	for (; at < end && err >= 0; at = next) {
		next = terminal ? memchr(at, '\n', end - at) : NULL;
		err = generic_write(fd, (const __u8 *)at, (next ?: end) - at, NULL);
		if (next++)
			err = generic_write(fd, (const __u8 *)"\r\n", 2, NULL);
		else
			next = end;
	}
	return err < 0 ? err : length;
}

int generic_window_size(int fd, void *unused, unsigned short *rows, unsigned short *columns)
{
	unsigned short old_rows = *rows, old_columns = *columns;
	int err = lodge_window_size(host, fd, rows, columns);

	return err ? err : *rows != old_rows || *columns != old_columns;
}

void generic_free(void *data)
{
	kfree(data);
}

/* LODGE_IRQ_WINDOW does not say which: all that are registered look. */
void register_winch(int fd, struct tty_port *port)
{
	if (lodge_is_terminal(host, fd))
		register_winch_irq(-1, fd, -1, port, 0);
}

/* ---- fd:N ---- */

struct fd_channel {
	int fd;
	bool raw;
	char name[sizeof("-1234567890")];
};

static void *fd_init(char *text, int device, const struct chan_opts *opts)
{
	struct fd_channel *channel;
	int fd;

	if (*text != ':' || kstrtoint(text + 1, 0, &fd)) {
		pr_err("fd%s: not a file descriptor\n", text);
		return NULL;
	}
	channel = kmalloc(sizeof(*channel), GFP_KERNEL);
	if (!channel)
		return NULL;
	channel->fd = fd;
	channel->raw = opts->raw;
	snprintf(channel->name, sizeof(channel->name), "%d", fd);
	return channel;
}

static int fd_open(int input, int output, int primary, void *data, char **name)
{
	struct fd_channel *channel = data;
	int err;

	if (channel->raw && lodge_is_terminal(host, channel->fd)) {
		err = lodge_terminal_raw(host, channel->fd);
		if (err)
			return err;
	}
	*name = channel->name;
	return channel->fd;
}

/* It was there before us. */
static void fd_close(int fd, void *data)
{
}

const struct chan_ops fd_ops = {
	.type = "fd",
	.init = fd_init,
	.open = fd_open,
	.close = fd_close,
	.read = generic_read,
	.write = generic_write,
	.console_write = generic_console_write,
	.window_size = generic_window_size,
	.free = generic_free,
	.winch = 1,
};

/* ---- null ---- */

static int null_channel;

static void *null_init(char *text, int device, const struct chan_opts *opts)
{
	return &null_channel;
}

static int null_open(int input, int output, int primary, void *data, char **name)
{
	*name = NULL;
	return lodge_open(host, "/dev/null", LODGE_O_READ | LODGE_O_WRITE, 0);
}

static int null_read(int fd, __u8 *byte, void *unused)
{
	return -ENODEV;
}

static void null_free(void *data)
{
}

const struct chan_ops null_ops = {
	.type = "null",
	.init = null_init,
	.open = null_open,
	.close = generic_close,
	.read = null_read,
	.write = generic_write,
	.console_write = generic_console_write,
	.window_size = generic_window_size,
	.free = null_free,
};
