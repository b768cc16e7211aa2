/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LODGE_COMPAT_RSEQ_H
#define LODGE_COMPAT_RSEQ_H

#include <linux/sched.h>
#include <linux/version.h>

/* rseq_execve() moved into a header of its own. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#include <linux/rseq.h>
#endif

#endif /* LODGE_COMPAT_RSEQ_H */
