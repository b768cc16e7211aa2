// SPDX-License-Identifier: GPL-2.0
/*
 * A guest kernel's mistakes end the guest, not the host.
 *
 * What its code does wrong is an exception in the kernel to the host. Before that becomes an oops,
 * the thread is sent to our own code, which leaves the guest's stack.
 */
#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <asm/trap_pf.h>

#include "kmod/full/instance.h"
#include "kmod/full/trap.h"

/* Or what it took for code: nothing, a program's, or its own memory. */
static bool is_its_code(struct lodge_instance *inst, unsigned long ip)
{
	return within_module(ip, inst->module) || ip < TASK_SIZE_MAX ||
	       (ip >= inst->memory.base && ip < inst->memory.end);
}

/**
 * oops_is_guests - is it a guest's kernel that an exception or an interrupt has come to?
 * @inst: the guest of the running thread
 * @regs: where
 *
 * Return: true if so: code of the guest's, on a stack of the guest's, that holds nothing of the
 * host's.
 */
bool oops_is_guests(struct lodge_instance *inst, struct pt_regs *regs)
{
	const struct lodge_memory *m = &inst->memory;

	return !user_mode(regs) && is_its_code(inst, regs->ip) &&
	       regs->sp >= m->base && regs->sp < m->base + m->size;
}

/** oops_land - when what has stopped it is over, the guest's kernel leaves its stack for good */
void oops_land(struct pt_regs *regs)
{
	regs->ip = (unsigned long)oops_landing;
	regs->sp = ALIGN_DOWN(regs->sp, 16) - 8;
}

static bool take(struct pt_regs *regs, const char *what, unsigned long address)
{
	struct lodge_instance *inst;

	if (!trap_is_marked(current))
		return false;
	inst = thread_current()->inst;
	if (in_interrupt() || !oops_is_guests(inst, regs))
		return false;
	snprintf(inst->oops, sizeof(inst->oops), "its kernel: %s at %lx, in %ps", what, address,
		 (void *)regs->ip);
	oops_land(regs);
	return true;
}

/** oops_leave - where the thread lands, on the stack that it was on */
void oops_leave(void)
{
	struct lodge_instance *inst = thread_current()->inst;

	if (*inst->oops)
		instance_kill(inst, LODGE_ENDED_PANIC, 0, inst->oops);
	else
		instance_kill(inst, LODGE_ENDED_KILLED, 0, "one of its host threads was killed");
	thread_leave(inst);
}

/**
 * oops_page_fault - a page fault that the host knows no remedy for
 * @regs: where
 * @error_code: the processor's
 * @address: of what
 *
 * Return: true if it was a guest's: it is there now, or the thread goes on elsewhere.
 */
bool oops_page_fault(struct pt_regs *regs, unsigned long error_code, unsigned long address)
{
	struct lodge_instance *inst = thread_current()->inst;

	bool missing = !(error_code & X86_PF_PROT) && memory_has(inst, address);

	if (!user_mode(regs) && missing && memory_fault(inst, regs, address))
		return true;
	if (missing)
		return take(regs, "the host has no memory for a page", address);
	return take(regs, "page fault", address);
}

static int exception(struct notifier_block *nb, unsigned long what, void *data)
{
	struct die_args *args = data;

	if ((what == DIE_TRAP || what == DIE_GPF) && args->regs && take(args->regs, args->str, 0))
		return NOTIFY_STOP;
	return NOTIFY_DONE;
}

static struct notifier_block exceptions = {
	.notifier_call = exception,
};

/** oops_init - look at exceptions from now on */
int __init oops_init(void)
{
	return register_die_notifier(&exceptions);
}

/** oops_exit - undo oops_init() */
void oops_exit(void)
{
	unregister_die_notifier(&exceptions);
}
