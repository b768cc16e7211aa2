/* SPDX-License-Identifier: GPL-2.0 */
/* The system calls of the host that a full guest may make. */
#ifndef LODGE_SYSCALL_FILTER_H
#define LODGE_SYSCALL_FILTER_H

#include <stddef.h>

#define SYSCALL_FILTERS 2

void syscall_filter_write(int fds[SYSCALL_FILTERS]);
void syscall_filter_load(void);

#endif
