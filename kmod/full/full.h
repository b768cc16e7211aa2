/* SPDX-License-Identifier: GPL-2.0 */
/* Full guests in the kernel, as the rest of lodge.ko sees them. */
#ifndef LODGE_FULL_FULL_H
#define LODGE_FULL_FULL_H

int full_init(void);
void full_exit(void);

#endif
