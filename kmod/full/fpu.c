// SPDX-License-Identifier: GPL-2.0
/* Registers that live in the host thread: floating point, and the bases of segments. */
#include <linux/export.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/fsgsbase.h>
#include <asm/msr.h>

#include "kmod/compat/segment.h"
#include "kmod/full/instance.h"

/* Exported by the kernel, and in no header of it. */
extern unsigned int mxcsr_feature_mask;

/* What a guest's signal frames hold: x87, SSE, AVX. */
#define FRAME_FEATURES	(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM)
#define AREA_MIN	832UL

/* From here to registers_end() the running task's registers are the processor's. */
static void registers_begin(void)
{
	fpregs_lock();
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
}

static void registers_end(void)
{
	fpregs_unlock();
}

static void load(struct xregs_state *area, u64 features)
{
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		asm volatile("xrstor64 %0" : : "m" (*area), "a" ((u32)features),
			     "d" ((u32)(features >> 32)) : "memory");
	else
		asm volatile("fxrstor64 %0" : : "m" (area->i387) : "memory");
}

static void save(struct xregs_state *area, u64 features)
{
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		asm volatile("xsave64 %0" : "+m" (*area) : "a" ((u32)features),
			     "d" ((u32)(features >> 32)) : "memory");
	else
		asm volatile("fxsave64 %0" : "+m" (area->i387));
}

/** fpu_reset - the running thread's registers are as after exec */
void fpu_reset(void)
{
	struct xregs_state area __aligned(64);

	memset(&area, 0, sizeof(area));
	area.i387.cwd = 0x37f;
	area.i387.mxcsr = MXCSR_DEFAULT;
	area.header.xfeatures = XFEATURE_MASK_FPSSE;
	registers_begin();
	/* All others that programs may have, but protection keys, have no bit and are cleared. */
	load(&area, boot_cpu_has(X86_FEATURE_OSXSAVE) ?
	     xgetbv(XCR_XFEATURE_ENABLED_MASK) & ~XFEATURE_MASK_PKRU : 0);
	registers_end();
}

/** lodge_fp_save - see lodge-host.h */
void lodge_fp_save(struct lodge_instance *inst, struct lodge_thread *ht, void *area,
		   unsigned long size)
{
	u8 buffer[AREA_MIN + 64];
	struct xregs_state *aligned = PTR_ALIGN((void *)buffer, 64);

	if (WARN_ON_ONCE(size < AREA_MIN))
		return;
	thread_move(ht);
	memset(buffer, 0, sizeof(buffer));
	registers_begin();
	save(aligned, FRAME_FEATURES);
	registers_end();
	memcpy(area, aligned, AREA_MIN);
}
EXPORT_SYMBOL_GPL(lodge_fp_save);

/** lodge_fp_load - see lodge-host.h */
void lodge_fp_load(struct lodge_instance *inst, struct lodge_thread *ht, void *area,
		   unsigned long size)
{
	u8 buffer[AREA_MIN + 64];
	struct xregs_state *aligned = PTR_ALIGN((void *)buffer, 64);

	if (WARN_ON_ONCE(size < AREA_MIN))
		return;
	thread_move(ht);
	memset(buffer, 0, sizeof(buffer));
	memcpy(aligned, area, AREA_MIN);
	/* The processor faults on what it does not know, and a program has written this. */
	aligned->i387.mxcsr &= mxcsr_feature_mask;
	if (boot_cpu_has(X86_FEATURE_OSXSAVE))
		aligned->header.xfeatures &= FRAME_FEATURES & xgetbv(XCR_XFEATURE_ENABLED_MASK);
	aligned->header.xcomp_bv = 0;
	memset(aligned->header.reserved, 0, sizeof(aligned->header.reserved));
	registers_begin();
	load(aligned, FRAME_FEATURES);
	registers_end();
}
EXPORT_SYMBOL_GPL(lodge_fp_load);

/* ---- segments ---- */

static bool is_canonical(unsigned long base)
{
	return (long)base >> 47 == 0;
}

/**
 * segments_load - set the bases that the running thread has in user mode
 * @ht: the running thread
 * @fs_base: a program's choice
 * @gs_base: the same
 */
void segments_load(struct lodge_thread *ht, unsigned long fs_base, unsigned long gs_base)
{
	ht->fs_base = fs_base;
	ht->gs_base = gs_base;
	/* The processor faults on others; a program that uses such a base would. */
	if (!is_canonical(fs_base))
		fs_base = 0;
	if (!is_canonical(gs_base))
		gs_base = 0;
	preempt_disable();
	loadsegment(fs, 0);
	current->thread.fsindex = 0;
	current->thread.fsbase = fs_base;
	wrmsrl(MSR_FS_BASE, fs_base);
	load_gs_index(0);
	current->thread.gsindex = 0;
	current->thread.gsbase = gs_base;
	wrmsrl(MSR_KERNEL_GS_BASE, gs_base);
	preempt_enable();
}

/**
 * segments_save - what the running thread has made of its bases itself
 * @ht: the running thread
 * @bases: where to put fs's and gs's
 */
void segments_save(struct lodge_thread *ht, unsigned long *bases)
{
	/* Without the instructions for it, it cannot have changed them. */
	if (static_cpu_has(X86_FEATURE_FSGSBASE))
		ht->fs_base = rdfsbase();
	bases[0] = ht->fs_base;
	bases[1] = ht->gs_base;
}
