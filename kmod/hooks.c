// SPDX-License-Identifier: GPL-2.0
/*
 * Call hooks: the table, its look-up, and how ftrace is told.
 *
 * All functions share one trampoline (hooks-stub.S), which is handed to ftrace as
 * a direct call. A function has room for one direct call; where somebody else
 * (a BPF program, say) has it, that function alone is redirected by an ordinary
 * ftrace handler, which costs more but can be shared.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "compat/ftrace.h"
#include "hooks.h"
#include "hooks-stub.h"
#include "kmod/patch.h"

static_assert(offsetof(struct task_struct, thread_info) +
	      offsetof(struct thread_info, syscall_work) == HOOKS_SYSCALL_WORK);

#define SLOT_BITS	10
#define NO_ROW		HOOKS_MAX

struct row {
	unsigned long ip;	/* where the function goes on behind its fentry */
	hook_fn handler;
};

/*
 * The dispatcher finds the row of a function by its address: slots[] is a hash
 * without collisions, for which hooks_init() searches a factor. The row behind
 * the last one matches nothing.
 */
static struct row rows[HOOKS_MAX + 1] __ro_after_init;
static const char *names[HOOKS_MAX] __ro_after_init;
static u8 slots[1 << SLOT_BITS] __ro_after_init;
static u32 slot_factor __ro_after_init;
static unsigned int nr_rows __ro_after_init;

/* Rows that ftrace holds in one registration: all, if nobody else is around. */
struct span {
	struct list_head list;
	struct ftrace_ops ops;
	unsigned int first;
	enum { SPAN_REFUSED, SPAN_DIRECT, SPAN_REDIRECT } state;
};

static LIST_HEAD(spans);	/* under the lock of hooks */

/*
 * Handlers that run. Each CPU counts what entered minus what left on it, so only
 * the sum means something, and only once no new handler can start.
 */
static DEFINE_PER_CPU(long, in_flight);

static __always_inline unsigned int slot_of(unsigned long ip)
{
	return ((u32)ip * slot_factor) >> (32 - SLOT_BITS);
}

/**
 * hooks_dispatch - run the handler of a hooked function
 * @regs: the function's first argument
 * @ip: where the function goes on behind its fentry
 * @ax: the accumulator at the function's entry
 *
 * Return: the result of the system call.
 */
__visible notrace long hooks_dispatch(struct pt_regs *regs, unsigned long ip,
				      unsigned long ax)
{
	const struct row *row = &rows[slots[slot_of(ip)]];
	long ret;

	this_cpu_inc(in_flight);
	if (likely(row->ip == ip))
		ret = row->handler(regs, ip);
	else /* A kprobe has sent the call elsewhere: error injection does. */
		ret = hooks_call_redirected(regs, ip, ax);
	this_cpu_dec(in_flight);
	return ret;
}

/**
 * hooks_dispatch_row - run the handler of a function hooked by redirection
 * @regs: the function's first argument
 * @index: its row
 *
 * Return: the result of the system call.
 */
__visible notrace long hooks_dispatch_row(struct pt_regs *regs,
					  unsigned int index)
{
	return hooks_dispatch(regs, rows[index].ip, 0);
}

long hooks_call(const char *symbol, struct pt_regs *regs)
{
	unsigned int i;

	for (i = 0; i < nr_rows; i++)
		if (!strcmp(names[i], symbol))
			return hooks_call_original(regs, rows[i].ip);
	return -ENOENT;
}

long hooks_call_final(struct pt_regs *regs, unsigned long ip)
{
	this_cpu_dec(in_flight);
	return hooks_call_original(regs, ip);
}

static notrace void redirect(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct span *span = container_of(ops, struct span, ops);

	if (hooks_marked(current))
		compat_ftrace_set_ip(fregs, (unsigned long)hooks_entries +
					    span->first * HOOKS_ENTRY_SIZE);
}

static struct span *new_span(unsigned int first, unsigned int n)
{
	unsigned long ips[HOOKS_MAX];
	struct span *span;
	unsigned int i;

	span = kzalloc(sizeof(*span), GFP_KERNEL);
	if (!span)
		return NULL;
	for (i = 0; i < n; i++)
		ips[i] = rows[first + i].ip - MCOUNT_INSN_SIZE;
	if (ftrace_set_filter_ips(&span->ops, ips, n, 0, 1)) {
		ftrace_free_filter(&span->ops);
		kfree(span);
		return NULL;
	}
	span->first = first;
	/* Even a refused one was in ftrace's list: free it only at the end. */
	list_add(&span->list, &spans);
	return span;
}

static int arm_direct(unsigned int first, unsigned int n)
{
	struct span *span = new_span(first, n);
	int ret;

	if (!span)
		return -ENOMEM;
	ret = compat_register_direct(&span->ops, (unsigned long)hooks_trampoline);
	if (!ret)
		span->state = SPAN_DIRECT;
	return ret;
}

static int arm_redirect(unsigned int index)
{
	struct span *span = new_span(index, 1);
	unsigned int tries = 50;
	int ret;

	if (!span)
		return -ENOMEM;
	span->ops.func = redirect;
	span->ops.flags |= FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT;

	/* -EAGAIN: the direct call's owner is just changing it. */
	do {
		ret = register_ftrace_function(&span->ops);
	} while (ret == -EAGAIN && --tries);

	if (ret) {
		pr_err("%s is held by another user and cannot be hooked (%d)\n",
		       names[index], ret);
		return ret == -EAGAIN ? -EBUSY : ret;
	}
	span->state = SPAN_REDIRECT;
	pr_info("%s is shared with another user: hooked the slower way\n",
		names[index]);
	return 0;
}

/* Halves what is refused until the functions that others hold stand alone. */
static int arm_rows(unsigned int first, unsigned int n)
{
	unsigned int half = n / 2;
	int ret;

	ret = arm_direct(first, n);
	if (ret != -EBUSY)
		return ret;
	if (n == 1)
		return arm_redirect(first);
	ret = arm_rows(first, half);
	if (ret)
		return ret;
	return arm_rows(first + half, n - half);
}

static int arm(void)
{
	return nr_rows ? arm_rows(0, nr_rows) : 0;
}

static void disarm(void)
{
	struct span *span;
	int ret;

	list_for_each_entry(span, &spans, list) {
		ret = 0;
		if (span->state == SPAN_DIRECT)
			ret = compat_unregister_direct(&span->ops,
						       (unsigned long)hooks_trampoline);
		else if (span->state == SPAN_REDIRECT)
			ret = unregister_ftrace_function(&span->ops);
		WARN_ON_ONCE(ret);
	}
}

static void forget_spans(void)
{
	struct span *span, *next;

	list_for_each_entry_safe(span, next, &spans, list) {
		list_del(&span->list);
		ftrace_free_filter(&span->ops);
		kfree(span);
	}
}

DEFINE_PATCH(hooks, arm, disarm, forget_spans);

int hooks_get(void)
{
	return patch_get(&hooks);
}

void hooks_put(void)
{
	patch_put(&hooks);
}

static bool __init try_factor(u32 factor)
{
	unsigned int i;
	u8 *slot;

	slot_factor = factor;
	memset(slots, NO_ROW, sizeof(slots));
	for (i = 0; i < nr_rows; i++) {
		slot = &slots[slot_of(rows[i].ip)];
		if (*slot != NO_ROW)
			return false;
		*slot = i;
	}
	return true;
}

/*
 * 64 rows find a factor after a few dozen tries. Two rows with the same address
 * find none, ever.
 */
static int __init build_slots(void)
{
	u32 factor = 0x9e3779b1;
	unsigned int i, j;

	for (i = 0; i < nr_rows; i++) {
		for (j = 0; j < i; j++) {
			if (rows[i].ip == rows[j].ip) {
				pr_err("%s and %s are one function\n",
				       names[j], names[i]);
				return -EINVAL;
			}
		}
	}
	for (i = 0; i < 100000; i++, factor = factor * 1664525 + 1013904224)
		if (try_factor(factor))
			return 0;
	return -EINVAL;
}

/* A kprobe that is never armed: its registration finds the fentry of a symbol. */
static int __init look_up(const struct hook *hook, struct kprobe *kp)
{
	int ret;

	kp->symbol_name = hook->symbol;
	kp->flags = KPROBE_FLAG_DISABLED;
	ret = register_kprobe(kp);
	if (ret)
		return ret == -ENOMEM ? ret : -ENOENT;
	return kp->flags & KPROBE_FLAG_FTRACE ? 0 : -ENOENT;
}

int __init hooks_init(const struct hook *table, unsigned int n)
{
	struct kprobe *probes, **registered;
	unsigned int i, nr_registered = 0;
	int ret = 0;

	if (n > HOOKS_MAX)
		return -EINVAL;
	probes = kcalloc(n, sizeof(*probes), GFP_KERNEL);
	registered = kcalloc(n, sizeof(*registered), GFP_KERNEL);
	if (!probes || !registered) {
		ret = -ENOMEM;
		goto out_free;
	}

	nr_rows = 0;
	for (i = 0; i < n; i++) {
		ret = look_up(&table[i], &probes[i]);
		if (probes[i].addr)
			registered[nr_registered++] = &probes[i];
		if (ret == -ENOENT && table[i].optional)
			continue;
		if (ret) {
			pr_err("%s cannot be hooked: no such function, or it cannot be traced\n",
			       table[i].symbol);
			goto out_unregister;
		}
		rows[nr_rows].ip = (unsigned long)probes[i].addr + MCOUNT_INSN_SIZE;
		rows[nr_rows].handler = table[i].handler;
		names[nr_rows] = table[i].symbol;
		nr_rows++;
	}
	ret = build_slots();

out_unregister:
	unregister_kprobes(registered, nr_registered);
out_free:
	kfree(registered);
	kfree(probes);
	return ret;
}

static long handlers_in_flight(void)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(in_flight, cpu);
	return sum;
}

/*
 * Who can still be in module text once nothing is armed? A task between a fentry
 * and the counter, which has not slept since and so is waited for by patch_exit();
 * from then on the sum of the counters only falls. A task in a handler, for as long
 * as that sum is not zero. A task between the counter and the return from the
 * dispatcher, which has not slept either.
 */
void hooks_exit(void)
{
	unsigned long start = jiffies;

	patch_exit(&hooks);
	while (handlers_in_flight()) {
		if (time_after(jiffies, start + 30 * HZ)) {
			pr_warn("waiting for %ld system calls to return\n",
				handlers_in_flight());
			start = jiffies;
		}
		msleep(20);
	}
	synchronize_rcu_tasks();
}
