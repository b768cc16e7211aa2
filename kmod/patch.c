// SPDX-License-Identifier: GPL-2.0
/* Sets of kernel functions that are entered through us: holding them, see patch.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bug.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>

#include "kmod/patch.h"

#define LINGER		(2 * HZ)

/*
 * kernel.ftrace_enabled=0 would silently take direct calls away. It is refused while an ftrace_ops
 * with the PERMANENT flag is registered, a flag that direct ones cannot carry: a set's anchor does,
 * on a function that is never called.
 */
static noinline void anchor_function(void)
{
	barrier();
}

notrace void patch_anchor(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			  struct ftrace_regs *fregs)
{
}

static int arm_anchor(struct patch *patch)
{
	int err = ftrace_set_filter_ip(&patch->anchor, (unsigned long)anchor_function, 0, 1);

	if (!err)
		err = register_ftrace_function(&patch->anchor);
	if (err == -EBUSY)
		pr_err("functions of the kernel cannot be hooked: kernel.ftrace_enabled is 0\n");
	return err;
}

static void disarm(struct patch *patch)
{
	patch->disarm();
	/* Waits for everyone who may still look at what the set had registered. */
	WARN_ON_ONCE(unregister_ftrace_function(&patch->anchor));
	patch->forget();
	patch->armed = false;
}

int patch_get(struct patch *patch)
{
	int err = 0;

	mutex_lock(&patch->lock);
	if (!patch->armed) {
		err = arm_anchor(patch);
		if (err)
			goto out;
		patch->armed = true;
		err = patch->arm();
		if (err) {
			disarm(patch);
			goto out;
		}
	}
	patch->holders++;
out:
	mutex_unlock(&patch->lock);
	return err;
}

void patch_disarm_work(struct work_struct *work)
{
	struct patch *patch = container_of(to_delayed_work(work), struct patch, disarming);

	mutex_lock(&patch->lock);
	if (patch->armed && !patch->holders)
		disarm(patch);
	mutex_unlock(&patch->lock);
}

void patch_put(struct patch *patch)
{
	mutex_lock(&patch->lock);
	if (!WARN_ON_ONCE(!patch->holders) && !--patch->holders)
		mod_delayed_work(system_long_wq, &patch->disarming, LINGER);
	mutex_unlock(&patch->lock);
}

void patch_exit(struct patch *patch)
{
	WARN_ON(patch->holders);
	flush_delayed_work(&patch->disarming);
	/* Only now: on 6.1 it leaves a pointer that the next filter would free. */
	ftrace_free_filter(&patch->anchor);
	synchronize_rcu_tasks();
}
