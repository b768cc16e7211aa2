// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading, and what the module says of itself. */
#include <linux/module.h>

#include "guest-core/guest.h"
#include "guest-mm/policy.h"
#include "guest-mm/tier.h"
#include "kmod/control-fs.h"
#include "kmod/full/full.h"
#include "kmod/mm-guest.h"
#include "lodge/lodge.h"

static_assert(GUEST_NAME_MAX == LODGE_NAME_MAX);
static_assert(GUEST_VALUE_MAX == LODGE_VALUE_MAX);

static int version_show(struct guest *guest, struct text *out)
{
	const struct policy_ops *policy = policy_find(NULL);
	unsigned int i;

	text_printf(out, "version %s\nsubsystems", LODGE_VERSION);
	for (i = 0; confined_kind.subsystems[i]; i++)
		text_printf(out, " %s", confined_kind.subsystems[i]->name);
	text_printf(out, "\ntiers");
	for (i = 0; i < TIER_COUNT; i++)
		if (tier_ops_of(i))
			text_printf(out, " %s", tier_ops_of(i)->name);
	text_printf(out, "\npolicies");
	for (i = 0; policy_at(i); i++)
		text_printf(out, " %s", policy_at(i)->name);
	text_printf(out, "\npolicy %s\n", policy ? policy->name : "none");
	return 0;
}

static int last_error_show(struct guest *guest, struct text *out)
{
	complaint_show(&guest_root_error, out);
	return 0;
}

const struct guest_file control_root_files[] = {
	{ .name = "version", .mode = 0444, .show = version_show },
	{ .name = "last_error", .mode = 0444, .show = last_error_show },
	{ }
};

static int __init lodge_init(void)
{
	int err;

	guest_core_init();
	err = mm_guest_init();
	if (err)
		return err;
	err = control_fs_init();
	if (err)
		goto err_mm;
	err = full_init();
	if (err)
		goto err_control;
	return 0;

err_control:
	control_fs_exit();
err_mm:
	mm_guest_exit();
	return err;
}

static void __exit lodge_exit(void)
{
	full_exit();
	control_fs_exit();
	mm_guest_exit();
}

module_init(lodge_init);
module_exit(lodge_exit);
MODULE_DESCRIPTION("Guests in the host's kernel, with subsystems of their own");
MODULE_VERSION(LODGE_VERSION);
MODULE_LICENSE("GPL");
