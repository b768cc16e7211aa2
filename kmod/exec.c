// SPDX-License-Identifier: GPL-2.0
/*
 * exec: the private memory that the host gave to a new program goes into the pool
 * before its first instruction.
 */
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "kmod/hooks.h"
#include "kmod/mm-guest.h"

/* Take the running task's fresh mm into a guest. */
static int adopt_program(struct mm_guest *mg)
{
	struct mm_space *ms;
	struct file *file;
	unsigned long anchor;
	int err = 0;

	ms = mm_space_create(mg, &file);
	if (IS_ERR(ms))
		return PTR_ERR(ms);
	mm_space_publish(ms, current->mm);
	mutex_lock(&ms->layout);
	anchor = mapping_map(ms, 0, PAGE_SIZE, PROT_NONE, 0, NULL);
	if (IS_ERR_VALUE(anchor)) {
		err = anchor;
	} else {
		ms->anchor = anchor;
		err = adopt_range(ms, 0, TASK_SIZE, 0);
	}
	mutex_unlock(&ms->layout);
	fput(file);
	return err;
}

static void ticket_begin(struct mm_guest *mg, struct exec_ticket *t)
{
	t->process = current->signal;
	spin_lock(&mg->execs_lock);
	list_add(&t->link, &mg->execs);
	spin_unlock(&mg->execs_lock);
}

static void ticket_end(struct mm_guest *mg, struct exec_ticket *t)
{
	spin_lock(&mg->execs_lock);
	list_del(&t->link);
	spin_unlock(&mg->execs_lock);
}

long exec_call(struct pt_regs *regs, unsigned long ip)
{
	struct mm_struct *old = current->mm;
	struct mm_space *ms = mm_space_current();
	struct exec_ticket ticket;
	struct mm_guest *mg;
	long ret;
	int err;

	if (!ms)
		return -EINTR;
	mg = ms->mg;
	/* Between the old mm and the new one, the guest must not look empty. */
	mm_guest_use(mg);
	ticket_begin(mg, &ticket);
	/* The old mm keeps its address from being used again until we have compared. */
	mmgrab(old);
	mm_space_put(ms);
	ret = hooks_call_original(regs, ip);
	/*
	 * A failure after the change of mm leaves a half-made one,
	 * whose process is killed on its way out.
	 */
	if (!ret && current->mm && current->mm != old && !fatal_signal()) {
		err = adopt_program(mg);
		if (err && !fatal_signal()) {
			pr_warn("lodge: %s: %s[%d] killed: no memory for its program (error %d)\n",
				mg->guest->name, current->comm, task_tgid_nr(current), err);
			pool_event(mg->pool, PE_OOM_KILL);
			force_sig(SIGKILL);
		}
	}
	mmdrop(old);
	ticket_end(mg, &ticket);
	mm_guest_unuse(mg);
	return ret;
}
