// SPDX-License-Identifier: GPL-2.0
/* Starting and ending: where memory is, and what of linux_main() is different in a module. */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <asm/elf.h>
#include <asm/sections.h>
#include <as-layout.h>
#include <arch.h>
#include <kern.h>
#include <kern_util.h>
#include <mem_user.h>
#include <os.h>

#include "host.h"

struct lodge_instance *host;

/* It is not a file: what asks for it is answered from the address alone. */
#define MEMORY_FD	(-2)

static struct lodge_memory memory;

int __init linux_main(int argc, char **argv);
extern long long physmem_size;
extern u32 main_extable_sort_needed;

/* ---- memory ---- */

/*
 * linux_main() calls this last, when it has derived a layout from where a program's heap would be.
 * Physical memory is what the host gave us, and does not hold the kernel's image; its first pages
 * are the stack that we are on, and room for that to overflow into.
 */
void os_flush_stdout(void)
{
	physmem_size = memory.size;
	highmem = 0;
	iomem_size = 0;
	uml_physmem = memory.base;
	uml_reserved = memory.base + 2 * THREAD_SIZE;
	high_physmem = uml_physmem + physmem_size;
	end_iomem = high_physmem;
	high_memory = (void *)end_iomem;
	start_vm = VMALLOC_START;
	end_vm = memory.end;
}

/* At first linux_main() compares it with the end of the image: it is to see no gap. */
void *sbrk(int increment)
{
	if (!uml_physmem)
		return &_end;
	return (void *)(memory.base + 2 * THREAD_SIZE);
}

int create_mem_file(unsigned long long size)
{
	return MEMORY_FD;
}

static bool is_physical(unsigned long address)
{
	return address >= memory.base && address < memory.base + memory.size;
}

int os_map_memory(void *address, int fd, unsigned long long offset, unsigned long length,
		  int r, int w, int x)
{
	/* It is there as soon as it is touched. */
	if (!length || is_physical((unsigned long)address))
		return 0;
	return lodge_kernel_map(host, (unsigned long)address, offset, length);
}

int os_unmap_memory(void *address, int length)
{
	return lodge_kernel_unmap(host, (unsigned long)address, length);
}

int os_protect_memory(void *address, unsigned long length, int r, int w, int x)
{
	return 0;
}

int os_drop_memory(void *address, int length)
{
	return lodge_memory_drop(host, (unsigned long)address, length);
}

int can_drop_memory(void)
{
	return 1;
}

unsigned long __init os_get_top_address(void)
{
	/* Three levels of page tables, and a program's mapping in the host's. */
	return (1UL << 39) - PAGE_SIZE;
}

/* Stacks are ordinary memory, which nobody has to make executable. */
void stack_protections(unsigned long address)
{
}

/* What AT_HWCAP tells programs: the processor's own words. */
long elf_aux_hwcap;

static long __init hwcap(void)
{
	unsigned int eax = 1, ebx, ecx, edx;

	asm volatile("cpuid" : "+a" (eax), "=b" (ebx), "=c" (ecx), "=d" (edx));
	return edx;
}

/* ---- what the host can do: lodge.ko has seen to it ---- */

void __init os_early_checks(void)
{
}

void __init os_check_bugs(void)
{
}

void __init get_host_cpu_features(void (*flags)(char *line), void (*cache)(char *line))
{
}

int __init parse_iomem(char *text, int *add)
{
	return 1;
}

/* ---- the beginning ---- */

static void __init start(struct lodge_instance *instance, const struct lodge_memory *given,
			 int argc, char **argv)
{
	struct thread_info *info = (struct thread_info *)(given->base + THREAD_SIZE);

	host = instance;
	elf_aux_hwcap = hwcap();
	/* Nobody has to wait for ticks to learn that: a turn of its loop takes a cycle or more. */
	preset_lpj = lodge_cpu_khz() * (1000 / HZ);
	memory = *given;
	/* The image is not where stacks can be: they are found by their alignment. */
	*info = init_thread_info;
	init_task.stack = info;
	/* The host has sorted it with all of the module's, and it cannot be written. */
	main_extable_sort_needed = 0;
	linux_main(argc, argv);
}

const struct lodge_guest_ops guest_ops = {
	.size = sizeof(guest_ops),
	.stack_size = THREAD_SIZE,
	.start = start,
	.lookup = lookup_page,
	.pending = &pending_interrupts,
	.enabled = &signals_enabled,
	.interrupt = interrupt_kernel,
	.data = _sdata,
	.data_end = _edata,
	.bss = __bss_start,
	.bss_end = __bss_stop,
};

/* ---- the end ---- */

/* None comes back, but who calls them was compiled without knowing it, and objtool wants to. */
void halt_skas(void)
{
	lodge_end(host, LODGE_END_HALT, uml_exitcode, NULL);
}

void reboot_skas(void)
{
	lodge_end(host, LODGE_END_REBOOT, 0, NULL);
}

void exit(int code)
{
	lodge_end(host, LODGE_END_HALT, code, NULL);
}

static char panic_text[96];

static int note_panic(struct notifier_block *block, unsigned long event, void *text)
{
	strscpy(panic_text, text, sizeof(panic_text));
	return NOTIFY_DONE;
}

/* Before arch/um's, which ends the guest. */
static struct notifier_block panic_block = {
	.notifier_call = note_panic,
	.priority = INT_MAX,
};

static int __init notice_panics(void)
{
	return atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
}
early_initcall(notice_panics);

void os_dump_core(void)
{
	lodge_end(host, LODGE_END_PANIC, 1, panic_text);
	for (;;)
		cpu_relax();
}
