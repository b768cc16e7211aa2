// SPDX-License-Identifier: GPL-2.0
/*
 * Programs: into user mode and back, and their address spaces.
 *
 * Page tables are ours alone; what the host has mapped of them is brought up to date before a
 * program runs on.
 */
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/string.h>
#include <asm/processor-flags.h>
#include <asm/tlbflush.h>
#include <asm/user.h>
#include <kern_util.h>
#include <mm_id.h>
#include <os.h>
#include <registers.h>
#include <skas.h>

#include "host.h"

/* mm_id's pid is the number of the address space. */
int userspace_pid[NR_CPUS];

void __switch_mm(struct mm_id *mm)
{
	userspace_pid[0] = mm->pid;
}

/* ---- page tables ---- */

static pte_t *find_entry(pgd_t *pgd, unsigned long address)
{
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd;

	if (address >= TASK_SIZE)
		return NULL;
	pgd += pgd_index(address);
	p4d = p4d_offset(pgd, address);
	if (!p4d_present(*p4d))
		return NULL;
	pud = pud_offset(p4d, address);
	if (!pud_present(*pud))
		return NULL;
	pmd = pmd_offset(pud, address);
	if (!pmd_present(*pmd))
		return NULL;
	return pte_offset_kernel(pmd, address);
}

/* What the host may do with an entry: what it does not do comes back as a fault, for accounting. */
static unsigned long host_entry(pte_t pte)
{
	unsigned long entry = pte_val(pte) & PAGE_MASK;

	if (!pte_present(pte) || !pte_young(pte) || !pte_read(pte))
		return 0;
	entry |= LODGE_PTE_READ;
	if (pte_write(pte) && pte_dirty(pte))
		entry |= LODGE_PTE_WRITE;
	return entry;
}

/* On any stack, by whoever takes a fault. */
unsigned long lookup_page(void *pgd, unsigned long address)
{
	pte_t *pte = find_entry(pgd, address);

	return pte ? host_entry(*pte) : 0;
}

/* ---- bringing the host up to date ---- */

/* One mm is brought up to date at a time: what is to be zapped in it, as one range. */
static struct {
	int space;
	unsigned long start, end;
} zap;

/* Some pages more cost less than one more call; they come back by fault. */
#define ZAP_DISTANCE	(64 * PAGE_SIZE)

static void zap_flush(void)
{
	if (zap.end)
		lodge_space_unmap(host, zap.space, zap.start, zap.end - zap.start);
	zap.end = 0;
}

static void zap_add(int space, unsigned long start, unsigned long end)
{
	if (zap.end && (zap.space != space || start > zap.end + ZAP_DISTANCE ||
			end + ZAP_DISTANCE < zap.start))
		zap_flush();
	if (!zap.end) {
		zap.space = space;
		zap.start = start;
		zap.end = end;
	}
	zap.start = min(zap.start, start);
	zap.end = max(zap.end, end);
}

static void update(struct mm_id *id, unsigned long address)
{
	struct mm_struct *mm = container_of(id, struct mm_struct, context.id);
	unsigned long entry = lookup_page(mm->pgd, address);

	if (lodge_space_map(host, id->pid, address, entry))
		zap_add(id->pid, address, address + PAGE_SIZE);
}

int map(struct mm_id *id, unsigned long virt, unsigned long length, int prot, int fd,
	unsigned long long offset)
{
	update(id, virt);
	return 0;
}

int protect(struct mm_id *id, unsigned long address, unsigned long length, unsigned int prot)
{
	update(id, address);
	return 0;
}

int unmap(struct mm_id *id, unsigned long address, unsigned long length)
{
	zap_add(id->pid, address, address + length);
	return 0;
}

/* Of an address space with a loose thread, nothing may be left that this takes away. */
void flush_loose(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	lodge_space_unmap(host, mm->context.id.pid, start, end - start);
}

void stop_loose(void)
{
	lodge_users_stop(host);
}

/* @fault: a page that the program is about to touch, or 0 */
static void sync_host(unsigned long fault)
{
	struct mm_id *id = &current->mm->context.id;
	bool zapped;

	current_mm_sync();
	zapped = zap.end && fault >= zap.start && fault < zap.end;
	zap_flush();
	/* It may have been reclaimed again since the fault was seen to: then it is not mapped. */
	if (zapped)
		lodge_space_map(host, id->pid, fault, lookup_page(current->mm->pgd, fault));
}

int start_userspace(unsigned long stub_stack)
{
	return lodge_space_new(host);
}

/* The end of an address space: there is no process, its pid is a number. */
void os_kill_ptraced_process(int pid, int reap)
{
	if (zap.space == pid)
		zap.end = 0;
	lodge_space_free(host, pid);
}

/* ---- threads ---- */

int host_thread_clone(struct task_struct *child)
{
	struct lodge_thread *thread = NULL;
	int err;

	err = lodge_thread_clone(host, current->thread.arch.host, &thread);
	if (!err)
		child->thread.arch.host = thread;
	return err;
}

/* Or a fork that fails before the child has a thread of its own would release the parent's. */
int arch_dup_task_struct(struct task_struct *child, struct task_struct *parent)
{
	*child = *parent;
	child->thread.arch.host = NULL;
	return 0;
}

void arch_release_task_struct(struct task_struct *task)
{
	if (task->thread.arch.host)
		lodge_thread_release(host, task->thread.arch.host);
	task->thread.arch.host = NULL;
}

void host_thread_save_fp(struct uml_pt_regs *regs)
{
	lodge_fp_save(host, current->thread.arch.host, regs->fp, sizeof(regs->fp));
}

void host_thread_load_fp(struct uml_pt_regs *regs)
{
	lodge_fp_load(host, current->thread.arch.host, regs->fp, sizeof(regs->fp));
}

/* What a thread has that has not been in user mode: the host says which segments. */
void get_safe_registers(unsigned long *regs, unsigned long *fp_regs)
{
	memset(regs, 0, sizeof(((struct uml_pt_regs *)0)->gp));
	regs[HOST_EFLAGS] = X86_EFLAGS_IF | X86_EFLAGS_FIXED;
	if (fp_regs)
		memset(fp_regs, 0, sizeof(((struct uml_pt_regs *)0)->fp));
}

/* For core dumps, and for debuggers, who get those of the wrong thread from arch/um. */
int save_i387_registers(int pid, unsigned long *fp_regs)
{
	static unsigned long area[HOST_FP_SIZE];

	lodge_fp_save(host, current->thread.arch.host, area, sizeof(area));
	memcpy(fp_regs, area, sizeof(struct user_i387_struct));
	return 0;
}

int restore_i387_registers(int pid, unsigned long *fp_regs)
{
	return -EIO;
}

/* ---- traps ---- */

static void exception(struct uml_pt_regs *regs, const struct lodge_user *user)
{
	struct siginfo info = { .si_signo = user->signal, .si_code = user->code };

	switch (user->signal) {
	case SIGSEGV:
		if (SEGV_IS_FIXABLE(&regs->faultinfo)) {
			segv_handler(SIGSEGV, &info, regs);
			break;
		}
		/* No address is to blame. */
		current->thread.arch.faultinfo = regs->faultinfo;
		force_sig(SIGSEGV);
		break;
	case SIGBUS:
		bus_handler(SIGBUS, &info, regs);
		break;
	default:
		block_signals_trace();
		relay_signal(user->signal, &info, regs);
		unblock_signals_trace();
	}
}

/* Return: the page that the program wanted, or 0. */
static unsigned long trap(struct uml_pt_regs *regs, const struct lodge_user *user)
{
	regs->is_user = 1;
	UPT_SYSCALL_NR(regs) = -1;
	switch (user->trap) {
	case LODGE_TRAP_SYSCALL:
		handle_syscall(regs);
		return 0;
	case LODGE_TRAP_INTERRUPT:
		interrupts_from_user(regs);
		return 0;
	}
	regs->faultinfo = (struct faultinfo){
		.error_code = user->error_code, .cr2 = user->cr2, .trap_no = user->trap_no,
	};
	if (user->trap == LODGE_TRAP_EXCEPTION) {
		exception(regs, user);
		return 0;
	}
	segv(regs->faultinfo, UPT_IP(regs), 1, regs);
	return user->cr2 & PAGE_MASK;
}

/*
 * What is to be done before the program runs on. If all that is that the turn of another has come,
 * the program does not wait for its own: it is loose until then.
 */
static void before_user(struct lodge_user *user, unsigned long fault)
{
	struct mm_struct *mm = current->mm;
	unsigned long flags;

	for (;;) {
		flags = read_thread_flags() & _TIF_WORK_MASK;
		if (flags & ~_TIF_NEED_RESCHED) {
			/* It comes back with its trap. */
			if (lodge_user_catch(host, user))
				return;
			interrupt_end();
			continue;
		}
		sync_host(fault);
		user->space = mm->context.id.pid;
		user->pgd = mm->pgd;
		if (!flags)
			return;
		if (lodge_user_loose(host, user)) {
			mm->context.loose = true;
			users_leave = true;
		}
		fault = 0;
		schedule();
	}
}

void userspace(struct uml_pt_regs *regs, unsigned long *aux_fp_regs)
{
	struct lodge_user user = {
		.thread = (struct lodge_thread **)&current->thread.arch.host, .regs = regs->gp,
	};
	unsigned long fault = 0;

	for (;;) {
		before_user(&user, fault);
		fault = 0;
		if (lodge_user_run(host, &user)) {
			/* It comes from a thread of the kernel, which could not be told earlier. */
			force_fatal_sig(SIGKILL);
			continue;
		}
		/* Nobody else is in this address space. */
		if (unlikely(current->mm->context.loose) &&
		    atomic_read(&current->mm->mm_users) == 1)
			current->mm->context.loose = false;
		fault = trap(regs, &user);
		/* A call that is to be restarted was ours. */
		PT_SYSCALL_NR(regs->gp) = -1;
	}
}
