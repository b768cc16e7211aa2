// SPDX-License-Identifier: GPL-2.0
/*
 * Mistakes on purpose, for tests of what they do to the host: "lodge_mistake=KIND" on the command
 * line has the guest's kernel make one when it has booted.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/string.h>
#include <init.h>
#include <os.h>

static char mistake[16];

static int __init set_mistake(char *kind, int *add)
{
	*add = 0;
	return strscpy(mistake, kind, sizeof(mistake)) < 0 ? -E2BIG : 0;
}

__uml_setup("lodge_mistake=", set_mistake,
	    "lodge_mistake=null|jump|spin\n    For tests: what the kernel does wrong at the end of its boot.\n\n");

static int __init make_mistake(void)
{
	if (!strcmp(mistake, "null"))
		WRITE_ONCE(*(int *)8, 1);
	if (!strcmp(mistake, "jump"))
		((void (*)(void))mistake)();
	if (!strcmp(mistake, "spin")) {
		local_irq_disable();
		for (;;)
			barrier();
	}
	return 0;
}
late_initcall_sync(make_mistake);
