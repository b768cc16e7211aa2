// SPDX-License-Identifier: GPL-2.0
/* lodge create: an empty guest, for processes that bind later. */
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "error.h"
#include "guests.h"
#include "lodge.h"
#include "settings.h"
#include "swapfile.h"
#include "util.h"

enum { OPT_AUTOREMOVE = OPT_SETTINGS_END };

static const struct option options[] = {
	{ "autoremove", no_argument, NULL, OPT_AUTOREMOVE },
	{ "help", no_argument, NULL, 'h' },
	{ "owner", required_argument, NULL, 'o' },
	{ 0 }
};

static const struct passwd *find_user(const char *guest, const char *name)
{
	const struct passwd *user = getpwnam(name);
	char *end;
	long uid;

	if (!user && *name) {
		uid = strtol(name, &end, 10);
		user = *end ? NULL : getpwuid(uid);
	}
	if (!user)
		die_guest(guest, "owner", "%s: no such user", name);
	return user;
}

static int give_away(const char *guest, const struct passwd *user)
{
	char *path cleanup_free = control_path(guest, NULL);
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' &&
		    fchownat(dirfd(dir), entry->d_name, user->pw_uid, user->pw_gid, 0))
			err = -errno;
	}
	if (!err && fchown(dirfd(dir), user->pw_uid, user->pw_gid))
		err = -errno;
	closedir(dir);
	return err;
}

static int create_main(int argc, char **argv)
{
	struct swapfile swap = { 0 };
	struct settings settings = { 0 };
	const struct passwd *user = NULL;
	const char *guest, *owner = NULL, *spec;
	char *why = NULL;
	int opt, err;

	while ((opt = settings_getopt(&settings, argc, argv, "hm:o:", options)) >= 0) {
		switch (opt) {
		case OPT_AUTOREMOVE:
			settings_add(&settings, "autoremove", "1");
			break;
		case 'h':
			puts(cmd_create.usage);
			return 0;
		case 'o':
			owner = optarg;
			break;
		default:
			die_usage("create", NULL);
		}
	}
	if (argc - optind != 1)
		die_usage("create", "takes the name of one guest");
	guest = argv[optind];
	guest_check_name(guest);
	settings_check(&settings, guest);
	if (owner)
		user = find_user(guest, owner);
	control_root();
	if (control_exists(guest))
		die_guest(guest, NULL, "there is a guest of this name already");

	spec = settings_get(&settings, "memory.swap.file");
	if (spec) {
		swapfile_prepare(&swap, guest, spec);
		settings_add(&settings, "memory.swap.file", swap.path);
	}
	err = control_create(guest, &why);
	if (err) {
		warn_guest(guest, NULL, "%s", why);
		goto err_swap;
	}
	err = settings_apply(&settings, guest, false);
	if (err)
		goto err_guest;
	err = user ? give_away(guest, user) : 0;
	if (err) {
		warn_guest(guest, "owner", "%s: %s", owner, strerror(-err));
		goto err_guest;
	}
	swapfile_free(&swap);
	settings_free(&settings);
	return 0;

err_guest:
	if (control_remove(guest, &why))
		warn_guest(guest, NULL, "could not be removed: %s", why);
err_swap:
	free(why);
	swapfile_unlink(&swap);
	swapfile_free(&swap);
	settings_free(&settings);
	return error_status();
}

const struct command cmd_create = {
	.name = "create",
	.run = create_main,
	.summary = "make a guest that stays until it is destroyed",
	.usage =
	"Usage: lodge create [OPTION]... NAME\n"
	"Make a guest without processes. Run programs in it with 'lodge run --join NAME'.\n\n"
	SETTINGS_USAGE
	"  -o, --owner USER       give it to USER, who may then bind processes to it and\n"
	"                         lower its limits\n"
	"      --autoremove       it goes with the last process that was in it\n"
	"  -h, --help             show this\n\n"
	"Sizes are bytes, or have K, M, G or T behind them.",
};
