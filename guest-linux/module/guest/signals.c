// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts: bits that the host sets at any time, looked at when interrupts are enabled.
 *
 * There are no signals; the names are those of os.h.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <asm/sync_bitops.h>
#include <irq_user.h>
#include <kern_util.h>
#include <os.h>

#include "host.h"

int signals_enabled;

/* Set by the host, on any CPU of it: what we do to it has to be atomic there, too. */
unsigned long pending_interrupts;

/* What was interrupted; if it was the kernel, nobody knows its registers. */
static struct uml_pt_regs kernel_regs;
static struct uml_pt_regs *interrupted = &kernel_regs;

/* While the timer's handler runs, which enables interrupts; and whether it came once more. */
static bool in_timer, timer_again;

/* With interrupts disabled, as it leaves them. */
static void take(unsigned long bits)
{
	if (bits & BIT(LODGE_IRQ_IO)) {
		sync_clear_bit(LODGE_IRQ_IO, &pending_interrupts);
		sigio_handler(SIGIO, NULL, interrupted);
	}
	if (bits & BIT(LODGE_IRQ_WORKER)) {
		sync_clear_bit(LODGE_IRQ_WORKER, &pending_interrupts);
		do_IRQ(UBD_IRQ, interrupted);
	}
	if (bits & BIT(LODGE_IRQ_RESCHED)) {
		sync_clear_bit(LODGE_IRQ_RESCHED, &pending_interrupts);
		set_tsk_need_resched(current);
	}
	if (bits & BIT(LODGE_IRQ_WINDOW)) {
		sync_clear_bit(LODGE_IRQ_WINDOW, &pending_interrupts);
		winch(SIGWINCH, NULL, interrupted);
	}
	if (bits & BIT(LODGE_IRQ_TIMER)) {
		sync_clear_bit(LODGE_IRQ_TIMER, &pending_interrupts);
		timer_again = in_timer;
		if (in_timer)
			return;
		in_timer = true;
		timer_handler(SIGALRM, NULL, interrupted);
		in_timer = false;
		if (timer_again)
			sync_set_bit(LODGE_IRQ_TIMER, &pending_interrupts);
		timer_again = false;
		/* Others on this CPU of the host's have waited for as long as a tick. */
		lodge_relax(host);
	}
}

void block_signals(void)
{
	signals_enabled = 0;
	barrier();
}

void unblock_signals(void)
{
	unsigned long bits;

	if (signals_enabled)
		return;
	for (;;) {
		signals_enabled = 1;
		barrier();
		bits = READ_ONCE(pending_interrupts);
		if (likely(!bits))
			return;
		signals_enabled = 0;
		barrier();
		take(bits);
	}
}

/* The host has stopped us somewhere in the kernel; no interrupts until we are there again. */
void interrupt_kernel(void)
{
	take(READ_ONCE(pending_interrupts));
	block_signals();
}

int um_set_signals(int enable)
{
	int old = signals_enabled;

	if (enable)
		unblock_signals();
	else
		block_signals();
	return old;
}

int um_set_signals_trace(int enable)
{
	return um_set_signals(enable);
}

/* A program was interrupted; it may lose the CPU. */
void interrupts_from_user(struct uml_pt_regs *regs)
{
	block_signals();
	interrupted = regs;
	take(READ_ONCE(pending_interrupts));
	interrupted = &kernel_regs;
	unblock_signals();
}

void deliver_alarm(void)
{
	sync_set_bit(LODGE_IRQ_TIMER, &pending_interrupts);
}

void send_sigio_to_self(void)
{
	sync_set_bit(LODGE_IRQ_IO, &pending_interrupts);
}

/* There is no handler to set, no stack for it, and nobody else who sends us anything. */
void timer_set_signal_handler(void)
{
}

void set_sigstack(void *stack, int size)
{
}

void set_handler(int signal)
{
}

int change_sig(int signal, int on)
{
	return 0;
}

void init_new_thread_signals(void)
{
}

void register_pm_wake_signal(void)
{
}

void os_fix_helper_signals(void)
{
}

int os_is_signal_stack(void)
{
	return 0;
}
