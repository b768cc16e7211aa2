/* SPDX-License-Identifier: GPL-2.0 */
/* From the stack of a guest to the host thread's own, and back. See host-call.h. */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

	.text

/* Where thread.c has left the host's stack lies what brings it back: it goes on below. */
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

HOST_CALL open
HOST_CALL close
HOST_CALL replace
HOST_CALL dup
HOST_CALL read
HOST_CALL write
HOST_CALL seek
HOST_CALL clear
HOST_CALL set_blocking
HOST_CALL is_terminal
HOST_CALL terminal_raw
HOST_CALL window_size
HOST_CALL log
HOST_CALL stat
HOST_CALL access
HOST_CALL read_link
HOST_CALL statfs
HOST_CALL sync
HOST_CALL read_directory
HOST_CALL make_directory
HOST_CALL make_node
HOST_CALL make_link
HOST_CALL add_name
HOST_CALL remove
HOST_CALL rename
HOST_CALL set_attributes
HOST_CALL send
HOST_CALL receive
HOST_CALL receive_files
HOST_CALL socket
HOST_CALL watch
HOST_CALL events
HOST_CALL kernel_map
HOST_CALL kernel_unmap
HOST_CALL memory_drop
HOST_CALL space_unmap
HOST_CALL users_stop
HOST_CALL memory_fault
