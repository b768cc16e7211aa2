/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest's compiled code calls instead of returning and jumping through a
 * register. They are the host kernel's, which patches the places or not; a host
 * without these mitigations has none, and gets the plain instruction.
 *
 * 6.1 has other names for the same options.
 */
#include <linux/linkage.h>

#if !defined(CONFIG_MITIGATION_RETHUNK) && !defined(CONFIG_RETHUNK)
SYM_FUNC_START(__x86_return_thunk)
	ret
	int3
SYM_FUNC_END(__x86_return_thunk)
#endif

#if !defined(CONFIG_MITIGATION_RETPOLINE) && !defined(CONFIG_RETPOLINE)
.irp	reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
SYM_FUNC_START(__x86_indirect_thunk_\reg)
	jmp	*%\reg
	int3
SYM_FUNC_END(__x86_indirect_thunk_\reg)
.endr
#endif
