// SPDX-License-Identifier: GPL-2.0
/*
 * The functions of the host that are entered through us while there is an instance, and for a
 * moment after.
 *
 * A task without our mark pays for three instructions, when it is traced, when it has a signal, and
 * when the kernel is about to oops.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "kmod/compat/ftrace.h"
#include "kmod/full/instance.h"
#include "kmod/full/trap.h"
#include "kmod/hooks.h"
#include "kmod/patch.h"

/* @ops of one function; @name in the order of preference. */
static struct entry {
	const char *const names[2];
	const char *trampoline;
	unsigned long address;
	struct ftrace_ops ops;
	bool was_armed;
} entries[] = {
	{ .names = { "syscall_trace_enter", "syscall_trace_enter.constprop.0" },
	  .trampoline = syscall_trampoline },
	{ .names = { "arch_do_signal_or_restart" }, .trampoline = signal_trampoline },
	{ .names = { "page_fault_oops" }, .trampoline = oops_trampoline },
};

static unsigned long clone_ip __ro_after_init;

/**
 * trap_call_clone - the host's clone()
 * @args: registers with its arguments
 *
 * Return: the process, whose registers are those of the caller in user mode; or an error.
 */
long trap_call_clone(struct pt_regs *args)
{
	return hooks_call_original(args, clone_ip);
}

/* Return: where a function that ftrace can enter begins, or 0. */
static unsigned long __init find(const char *name)
{
	struct kprobe probe = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	unsigned long address = 0;

	if (!name || register_kprobe(&probe))
		return 0;
	if (probe.flags & KPROBE_FLAG_FTRACE)
		address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	return address;
}

/** entry_init - look up what there is to hook; Return: 0 or -ENOENT, and the log says what. */
int __init entry_init(void)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		for (j = 0; j < ARRAY_SIZE(entries[i].names) && !entries[i].address; j++)
			entries[i].address = find(entries[i].names[j]);
		if (!entries[i].address) {
			pr_err("%s cannot be hooked: no such function, or it cannot be traced\n",
			       entries[i].names[0]);
			return -ENOENT;
		}
	}
	clone_ip = find("__x64_sys_clone") + MCOUNT_INSN_SIZE;
	return clone_ip == MCOUNT_INSN_SIZE ? -ENOENT : 0;
}

static int arm(void)
{
	struct entry *e;
	int err = 0;

	for (e = entries; e < entries + ARRAY_SIZE(entries) && !err; e++) {
		err = ftrace_set_filter_ip(&e->ops, e->address, 0, 1);
		if (!err)
			err = compat_register_direct(&e->ops, (unsigned long)e->trampoline);
		e->was_armed = !err;
		if (err == -EBUSY)
			pr_err("%s is held by another user and cannot be hooked\n", e->names[0]);
	}
	return err;
}

static void disarm(void)
{
	struct entry *e;
	int err;

	for (e = entries; e < entries + ARRAY_SIZE(entries); e++) {
		if (!e->was_armed)
			continue;
		err = compat_unregister_direct(&e->ops, (unsigned long)e->trampoline);
		WARN_ON_ONCE(err);
	}
}

static void forget(void)
{
	struct entry *e;

	for (e = entries; e < entries + ARRAY_SIZE(entries); e++) {
		ftrace_free_filter(&e->ops);
		memset(&e->ops, 0, sizeof(e->ops));
		e->was_armed = false;
	}
}

DEFINE_PATCH(entry, arm, disarm, forget);

/**
 * entry_get - hold the hooks, as patch_get() does
 *
 * Return: 0, -EBUSY if somebody else holds a function, or what ftrace answered.
 */
int entry_get(void)
{
	return patch_get(&entry);
}

/** entry_put - let them go, as patch_put() does */
void entry_put(void)
{
	patch_put(&entry);
}

/**
 * entry_exit - until the module's text may go away
 *
 * Each thread of a guest holds a file of ours until its last handler is done; what is in a
 * trampoline has not slept since.
 */
void entry_exit(void)
{
	patch_exit(&entry);
}
