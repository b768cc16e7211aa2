/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Direct calls of ftrace at the two functions through which guests' threads leave user mode, and
 * the change of stacks. See hooks-stub.S for what holds for such code.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
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

/* page_fault_oops(regs, error_code, address): oops_page_fault() says whether it is to run. */
SYM_START(oops_trampoline, SYM_L_GLOBAL, SYM_A_ALIGN)
	ANNOTATE_NOENDBR
	movq	COMPAT_CURRENT, %r10
	testb	$(1 << (TRAP_MARK_BIT % 8)), (HOOKS_SYSCALL_WORK + TRAP_MARK_BIT / 8)(%r10)
	jnz	.Loops
	RET
.Loops:
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	subq	$8, %rsp
	call	oops_page_fault
	addq	$8, %rsp
	popq	%rdx
	popq	%rsi
	popq	%rdi
	testb	%al, %al
	jnz	.Lhandled_oops
	RET
.Lhandled_oops:
	addq	$8, %rsp
	UNWIND_HINT_FUNC
	RET
SYM_FUNC_END(oops_trampoline)

/* Where the thread goes that has made a guest's mistake. */
SYM_CODE_START(oops_landing)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	jmp	oops_leave
SYM_CODE_END(oops_landing)

/*
 * Where a guest's kernel goes on when it is interrupted, with all its registers but %rip. It makes
 * what the processor would have put on the stack, and goes back as from an interrupt.
 */
SYM_CODE_START(interrupt_landing)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	pushq	$__KERNEL_DS
	pushq	%rsp			/* trap_kernel() puts this and %rip right */
	pushfq
	pushq	$__KERNEL_CS
	pushq	$0
	UNWIND_HINT_IRET_REGS
	pushq	$-1
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	UNWIND_HINT_REGS
	cld
	movq	%rsp, %rdi
	movq	%rsp, %rbx
	andq	$-16, %rsp
	UNWIND_HINT_REGS
	call	trap_kernel
	movq	%rbx, %rsp
	UNWIND_HINT_REGS
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$8, %rsp
	UNWIND_HINT_IRET_REGS
	iretq
SYM_CODE_END(interrupt_landing)

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

/* What first_stack() made returns here, */
SYM_CODE_START(first_stack_entry)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movq	%rbx, %rdi
	jmp	thread_boot
SYM_CODE_END(first_stack_entry)

/* and what worker_stack() made, here. */
SYM_CODE_START(worker_stack_entry)
	UNWIND_HINT_FUNC
	ANNOTATE_NOENDBR
	movq	%rbx, %rdi
	jmp	worker_run
SYM_CODE_END(worker_stack_entry)
