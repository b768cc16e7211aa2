/* SPDX-License-Identifier: GPL-2.0 */
/* What lodge boot does for a guest of any kind: signals, and its end. */
#ifndef LODGE_LAUNCHER_H
#define LODGE_LAUNCHER_H

#include <sys/types.h>

struct kernel_log;

void launcher_hold_signals(void);
void launcher_release_signals(void);
int launcher_signals(void);
int launcher_reap(pid_t guest, int signals, struct kernel_log *log);

#endif
