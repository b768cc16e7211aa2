// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "share.h"
#include "util.h"

/**
 * find_directory - find a directory that a guest is to see, or end the program with the reason
 * @option: the user's word for it, for messages
 * @given: its path
 *
 * Return: its absolute path, which the caller frees.
 */
char *find_directory(const char *option, const char *given)
{
	char *path = realpath(given, NULL);
	struct stat st;

	if (!path || stat(path, &st))
		die_errno(errno, "%s: %s", option, given);
	if (!S_ISDIR(st.st_mode))
		die("%s: %s: not a directory", option, given);
	if (access(path, R_OK | X_OK))
		die_errno(errno, "%s: %s", option, given);
	/* The kernel's command line has no way to quote these. */
	if (strpbrk(path, ", \t\n\""))
		die("%s: %s: has a comma, a quote or a blank in its name", option, given);
	return path;
}

/**
 * shares_add - add a directory, or end the program with the reason
 * @shares: to which
 * @text: DIR[:ro]
 */
void shares_add(struct shares *shares, const char *text)
{
	char *name cleanup_free = xstrdup(text);
	struct share *share = &shares->list[shares->n];
	char *colon = strrchr(name, ':');
	size_t i;

	if (shares->n == SHARES_MAX)
		die("--share: a guest has %d shares at most", SHARES_MAX);
	*share = (struct share){ 0 };
	if (colon && (!strcmp(colon, ":ro") || !strcmp(colon, ":rw"))) {
		share->readonly = !strcmp(colon, ":ro");
		*colon = '\0';
	}
	share->path = find_directory("--share", name);
	share->name = strrchr(share->path, '/') + 1;
	if (!*share->name)
		die("--share: %s: the host's root has no name to mount it by", text);
	if (strchr(share->name, ':'))
		die("--share: %s: has a colon in its name", text);
	for (i = 0; i < shares->n; i++)
		if (!strcmp(shares->list[i].name, share->name))
			die("--share: %s: there is a share called %s already", text, share->name);
	if (!share->readonly && access(share->path, W_OK))
		die("--share: %s: you cannot write to it: %s:ro shares it read-only", name, name);
	/* What lies within another share is mounted after it. */
	for (i = shares->n++; i && strlen(shares->list[i - 1].path) > strlen(shares->list[i].path);
	     i--) {
		struct share longer = shares->list[i - 1];

		shares->list[i - 1] = shares->list[i];
		shares->list[i] = longer;
	}
}
