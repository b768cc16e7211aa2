/* SPDX-License-Identifier: GPL-2.0 */
/* Telling a service manager how far lodge is: the protocol of sd_notify(3). */
#ifndef LODGE_NOTIFY_H
#define LODGE_NOTIFY_H

#include "util.h"

void notify(const char *fmt, ...) __printf(1, 2);
void notify_not_from_children(void);

#endif
