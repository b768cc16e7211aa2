/* SPDX-License-Identifier: GPL-2.0 */
/* What hooks.c and hooks-stub.S know of each other. */
#ifndef LODGE_HOOKS_STUB_H
#define LODGE_HOOKS_STUB_H

#define HOOKS_MAX		64	/* rows in a table */
#define HOOKS_ENTRY_SIZE	16	/* bytes of one of hooks_entries */
#define HOOKS_SYSCALL_WORK	8	/* thread_info.syscall_work in task_struct */

#ifndef __ASSEMBLY__
struct pt_regs;

extern const char hooks_trampoline[];
extern const char hooks_entries[];

long hooks_call_redirected(struct pt_regs *regs, unsigned long ip,
			   unsigned long ax);
long hooks_dispatch(struct pt_regs *regs, unsigned long ip, unsigned long ax);
long hooks_dispatch_row(struct pt_regs *regs, unsigned int index);
#endif

#endif /* LODGE_HOOKS_STUB_H */
