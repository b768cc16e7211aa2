// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "guest-files.h"
#include "lodge.h"
#include "util.h"

/* Beside the command in a build tree; under the same prefix when installed. */
static const char *const places[] = { "guest", "../lib/lodge/guest" };

/**
 * guest_file - find a file that guests are started from
 * @given: a path that the user gave, or NULL
 * @name: what it is called where lodge keeps it
 *
 * Return: an absolute path, which the caller frees; ends the program if there is none.
 */
char *guest_file(const char *given, const char *name)
{
	char self[PATH_MAX], *found, *slash;
	struct stat st;
	ssize_t n;
	size_t i;

	if (given) {
		found = realpath(given, NULL);
		if (!found)
			die_errno(errno, "--kernel: %s", given);
		if (access(found, R_OK))
			die_errno(errno, "--kernel: %s", given);
		if (!stat(found, &st) && !S_ISREG(st.st_mode))
			die("--kernel: %s: not a file", given);
		return found;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		die_errno(errno, "/proc/self/exe");
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		char *path cleanup_free = xasprintf("%s/%s/%s", self, places[i], name);

		found = realpath(path, NULL);
		if (found)
			return found;
	}
	die("there is no guest %s in %s/%s: 'make %s' builds it",
	    strcmp(name, "linux") ? name : "kernel", self, places[0],
	    strstr(name, ".ko") || !strcmp(name, "enter") ? "guest-module" : "guest");
}
