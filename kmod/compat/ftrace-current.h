/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LODGE_COMPAT_FTRACE_CURRENT_H
#define LODGE_COMPAT_FTRACE_CURRENT_H

#include <linux/version.h>
#include <asm/asm-offsets.h>
#include <asm/percpu.h>

/* The running task as an operand of an instruction. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define COMPAT_CURRENT	PER_CPU_VAR(current_task)
#else
#define COMPAT_CURRENT	PER_CPU_VAR(pcpu_hot + X86_current_task)
#endif

#endif /* LODGE_COMPAT_FTRACE_CURRENT_H */
