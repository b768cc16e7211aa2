// SPDX-License-Identifier: GPL-2.0
/* lodge destroy: remove guests. */
#include <errno.h>
#include <stdlib.h>

#include "control.h"
#include "error.h"
#include "guests.h"
#include "lodge.h"
#include "processes.h"
#include "settings.h"
#include "util.h"

enum { OPT_KILL = OPT_LONG_ONLY };

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "kill", no_argument, NULL, OPT_KILL },
	{ 0 }
};

static bool destroy(const char *guest, bool end_processes)
{
	struct pids pids;
	char *why;
	size_t n;
	int err;

	if (end_processes) {
		n = processes_end(guest);
		if (n) {
			warn_guest(guest, "procs", "%zu processes do not end", n);
			return false;
		}
		err = control_remove_ended(guest, &why);
	} else {
		err = control_remove(guest, &why);
	}
	if (!err)
		return true;
	n = pids_read(&pids, guest) ? 0 : pids.n;
	pids_free(&pids);
	if (err == -EBUSY && n)
		warn_guest(guest, "procs", "it still has %zu: --kill ends them", n);
	else
		warn_guest(guest, NULL, "%s", why);
	free(why);
	return false;
}

static int destroy_main(int argc, char **argv)
{
	bool end_processes = false;
	int opt, i, status = 0;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (opt) {
		case OPT_KILL:
			end_processes = true;
			break;
		case 'h':
			puts(cmd_destroy.usage);
			return 0;
		default:
			die_usage("destroy", NULL);
		}
	}
	if (optind == argc)
		die_usage("destroy", "takes the names of guests");
	for (i = optind; i < argc; i++)
		guest_check_exists(argv[i]);
	for (i = optind; i < argc; i++)
		if (!destroy(argv[i], end_processes))
			status = error_status();
	return status;
}

const struct command cmd_destroy = {
	.name = "destroy",
	.run = destroy_main,
	.summary = "remove guests",
	.usage =
	"Usage: lodge destroy [--kill] NAME...\n"
	"Remove guests. One that has processes stays, unless they are to be ended.\n\n"
	"      --kill             end their processes first: SIGTERM, then SIGKILL\n"
	"  -h, --help             show this",
};
