// SPDX-License-Identifier: GPL-2.0
/* lodge set: change a guest while it runs. */
#include <errno.h>
#include <string.h>

#include "balloon.h"
#include "control.h"
#include "error.h"
#include "guests.h"
#include "lodge.h"
#include "settings.h"
#include "swapfile.h"
#include "util.h"

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ 0 }
};

static void add_word(struct settings *settings, const char *guest, const char *word)
{
	char *field cleanup_free = NULL;
	const char *equals = strchr(word, '=');

	if (!equals || equals == word)
		die_guest(guest, NULL, "%s: not of the form FIELD=VALUE", word);
	field = xstrndup(word, equals - word);
	if (!equals[1])
		die_guest(guest, field, "no value");
	settings_add(settings, field, equals + 1);
}

static int set_main(int argc, char **argv)
{
	struct balloon balloon = { 0 };
	struct swapfile swap = { 0 };
	struct settings settings = { 0 };
	const char *guest, *spec, *max;
	int opt, i, err;

	while ((opt = settings_getopt(&settings, argc, argv, "hm:", options)) >= 0) {
		if (opt == 'h') {
			puts(cmd_set.usage);
			return 0;
		}
		die_usage("set", NULL);
	}
	if (optind == argc)
		die_usage("set", "takes the name of a guest");
	guest = argv[optind];
	guest_check_exists(guest);
	for (i = optind + 1; i < argc; i++)
		add_word(&settings, guest, argv[i]);
	if (!settings.n)
		die_usage("set", "nothing to set");
	settings_check_fields(&settings, guest);
	settings_check(&settings, guest);

	spec = settings_get(&settings, "memory.swap.file");
	if (spec && strcmp(spec, "none")) {
		swapfile_prepare(&swap, guest, spec);
		settings_add(&settings, "memory.swap.file", swap.path);
	}
	max = settings_get(&settings, "memory.max");
	if (max && !control_is_confined(guest))
		balloon_plan(&balloon, guest, max);
	err = -ENOMEM;
	if (balloon_before(&balloon)) {
		err = settings_apply(&settings, guest, true);
		balloon_after(&balloon, !err);
	}
	if (err)
		swapfile_unlink(&swap);
	swapfile_free(&swap);
	settings_free(&settings);
	return err ? error_status() : 0;
}

const struct command cmd_set = {
	.name = "set",
	.run = set_main,
	.summary = "change the limits of a guest",
	.usage =
	"Usage: lodge set [OPTION]... NAME [FIELD=VALUE]...\n"
	"Write the files of a guest. If one value is refused, those before it are put back.\n\n"
	SETTINGS_USAGE
	"  -h, --help             show this\n\n"
	"FIELD is any file of the guest that can be written, such as memory.max or\n"
	"autoremove; memory.reclaim=SIZE evicts now; memory.swap.file=none takes the swap\n"
	"file away. Sizes are bytes, or have K, M, G or T behind them.",
};
