// SPDX-License-Identifier: GPL-2.0
/* What somebody who has taken over a guest's kernel asks lodge for: in place of the kernel. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PATIENCE_MS 10000

/* How many files come with the answer; -1: there is none. */
static int ask(int line, const char *question)
{
	union {
		char bytes[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr head;
	} control;
	char answer[16384];
	struct iovec iov = { answer, sizeof(answer) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct pollfd fd = { .fd = line, .events = POLLIN };
	struct cmsghdr *head;

	if (send(line, question, strlen(question), MSG_NOSIGNAL) < 0 ||
	    poll(&fd, 1, PATIENCE_MS) <= 0 || recvmsg(line, &msg, 0) <= 0)
		return -1;
	head = CMSG_FIRSTHDR(&msg);
	return head ? (head->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
}

int main(int argc, char **argv)
{
	static const char *const questions[] = {
		"ubd0", "ubd1", "ubd2", "ubd15", "ubd16", "ubd99", "ubd-1", "ubd+0", "ubd 0",
		"ubd0 ", "ubd00", "ubd0x", "ubd", "vec0", "vec1", "vec8", "vec-1", "vec",
		"/etc/passwd", "../../etc/passwd", "ubd0,/etc/passwd", "@host", "\n", "ubd0", NULL
	};
	const char *const *question;
	int line = -1, i;

	for (; argc > 1; argc--, argv++)
		if (!strncmp(argv[1], "host_devices=", strlen("host_devices=")))
			line = atoi(argv[1] + strlen("host_devices="));
	for (question = questions; *question; question++)
		printf("asked: '%s' %d\n", **question == '\n' ? "\\n" : *question,
		       ask(line, *question));
	/* A flood of questions whose answers nobody takes. */
	for (i = 0; i < 100000; i++)
		if (send(line, "ubd0", 4, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
	printf("asked: enough\n");
	return 0;
}
