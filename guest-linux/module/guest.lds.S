/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the guest kernel is laid out as a part of a module (ld -r): the four
 * sections that any module has, and in them the tables of a kernel between the
 * symbols that its code expects. Nothing keeps a name by which the host's module
 * loader would take it for the host's own: that would patch it (alternatives,
 * static keys), free it (.init) or export it. Only the exception table stays what
 * it is, because faults in the guest's accesses are for the host to fix up.
 *
 * Preprocessed as arch/um/kernel/vmlinux.lds.S is.
 */
#include <asm-generic/vmlinux.lds.h>
#include <asm/cache.h>
#include <asm/page.h>
#include <asm/thread_info.h>

SECTIONS
{
	.text 0 : ALIGN(64) {
		__binary_start = .;
		_text = .;
		_stext = .;
		TEXT_TEXT
		SCHED_TEXT
		LOCK_TEXT
		KPROBES_TEXT
		ENTRY_TEXT
		IRQENTRY_TEXT
		SOFTIRQENTRY_TEXT
		*(.fixup)
		__syscall_stub_start = .;
		*(.__syscall_stub*)
		__syscall_stub_end = .;
		HEAD_TEXT
		_sinittext = .;
		INIT_TEXT
		_einittext = .;
		EXIT_TEXT
		*(.text.*)
		_etext = .;
	}

	/* objtool looks for these. */
	.c_jump_table 0 : {
		*(.c_jump_table)
	}
	.discard.func_stack_frame_non_standard 0 : {
		*(.discard.func_stack_frame_non_standard)
	}

	.rodata 0 : ALIGN(64) {
		__start_rodata = .;
		*(.rodata) *(.rodata.*) *(.data.rel.ro*)
		SCHED_DATA
		*(.init.rodata .init.rodata.*)
		*(.ref.rodata)
		. = ALIGN(8);
		BOUNDED_SECTION_PRE_LABEL(.builtin_fw, _builtin_fw, __start, __end)
		__start_notes = .;
		__stop_notes = .;
		__end_rodata = .;
	}

	/* Parts of it are constant, but only once the guest has started. */
	.data 0 : ALIGN(PAGE_SIZE) {
		_sdata = .;
		INIT_TASK_DATA(THREAD_SIZE)
		. = ALIGN(THREAD_SIZE);
		*(.data..init_irqstack)
		NOSAVE_DATA
		PAGE_ALIGNED_DATA(PAGE_SIZE)
		CACHELINE_ALIGNED_DATA(L1_CACHE_BYTES)
		READ_MOSTLY_DATA(L1_CACHE_BYTES)
		DATA_DATA
		RO_AFTER_INIT_DATA
		__per_cpu_load = .;
		PERCPU_INPUT(L1_CACHE_BYTES)
		. = ALIGN(8);
		BOUNDED_SECTION_BY(__tracepoints_ptrs, ___tracepoints_ptrs)
		*(__tracepoints_strings)
		__init_begin = .;
		INIT_DATA
		INIT_SETUP(16)
		INIT_CALLS
		CON_INITCALL
		INIT_RAM_FS
		STRUCT_ALIGN();
		BOUNDED_SECTION_BY(__param, ___param)
		STRUCT_ALIGN();
		BOUNDED_SECTION_BY(__modver, ___modver)
		. = ALIGN(16);
		__uml_setup_start = .;
		*(.uml.setup.init)
		__uml_setup_end = .;
		__uml_help_start = .;
		*(.uml.help.init)
		__uml_help_end = .;
		__uml_postsetup_start = .;
		*(.uml.postsetup.init)
		__uml_postsetup_end = .;
		__exitcall_begin = .;
		*(.exitcall.exit)
		__exitcall_end = .;
		__uml_exitcall_begin = .;
		*(.uml.exitcall.exit)
		__uml_exitcall_end = .;
		EXIT_DATA
		__init_end = .;
		*(.unprotected)
		*(.data.*)
		_edata = .;
	}

	.bss 0 : ALIGN(PAGE_SIZE) {
		__bss_start = .;
		*(.bss..page_aligned)
		. = ALIGN(PAGE_SIZE);
		*(.dynbss) *(.bss .bss.*) *(COMMON)
		. = ALIGN(8);
		__bss_stop = .;
		_end = .;
	}

	__ex_table 0 : ALIGN(4) {
		BOUNDED_SECTION_BY(__ex_table, ___ex_table)
	}

	jiffies = jiffies_64;

	/DISCARD/ : {
		COMMON_DISCARDS
		*(.altinstructions) *(.altinstr_replacement)
		*(__ksymtab*) *(___ksymtab*) *(___kcrctab*) *(.kstrtab)
		*(.note.*) *(.comment) *(.eh_frame)
	}
}
