/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LODGE_COMPAT_SEGMENT_H
#define LODGE_COMPAT_SEGMENT_H

#include <linux/version.h>
#include <asm/segment.h>
#include <asm/special_insns.h>

/* load_gs_index() moved into a header of its own. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <asm/gsseg.h>
#endif

#endif /* LODGE_COMPAT_SEGMENT_H */
