/* SPDX-License-Identifier: GPL-2.0 */
/* From the stack of a guest to the host thread's own, and back. See host-call.h. */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>
#include "kmod/full/host-call.h"

	.text

/* Where thread.c has left the host's stack, six registers lie and the way back: it goes on below. */
.macro HOST_CALL name
SYM_FUNC_START(lodge_\name)
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%r8
	pushq	%r9
	call	thread_host_sp
	popq	%r9
	popq	%r8
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	andq	$-16, %rax
	movq	%rax, %rsp
	UNWIND_HINT type=UNWIND_HINT_TYPE_CALL sp_reg=ORC_REG_BP sp_offset=16
	call	host_\name
	movq	%rbp, %rsp
	popq	%rbp
	UNWIND_HINT_FUNC
	RET
SYM_FUNC_END(lodge_\name)
.endm

#define EMIT(name) HOST_CALL name;
HOST_CALLS(EMIT)
