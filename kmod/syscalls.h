/* SPDX-License-Identifier: GPL-2.0 */
/* What the handlers of system calls share. */
#ifndef LODGE_SYSCALLS_H
#define LODGE_SYSCALLS_H

#include <asm/ptrace.h>

struct mm_space;

/** struct args - the arguments of a call, whatever its ABI */
struct args {
	unsigned long a[6];
};

static inline struct args args64(const struct pt_regs *r)
{
	return (struct args){ { r->di, r->si, r->dx, r->r10, r->r8, r->r9 } };
}

static inline struct args args32(const struct pt_regs *r)
{
	return (struct args){ { (u32)r->bx, (u32)r->cx, (u32)r->dx,
				(u32)r->si, (u32)r->di, (u32)r->bp } };
}

/**
 * call_enter() - the space of the running task, held, with its layout locked; NULL: the task is
 * dying
 */
struct mm_space *call_enter(void);
void call_leave(struct mm_space *ms);

/* Handlers (see struct hook) that have a file of their own. */
long mremap_64(struct pt_regs *regs, unsigned long ip);
long mremap_32(struct pt_regs *regs, unsigned long ip);

#endif /* LODGE_SYSCALLS_H */
