// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading an instance: its guest kernel is told to lodge.ko, and that is all. */
#include <linux/module.h>

#include "lodge-host.h"

extern const struct lodge_guest_ops guest_ops;

static uint instance;
module_param(instance, uint, 0444);
MODULE_PARM_DESC(instance, "the instance that this guest kernel is for: a number that /dev/lodge gives");

static int __init guest_module_init(void)
{
	return lodge_register(instance, &guest_ops, THIS_MODULE);
}

/* Only who has one can be unloaded; the instance let go of us before. */
static void __exit guest_module_exit(void)
{
}

module_init(guest_module_init);
module_exit(guest_module_exit);
MODULE_DESCRIPTION("A guest kernel: User-mode Linux over lodge.ko");
MODULE_LICENSE("GPL");
