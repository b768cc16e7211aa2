// SPDX-License-Identifier: GPL-2.0
/*
 * Mistakes on purpose, for tests of what they do to the host: "lodge_mistake=KIND" on the command
 * line has the guest's kernel make one when it has booted.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>
#include <init.h>
#include <os.h>

#include "host.h"

static char mistake[16];
static void *nowhere;

static int __init set_mistake(char *kind, int *add)
{
	*add = 0;
	return strscpy(mistake, kind, sizeof(mistake)) < 0 ? -E2BIG : 0;
}

__uml_setup("lodge_mistake=", set_mistake,
	    "lodge_mistake=null|call|jump|stray|spin|deep|overflow\n    For tests: what the kernel does wrong at the end of its boot.\n\n");

/* Never inlined, and not a loop: each call has a frame of its own. */
static noinline __init unsigned long go_deeper(unsigned long bottom)
{
	unsigned long room[16] = { 0 };

	barrier_data(room);
	if ((unsigned long)room > bottom)
		room[0] = go_deeper(bottom);
	else
		lodge_log(host, "deep\n", 5);
	barrier_data(room);
	return room[0] + 1;
}

static int __init make_mistake(void)
{
	unsigned long stack = (unsigned long)task_stack_page(current);

	if (!strcmp(mistake, "null"))
		WRITE_ONCE(*(int *)8, 1);
	if (!strcmp(mistake, "call"))
		((void (*)(void))READ_ONCE(nowhere))();
	if (!strcmp(mistake, "jump"))
		((void (*)(void))mistake)();
	if (!strcmp(mistake, "stray"))
		((void (*)(void))stack)();
	if (!strcmp(mistake, "spin")) {
		local_irq_disable();
		for (;;)
			barrier();
	}
	if (!strcmp(mistake, "deep"))
		go_deeper(stack + 768);
	if (!strcmp(mistake, "overflow")) {
		go_deeper(stack - PAGE_SIZE);
		schedule();
	}
	return 0;
}
late_initcall_sync(make_mistake);
