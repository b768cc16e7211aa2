/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LODGE_COMPAT_FTRACE_H
#define LODGE_COMPAT_FTRACE_H

#include <linux/ftrace.h>
#include <linux/version.h>

/*
 * 6.1 has an older interface of the same name for single functions; the one for
 * all functions of an ftrace_ops became the only one later.
 */
static inline int compat_register_direct(struct ftrace_ops *ops,
					 unsigned long addr)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	return register_ftrace_direct_multi(ops, addr);
#else
	return register_ftrace_direct(ops, addr);
#endif
}

static inline int compat_unregister_direct(struct ftrace_ops *ops,
					   unsigned long addr)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	return unregister_ftrace_direct_multi(ops, addr);
#else
	return unregister_ftrace_direct(ops, addr, false);
#endif
}

static __always_inline void compat_ftrace_set_ip(struct ftrace_regs *fregs,
						 unsigned long ip)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	ftrace_instruction_pointer_set(fregs, ip);
#else
	ftrace_regs_set_instruction_pointer(fregs, ip);
#endif
}

#endif /* LODGE_COMPAT_FTRACE_H */
