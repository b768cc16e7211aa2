/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Direct calls of ftrace at the two functions through which guests' threads leave user mode, and
 * the change of stacks. See hooks-stub.S for what holds for such code.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>
#include "kmod/compat/ftrace-current.h"
#include "kmod/full/trap.h"
#include "kmod/hooks-stub.h"

	.text

/* Of a task with our mark, syscall_trace_enter() is ours: on top is where it would have gone on. */
SYM_START(syscall_trampoline, SYM_L_GLOBAL, SYM_A_ALIGN)
	ANNOTATE_NOENDBR
	movq	COMPAT_CURRENT, %r10
	testb	$(1 << (TRAP_MARK_BIT % 8)), (HOOKS_SYSCALL_WORK + TRAP_MARK_BIT / 8)(%r10)
	jnz	.Lmarked
	RET
.Lmarked:
	movq	$.Lbalanced, (%rsp)
	RET
.Lbalanced:
	ANNOTATE_NOENDBR
	UNWIND_HINT_FUNC
	jmp	trap_syscall
SYM_FUNC_END(syscall_trampoline)

/* trap_signal() says whether arch_do_signal_or_restart() is to run. */
SYM_START(signal_trampoline, SYM_L_GLOBAL, SYM_A_ALIGN)
	ANNOTATE_NOENDBR
	movq	COMPAT_CURRENT, %r10
	testb	$(1 << (TRAP_MARK_BIT % 8)), (HOOKS_SYSCALL_WORK + TRAP_MARK_BIT / 8)(%r10)
	jnz	.Lsignal
	RET
.Lsignal:
	pushq	%rdi
	subq	$8, %rsp
	call	trap_signal
	addq	$8, %rsp
	popq	%rdi
	testb	%al, %al
	jnz	.Lhandled
	RET
.Lhandled:
	movq	$.Lskip, (%rsp)
	RET
.Lskip:
	ANNOTATE_NOENDBR
	UNWIND_HINT_FUNC
	RET
SYM_FUNC_END(signal_trampoline)

/* void stack_switch(unsigned long *save, unsigned long load) */
SYM_FUNC_START(stack_switch)
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	/* Above it are six registers and where its caller goes on. */
	UNWIND_HINT type=UNWIND_HINT_TYPE_CALL sp_reg=ORC_REG_SP sp_offset=56
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	UNWIND_HINT_FUNC
	RET
SYM_FUNC_END(stack_switch)

/* What first_stack() made returns here. */
SYM_CODE_START(first_stack_entry)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movq	%rbx, %rdi
	jmp	thread_boot
SYM_CODE_END(first_stack_entry)
