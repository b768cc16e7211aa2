// SPDX-License-Identifier: GPL-2.0
/* lodge image: disks of full guests. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action.h"
#include "cow.h"
#include "cow-change.h"
#include "error.h"
#include "image-build.h"
#include "image-info.h"
#include "lodge.h"
#include "util.h"

/* Options that are a word or not. Returns argv from the first argument on. */
static char **parse_flag(int argc, char **argv, const char *flag, bool *given)
{
	const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ flag, no_argument, NULL, OPT_LONG_ONLY },
		{ 0 }
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (opt == 'h') {
			puts(cmd_image.usage);
			exit(0);
		}
		if (opt != OPT_LONG_ONLY)
			die_usage("image", NULL);
		*given = true;
	}
	return argv + optind;
}

static void expect(char **args, const char *what, const char *const *wanted)
{
	action_expect(&cmd_image, args, what, wanted);
}

static int cow_create_main(int argc, char **argv)
{
	static const char *const wanted[] = { "COWFILE", "BACKING", NULL };
	char **args = parse_flag(argc, argv, NULL, NULL);

	expect(args, "cow create", wanted);
	cow_create(args[0], args[1]);
	return 0;
}

static int cow_info_main(int argc, char **argv)
{
	static const char *const wanted[] = { "COWFILE", NULL };
	bool json = false;
	char **args = parse_flag(argc, argv, "json", &json);

	expect(args, "cow info", wanted);
	return image_info(args[0], json, true);
}

static int cow_merge_main(int argc, char **argv)
{
	static const char *const whole[] = { "COWFILE", "OUTPUT", NULL };
	static const char *const wanted[] = { "COWFILE", "BACKING", NULL };
	bool into_backing = false;
	char **args = parse_flag(argc, argv, "into-backing", &into_backing);

	expect(args, "cow merge", into_backing ? wanted : whole);
	if (into_backing)
		cow_merge_into_backing(args[0], args[1]);
	else
		cow_merge(args[0], args[1]);
	return 0;
}

static int cow_rebase_main(int argc, char **argv)
{
	static const char *const wanted[] = { "COWFILE", "NEWBACKING", NULL };
	bool force = false;
	char **args = parse_flag(argc, argv, "force", &force);

	expect(args, "cow rebase", wanted);
	cow_rebase(args[0], args[1], force);
	return 0;
}

static int info_main(int argc, char **argv)
{
	static const char *const wanted[] = { "FILE", NULL };
	bool json = false;
	char **args = parse_flag(argc, argv, "json", &json);

	expect(args, "info", wanted);
	return image_info(args[0], json, false);
}

static const struct action cow_actions[] = {
	{ "create", cow_create_main },
	{ "info", cow_info_main },
	{ "merge", cow_merge_main },
	{ "rebase", cow_rebase_main },
	{ 0 }
};

static int cow_main(int argc, char **argv)
{
	return action_run(&cmd_image, cow_actions, "cow: ", argc, argv);
}

static const struct action actions[] = {
	{ "build", image_build_main },
	{ "cow", cow_main },
	{ "info", info_main },
	{ 0 }
};

static int image_main(int argc, char **argv)
{
	return action_run(&cmd_image, actions, "", argc, argv);
}

const struct command cmd_image = {
	.name = "image",
	.run = image_main,
	.summary = "make, inspect and merge disks of full guests",
	.usage =
	"Usage: lodge image build [OPTION]... FILE\n"
	"       lodge image info [--json] FILE\n"
	"       lodge image cow create COWFILE BACKING\n"
	"       lodge image cow info [--json] COWFILE\n"
	"       lodge image cow merge COWFILE OUTPUT\n"
	"       lodge image cow merge --into-backing COWFILE BACKING\n"
	"       lodge image cow rebase [--force] COWFILE NEWBACKING\n"
	"Disks of full guests. A COW file has the sectors in which a disk differs from its\n"
	"backing file, which stays as it is and can be behind many of them.\n\n"
	"  build                  make an image of Debian, with mmdebstrap; needs no root\n"
	"  info                   show what a file is\n"
	"  cow create             make an empty COW file\n"
	"  cow merge              write the disk that both files are to a new file, or what the\n"
	"                         COW file has to its backing file\n"
	"  cow rebase             name another file with the same content as backing file\n\n"
	"      --force            the content is the same, whatever it looks like\n"
	"      --into-backing     change the backing file; other COW files of it are lost\n"
	"      --json             as JSON, sizes in bytes\n"
	"      --suite NAME       Debian's release (bookworm)\n"
	"      --packages A,B     packages beyond the smallest system that boots\n"
	"      --size SIZE        of the disk; the file takes what is used (2G)\n"
	"      --mirror URL       where packages come from (what apt has here)\n"
	"      --hostname NAME    host name (debian)\n"
	"      --root-password P  root's password; without it, root cannot log in\n"
	"      --no-password      root logs in without a password\n"
	"      --script FILE      a program to run in the new system at the end\n"
	"  -v, --verbose          show all that is said when building\n"
	"  -h, --help             show this",
};
