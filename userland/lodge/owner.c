// SPDX-License-Identifier: GPL-2.0
/* Whose a guest is, and being that user for as long as something is done to it. */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "owner.h"
#include "util.h"

#define NOBODYS_GROUP 65534

static bool away;

/* By number, too: not every user has a name. */
static bool find_user(const char *user, uid_t *uid)
{
	const struct passwd *entry = getpwnam(user);
	unsigned long number;
	char *end;

	if (entry) {
		*uid = entry->pw_uid;
		return true;
	}
	errno = 0;
	number = strtoul(user, &end, 10);
	*uid = number;
	return isdigit((unsigned char)*user) && !*end && !errno && number < (uid_t)-1;
}

/**
 * owner_split - tell the two parts of USER/NAME apart
 * @guest: USER/NAME, or NAME for a guest of the caller's own
 * @uid: set to whose it is; ends the program if there is no such user, or the caller may not
 *
 * Return: NAME, a part of @guest.
 */
const char *owner_split(const char *guest, uid_t *uid)
{
	char *user cleanup_free = NULL;
	const char *slash = strchr(guest, '/');

	/* Who is away is still who he was. */
	*uid = away ? 0 : geteuid();
	if (!slash)
		return guest;
	user = xstrndup(guest, slash - guest);
	if (!find_user(user, uid))
		die_guest(guest, "name", "has a slash, and there is no user '%s'", user);
	if (!away && geteuid() && *uid != geteuid())
		die_guest(guest, NULL, "only root reaches the guests of other users");
	return slash + 1;
}

/** owner_name - the user's name, or his number as text; the caller frees it */
char *owner_name(uid_t uid)
{
	const struct passwd *entry = getpwuid(uid);

	return entry ? xstrdup(entry->pw_name) : xasprintf("%u", uid);
}

/**
 * owner_become - be a user, as far as files, sockets and signals go; only for root
 * @uid: the user, who may have laid traps: they then catch himself
 *
 * He cannot trace this process: the kernel forbids it to everybody who has no such capability.
 *
 * Return: false if that is not possible: in a user namespace, root is not everybody's.
 */
bool owner_become(uid_t uid)
{
	const struct passwd *entry;
	gid_t group;

	owner_leave();
	if (!uid)
		return true;
	entry = getpwuid(uid);
	group = entry ? entry->pw_gid : NOBODYS_GROUP;
	away = true;
	/* Root is kept as the saved user only, which counts for nothing but the way back. */
	if (!setgroups(0, NULL) && !setresgid(group, group, group) && !setresuid(uid, uid, 0))
		return true;
	owner_leave();
	return false;
}

/** owner_leave - be root again; harmless at any time */
void owner_leave(void)
{
	if (!away)
		return;
	if (setresuid(0, 0, 0) || setresgid(0, 0, 0))
		die_errno(errno, "cannot act as root again");
	away = false;
}
