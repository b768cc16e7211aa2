/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LODGE_COMPAT_SIGNAL_H
#define LODGE_COMPAT_SIGNAL_H

#include <linux/sched/signal.h>
#include <linux/version.h>

/* Take a signal of the running task, blocked or not; siglock is held. Return: it, or 0. */
static inline int compat_dequeue_signal(struct kernel_siginfo *info)
{
	sigset_t none;
	enum pid_type type;

	sigemptyset(&none);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return dequeue_signal(current, &none, info, &type);
#else
	return dequeue_signal(&none, info, &type);
#endif
}

/* Of the signals that the processor raises, as kernel/signal.c has them. */
#ifndef SYNCHRONOUS_MASK
#define SYNCHRONOUS_MASK \
	(sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) | \
	 sigmask(SIGTRAP) | sigmask(SIGFPE) | sigmask(SIGSYS))
#endif

#endif /* LODGE_COMPAT_SIGNAL_H */
