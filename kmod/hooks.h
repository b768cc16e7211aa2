/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Call hooks: system calls of marked tasks go to a handler of the module.
 *
 * Every hooked function is entered through one ftrace direct trampoline, which
 * looks at the mark of the running task and goes back at once if there is none.
 * Nothing is patched while nobody holds hooks_get(), but for a moment after.
 */
#ifndef LODGE_HOOKS_H
#define LODGE_HOOKS_H

#ifndef __ASSEMBLY__
#include <linux/bitops.h>
#include <linux/sched.h>
#include <linux/thread_info.h>

struct pt_regs;
#endif

/*
 * The mark is a bit of thread_info.syscall_work that the entry code does not
 * know. fork copies it, and unlike seccomp's state no system call changes it.
 */
#define HOOKS_MARK_BIT	62

#ifndef __ASSEMBLY__

/**
 * typedef hook_fn - handler of a hooked function
 * @regs: the function's first argument: the system call's registers; a task for
 *	  wake_up_new_task; meaningless for functions that take no argument
 *	  (__do_sys_fork, __do_sys_vfork)
 * @ip: cookie for hooks_call_original() and hooks_call_final()
 *
 * Runs instead of the function, in the same context, for marked tasks only.
 * It may sleep, and its result becomes the result of the system call.
 */
typedef long (*hook_fn)(struct pt_regs *regs, unsigned long ip);

/**
 * struct hook - one function to hook
 * @symbol: name of the function, e.g. "__x64_sys_mmap"; the ABIs of a system
 *	    call are functions of their own and get a row each
 * @handler: what marked tasks run instead
 * @optional: a kernel without @symbol is accepted
 */
struct hook {
	const char *symbol;
	hook_fn handler;
	bool optional;
};

/**
 * hooks_init - look up the functions of a table
 * @table: the hooks; must stay until hooks_exit()
 * @n: number of rows
 *
 * For the module's init function only (it is __init): hooks nothing yet. May
 * sleep.
 *
 * Return: 0, -ENOENT if a function that is not optional is missing or cannot be
 * traced (the log names it), -EINVAL if a function stands in two rows, -ENOMEM.
 */
int hooks_init(const struct hook *table, unsigned int n);

/**
 * hooks_exit - forget the table and wait until module text may go away
 *
 * Nobody may hold hooks_get(). Sleeps until the last handler has returned.
 */
void hooks_exit(void);

/**
 * hooks_get - hold the hooks, as patch_get() does
 *
 * Return: 0, -EBUSY if a function is held by someone with whom it cannot be
 * shared (the log names it), or what ftrace answered. Nothing is armed then.
 */
int hooks_get(void);

/**
 * hooks_put - let the hooks go, as patch_put() does
 *
 * Handlers may still be running when they are disarmed; only hooks_exit() waits
 * for them.
 */
void hooks_put(void);

/**
 * hooks_call_original - call the function that a handler replaces
 * @regs: the handler's @regs, or other registers to give to the function
 * @ip: the handler's @ip
 *
 * Return: the function's result.
 */
long hooks_call_original(struct pt_regs *regs, unsigned long ip);

/**
 * hooks_call - call a hooked function, past its handler
 * @symbol: its name in the table
 * @regs: the registers to give to it
 *
 * Return: the function's result; -ENOENT if this kernel has none.
 */
long hooks_call(const char *symbol, struct pt_regs *regs);

/**
 * hooks_call_final - call a function that does not return (exit, exit_group)
 * @regs: the handler's @regs
 * @ip: the handler's @ip
 *
 * Takes the handler out of what hooks_exit() waits for: it must not come back.
 *
 * Return: never; the type is for a handler's "return hooks_call_final(regs, ip)",
 * as objtool does not know functions of a module that do not return.
 */
long hooks_call_final(struct pt_regs *regs, unsigned long ip);

/**
 * hooks_mark - let a task's hooked calls go to the handlers
 * @t: the task; its future children are marked too
 */
static inline void hooks_mark(struct task_struct *t)
{
	set_bit(HOOKS_MARK_BIT, &task_thread_info(t)->syscall_work);
}

/**
 * hooks_unmark - undo hooks_mark() for one task
 * @t: the task; its children keep their mark
 */
static inline void hooks_unmark(struct task_struct *t)
{
	clear_bit(HOOKS_MARK_BIT, &task_thread_info(t)->syscall_work);
}

/**
 * hooks_marked - is a task marked?
 * @t: the task
 *
 * Return: true if it is.
 */
static inline bool hooks_marked(struct task_struct *t)
{
	return test_bit(HOOKS_MARK_BIT, &task_thread_info(t)->syscall_work);
}

#endif /* __ASSEMBLY__ */
#endif /* LODGE_HOOKS_H */
