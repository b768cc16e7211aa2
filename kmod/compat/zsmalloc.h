/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LODGE_COMPAT_ZSMALLOC_H
#define LODGE_COMPAT_ZSMALLOC_H

#include <linux/zsmalloc.h>

/* The most pages that one zs_malloc() can add: an option of newer kernels, 4 before. */
#ifdef CONFIG_ZSMALLOC_CHAIN_SIZE
#define COMPAT_ZSPAGE_PAGES	CONFIG_ZSMALLOC_CHAIN_SIZE
#else
#define COMPAT_ZSPAGE_PAGES	4
#endif

#endif /* LODGE_COMPAT_ZSMALLOC_H */
