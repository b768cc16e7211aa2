/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the guest half share. */
#ifndef LODGE_GUEST_HOST_H
#define LODGE_GUEST_HOST_H

#include <sysdep/ptrace.h>

#include "lodge-host.h"

/* lodge.ko's name for this guest. */
extern struct lodge_instance *host;

/* ---- signals.c ---- */

extern unsigned long pending_interrupts;

void interrupt_kernel(void);
void interrupts_from_user(struct uml_pt_regs *regs);

/* ---- switch.c ---- */

extern bool users_leave;

void touch_stack(void *stack);

/* ---- user.c ---- */

unsigned long lookup_page(void *pgd, unsigned long address);

/* ---- libc.c ---- */

void log_vprintf(const char *format, va_list args);

#endif
