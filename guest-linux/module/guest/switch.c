// SPDX-License-Identifier: GPL-2.0
/* Changing from one kernel stack of the guest's to another: the host has no part in it. */
#include <linux/panic.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/thread_info.h>
#include <kern_util.h>
#include <longjmp.h>
#include <os.h>

#include "host.h"

void uml_finishsetup(void);

/* Below a stack, what it runs into when it overflows has to be there, too. */
#define STACK_BELOW	(4 * PAGE_SIZE)

/* The host gives memory when it is touched, but not to a stack that is in use. */
void touch_stack(void *stack)
{
	void *at;

	for (at = stack - STACK_BELOW; at < stack + THREAD_SIZE; at += PAGE_SIZE)
		READ_ONCE(*(char *)at);
}

void new_thread(void *stack, jmp_buf *buf, void (*handler)(void))
{
	touch_stack(stack);
	(*buf)[0].JB_IP = (unsigned long)handler;
	(*buf)[0].JB_SP = (unsigned long)stack + THREAD_SIZE - sizeof(void *);
}

/* A program may go on as soon as the kernel has left the thread of the host's that it is on. */
bool users_leave;

void switch_threads(jmp_buf *me, jmp_buf *you)
{
	struct task_struct *from = container_of(me, struct task_struct, thread.switch_buf);

	/* What is below has been there to take it, so far. */
	if (unlikely(task_stack_end_corrupted(from)))
		panic("the kernel stack of %s has overflowed", from->comm);
	if (UML_SETJMP(me) == 0)
		UML_LONGJMP(you, 1);
	if (unlikely(users_leave) && current->thread.arch.host) {
		users_leave = false;
		lodge_thread_leave(host, current->thread.arch.host);
	}
}

/* The stack is the one we are on, from its top again: what is above never returns. */
int start_idle_thread(void *stack, jmp_buf *switch_buf)
{
	new_thread(stack, switch_buf, uml_finishsetup);
	longjmp(*switch_buf, 1);
	return 0;
}

/* Elsewhere this is for what has to run on a stack of the host's. */
void initial_thread_cb_skas(void (*proc)(void *), void *arg)
{
	block_signals_trace();
	proc(arg);
	unblock_signals_trace();
}

unsigned long get_thread_reg(int reg, jmp_buf *buf)
{
	switch (reg) {
	case HOST_IP:
		return buf[0]->__rip;
	case HOST_SP:
		return buf[0]->__rsp;
	case HOST_BP:
		return buf[0]->__rbp;
	}
	return 0;
}
