/* SPDX-License-Identifier: GPL-2.0 */
/* The ways into a guest and out of it, as thread.c and entry.c use them. */
#ifndef LODGE_FULL_TRAP_H
#define LODGE_FULL_TRAP_H

/* Beside the mark of confined guests (kmod/hooks.h), whose hooks are others. */
#define TRAP_MARK_BIT	61

#ifndef __ASSEMBLY__
#include <linux/bitops.h>
#include <linux/sched.h>
#include <linux/types.h>

struct lodge_instance;
struct lodge_thread;
struct pt_regs;

/* ---- entry-stub.S ---- */

extern const char syscall_trampoline[];
extern const char signal_trampoline[];
extern const char oops_trampoline[];
extern const char first_stack_entry[];
extern const char worker_stack_entry[];
extern const char oops_landing[];
extern const char interrupt_landing[];

/**
 * stack_switch - go on where another stack left off
 * @save: where to put our stack pointer
 * @load: the other's, from its call to this function
 *
 * Returns when somebody loads what was put to @save.
 */
void stack_switch(unsigned long *save, unsigned long load);

/* ---- entry.c ---- */

long trap_call_clone(struct pt_regs *args);

/* ---- oops.c ---- */

int oops_init(void);
void oops_exit(void);
void oops_leave(void);
void oops_land(struct pt_regs *regs);
bool oops_is_guests(struct lodge_instance *inst, struct pt_regs *regs);
bool oops_page_fault(struct pt_regs *regs, unsigned long error_code, unsigned long address);

/* ---- trap.c ---- */

void trap_init_work(struct lodge_thread *ht);
void trap_mark(struct lodge_thread *ht);
void trap_unmark(void);
void trap_return(struct lodge_thread *ht, struct pt_regs *regs, bool alive);
unsigned long first_stack(struct lodge_instance *inst);
unsigned long worker_stack(struct lodge_thread *ht, unsigned long top);
void trap_interrupt_kernel(struct lodge_instance *inst, struct pt_regs *regs);
void trap_kernel(struct pt_regs *regs);
long trap_syscall(struct pt_regs *regs);
bool trap_signal(struct pt_regs *regs);

static inline bool trap_is_marked(struct task_struct *t)
{
	return test_bit(TRAP_MARK_BIT, &task_thread_info(t)->syscall_work);
}

/* ---- loose.c ---- */

bool loose_go(struct lodge_thread *ht);
int loose_tie(struct lodge_thread *ht);
bool loose_trapped(struct lodge_thread *ht);

/* ---- thread.c ---- */

bool thread_loop(struct lodge_thread *ht, unsigned long sp);
bool thread_newborn(struct lodge_thread *ht);
void thread_end(struct lodge_thread *ht);
void thread_boot(struct lodge_instance *inst);

#endif /* __ASSEMBLY__ */
#endif /* LODGE_FULL_TRAP_H */
