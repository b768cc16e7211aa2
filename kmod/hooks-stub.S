/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The code between a hooked function and its handler.
 *
 * Nothing here is called through a pointer: ftrace patches a direct call or
 * returns into it, and the original is entered by a return too, because behind
 * its fentry there is no ENDBR. Hence no ENDBR in the trampoline either.
 *
 * Each return that does not match a call gets its counterpart, as a return
 * stack that is off by one mispredicts up to the outermost caller in user space.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>
#include "compat/ftrace-current.h"
#include "hooks-stub.h"
#include "hooks.h"

	.text

/*
 * Stands for the fentry call of every hooked function. On the stack: the address
 * behind that call, then the function's own return address. Arguments and %rax
 * (an injected result, if a kprobe has redirected the call) must survive.
 */
SYM_START(hooks_trampoline, SYM_L_GLOBAL, SYM_A_ALIGN)
	ANNOTATE_NOENDBR
	movq	COMPAT_CURRENT, %r10
	testb	$(1 << (HOOKS_MARK_BIT % 8)), (HOOKS_SYSCALL_WORK + HOOKS_MARK_BIT / 8)(%r10)
	jnz	.Lmarked
	RET
.Lmarked:
	movq	%rax, %rdx
	movq	(%rsp), %rsi
	movq	$.Lbalanced, (%rsp)
	RET
.Lbalanced:
	ANNOTATE_NOENDBR
	UNWIND_HINT_FUNC
	jmp	hooks_dispatch
SYM_FUNC_END(hooks_trampoline)

/* long hooks_call_original(struct pt_regs *regs, unsigned long ip) */
SYM_FUNC_START(hooks_call_original)
	ANNOTATE_INTRA_FUNCTION_CALL
	call	.Loriginal
	int3
.Loriginal:
	movq	%rsi, (%rsp)
	UNWIND_HINT_FUNC
	RET
SYM_FUNC_END(hooks_call_original)

/* long hooks_call_redirected(struct pt_regs *regs, unsigned long ip, unsigned long ax) */
SYM_FUNC_START(hooks_call_redirected)
	movq	%rdx, %rax
	jmp	hooks_call_original
SYM_FUNC_END(hooks_call_redirected)

/*
 * Where a function continues that is hooked by redirection: one entry per row of
 * the table, since no register but the arguments reaches it for sure.
 */
	.balign	HOOKS_ENTRY_SIZE
SYM_START(hooks_entries, SYM_L_GLOBAL, SYM_A_NONE)
	ANNOTATE_NOENDBR
	.set	row, 0
	.rept	HOOKS_MAX
	.balign	HOOKS_ENTRY_SIZE
	UNWIND_HINT_FUNC
	movl	$row, %esi
	jmp	hooks_dispatch_row
	.set	row, row + 1
	.endr
SYM_FUNC_END(hooks_entries)
