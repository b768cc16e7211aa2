// SPDX-License-Identifier: GPL-2.0
/* Asking who has started us for disks and networks: see patches/ask-the-host.patch. */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <init.h>
#include <os.h>

#include "host.h"

#define PATIENCE_MS	10000

static int host_fd = -1;

static int __init set_host(char *line, int *add)
{
	*add = 0;
	return kstrtoint(line, 10, &host_fd);
}

__uml_setup("host_devices=", set_host,
	    "host_devices=<fd>\n    A packet socket at which disks and networks are asked for.\n\n");

int os_has_host(void)
{
	return host_fd >= 0;
}

/* Return: whether it is the answer to the question; it is cut down to that. */
static bool is_answer(const char *question, char *answer, int *length)
{
	int n = strlen(question);

	if (*length <= n || strncmp(answer, question, n) || answer[n] != ' ')
		return false;
	*length -= n + 1;
	memmove(answer, answer + n + 1, *length + 1);
	return true;
}

int os_ask_host(const char *question, char *answer, int size, int fds[2])
{
	struct lodge_part part = { (void *)question, strlen(question) };
	struct lodge_packet packet = { .parts = &part, .n = 1 };
	int n = lodge_send(host, host_fd, &packet, PATIENCE_MS);

	if (n < 0)
		return n;
	for (;;) {
		n = lodge_receive_files(host, host_fd, answer, size - 1, fds, PATIENCE_MS);
		if (n < 0)
			return n;
		answer[n] = '\0';
		if (is_answer(question, answer, &n))
			return n;
		/* What was asked before a reboot. */
		lodge_close(host, fds[0]);
		lodge_close(host, fds[1]);
	}
}
