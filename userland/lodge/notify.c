// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"

#define VARIABLE "NOTIFY_SOCKET"

static char *manager;

/** notify_not_from_children - keep who is to be told to this process; before it starts others */
void notify_not_from_children(void)
{
	const char *given = getenv(VARIABLE);

	if (given)
		manager = xstrdup(given);
	unsetenv(VARIABLE);
}

/**
 * notify - tell the service manager, if there is one and it listens
 * @fmt: an assignment such as READY=1
 */
void notify(const char *fmt, ...)
{
	char *text cleanup_free = NULL;
	int fd cleanup_fd = -1;
	const char *path = manager ? manager : getenv(VARIABLE);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	va_list ap;
	int n;

	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(sun.sun_path))
		return;
	memcpy(sun.sun_path, path, strlen(path));
	if (*path == '@')
		sun.sun_path[0] = '\0';
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && sendto(fd, text, n, MSG_NOSIGNAL, (const struct sockaddr *)&sun,
			      offsetof(struct sockaddr_un, sun_path) + strlen(path)) < 0)
		return;
}
