/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sets of kernel functions that are entered through us while somebody holds them, and a little
 * longer.
 */
#ifndef LODGE_PATCH_H
#define LODGE_PATCH_H

#include <linux/ftrace.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

/**
 * struct patch - one set; define it with DEFINE_PATCH()
 * @arm: enter all functions of the set; what it has done when it fails, @disarm undoes
 * @disarm: leave them
 * @forget: free what ftrace may have looked at until now
 *
 * All three may sleep, and are called under @lock.
 */
struct patch {
	int (*arm)(void);
	void (*disarm)(void);
	void (*forget)(void);

	/* private: */
	struct mutex lock;
	unsigned int holders;
	bool armed;
	struct ftrace_ops anchor;
	struct delayed_work disarming;
};

void patch_anchor(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		  struct ftrace_regs *fregs);
void patch_disarm_work(struct work_struct *work);

#define DEFINE_PATCH(name, arm_set, disarm_set, forget_set)				\
static struct patch name = {								\
	.arm = arm_set,									\
	.disarm = disarm_set,								\
	.forget = forget_set,								\
	.lock = __MUTEX_INITIALIZER(name.lock),						\
	.anchor = { .func = patch_anchor, .flags = FTRACE_OPS_FL_PERMANENT },		\
	.disarming = __DELAYED_WORK_INITIALIZER(name.disarming, patch_disarm_work, 0),	\
}

/**
 * patch_get - hold a set; the first holder arms it
 * @patch: the set
 *
 * May sleep; arming takes tens of milliseconds.
 *
 * Return: 0, -EBUSY if kernel.ftrace_enabled is 0, or what @patch->arm says: then nothing is armed.
 */
int patch_get(struct patch *patch);

/**
 * patch_put - let it go
 * @patch: the set
 *
 * Without a holder it stays armed for two seconds: to disarm takes some RCU-tasks grace periods,
 * tenths of a second each, which whoever comes next need not wait for. Tasks may be on their way
 * through us even after that.
 */
void patch_put(struct patch *patch);

/**
 * patch_exit - for the end of the module: nothing is armed any more
 * @patch: the set, which nobody holds
 *
 * And who had entered one of its functions has slept since, left us, or is in what we called.
 */
void patch_exit(struct patch *patch);

#endif /* LODGE_PATCH_H */
