// SPDX-License-Identifier: GPL-2.0
/* A guest's memory: its life, its processes, and who dies when it is used up. */
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "kmod/compat/mm.h"
#include "kmod/hooks.h"
#include "kmod/mm-guest.h"

/*
 * How long a killed process may take to exit before another one is killed: longer than it waits for
 * a CPU on a busy machine.
 */
#define VICTIM_PATIENCE	(20 * HZ)

/* All guests, for the shrinker. */
static DEFINE_XARRAY_ALLOC(guests);
static struct compat_shrinker shrinker;

/* ---- the host is short of memory ---- */

static unsigned long spare(struct pool *pool)
{
	unsigned long held = pool_current(pool), min = READ_ONCE(pool->min_pages);

	return held > min ? min(held - min, pool_stat(pool, PS_RESIDENT)) : 0;
}

/*
 * The guest with the least id from *@id on, which then is its id; NULL at the end.  It is held
 * until guest_unlook(), without a lock: the shrinker may run in the middle of any allocation, and
 * several threads at once, each of which needs pages lest the host kills for want of them.
 */
static struct mm_guest *guest_look(unsigned long *id)
{
	struct mm_guest *mg;

	rcu_read_lock();
	for (mg = xa_find(&guests, id, ULONG_MAX, XA_PRESENT);
	     mg && !refcount_inc_not_zero(&mg->lookers);
	     mg = xa_find_after(&guests, id, ULONG_MAX, XA_PRESENT))
		;
	rcu_read_unlock();
	return mg;
}

static void guest_unlook(struct mm_guest *mg)
{
	if (refcount_dec_and_test(&mg->lookers))
		complete(&mg->unseen);
}

static unsigned long shrink_count(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long id = 0, pages = 0;
	struct mm_guest *mg;

	for (; (mg = guest_look(&id)); id++) {
		pages += spare(mg->pool);
		guest_unlook(mg);
	}
	return pages ? pages : SHRINK_EMPTY;
}

static unsigned long shrink_scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long id = 0, freed = 0;
	struct mm_guest *mg;

	/* Unmapping waits for locks that file systems and block drivers allocate under. */
	if (!(sc->gfp_mask & __GFP_FS) || !(sc->gfp_mask & __GFP_IO))
		return SHRINK_STOP;
	for (; freed < sc->nr_to_scan && (mg = guest_look(&id)); id++) {
		freed += pool_reclaim(mg->pool, min(spare(mg->pool), sc->nr_to_scan - freed));
		guest_unlook(mg);
	}
	return freed ? freed : SHRINK_STOP;
}

/* ---- processes ---- */

/* The mm of a process, also when its first thread has exited already; for comparing only. */
static struct mm_struct *process_mm(struct task_struct *process)
{
	struct mm_struct *mm = NULL;
	struct task_struct *t;

	for_each_thread(process, t) {
		mm = READ_ONCE(t->mm);
		if (mm && !(t->flags & PF_KTHREAD))
			break;
		mm = NULL;
	}
	return mm;
}

static bool is_process_of(struct task_struct *process, struct mm_guest *mg)
{
	struct exec_ticket *t;
	struct mm_space *ms;
	bool found = false;

	if (!hooks_marked(process))
		return false;
	/* Under the lock, whoever has no ticket has a space. */
	spin_lock(&mg->execs_lock);
	list_for_each_entry(t, &mg->execs, link)
		found |= t->process == process->signal;
	ms = found ? NULL : mm_space_find(process_mm(process));
	spin_unlock(&mg->execs_lock);
	if (!ms)
		return found;
	found = ms->mg == mg;
	mm_space_put_later(ms);
	return found;
}

/*
 * The guest's pids as the running task sees them; Return: how many there are,
 * though only @max are noted.
 */
static unsigned int list_pids(struct mm_guest *mg, pid_t *pids, unsigned int max)
{
	struct task_struct *p;
	unsigned int n = 0;

	rcu_read_lock();
	for_each_process(p) {
		pid_t pid = task_tgid_vnr(p);

		if (!pid || !is_process_of(p, mg))
			continue;
		if (n < max)
			pids[n] = pid;
		n++;
	}
	rcu_read_unlock();
	return n;
}

int mm_guest_procs(struct guest *guest, void (*emit)(void *arg, pid_t pid), void *arg)
{
	struct mm_guest *mg = guest->mm;
	unsigned int i, n, max = 64;
	pid_t *pids;

	for (;;) {
		pids = kvmalloc_array(max, sizeof(*pids), GFP_KERNEL);
		if (!pids)
			return -ENOMEM;
		n = list_pids(mg, pids, max);
		if (n <= max)
			break;
		kvfree(pids);
		max = n + n / 4;
	}
	for (i = 0; i < n; i++)
		emit(arg, pids[i]);
	kvfree(pids);
	return 0;
}

/* Does a process other than the running one use its mm (a vfork child's parent)? */
static bool mm_is_shared(void)
{
	struct task_struct *p;
	bool shared = false;

	rcu_read_lock();
	for_each_process(p)
		if (!same_thread_group(p, current) && process_mm(p) == current->mm)
			shared = true;
	rcu_read_unlock();
	return shared;
}

/* Does the process have another thread?  One that was joined may still be on its way out. */
static bool has_threads(void)
{
	struct task_struct *t;
	bool others = false;

	rcu_read_lock();
	for_each_thread(current, t)
		others |= t != current && !(READ_ONCE(t->flags) & PF_EXITING);
	rcu_read_unlock();
	return others;
}

int mm_guest_bind(struct guest *guest)
{
	struct mm_guest *mg = guest->mm;
	struct mm_space *ms;
	unsigned long anchor;
	struct file *file;

	if (hooks_marked(current))
		return -EBUSY;
	/* A thread that is being made just now would not carry the mark. */
	if (has_threads() || mm_is_shared())
		return -EAGAIN;
	ms = mm_space_create(mg, &file);
	if (IS_ERR(ms))
		return PTR_ERR(ms);
	mm_space_publish(ms, current->mm);
	mutex_lock(&ms->layout);
	anchor = mapping_map(ms, 0, PAGE_SIZE, PROT_NONE, 0, NULL);
	if (!IS_ERR_VALUE(anchor)) {
		ms->anchor = anchor;
		hooks_mark(current);
	}
	mutex_unlock(&ms->layout);
	fput(file);
	return IS_ERR_VALUE(anchor) ? (int)anchor : 0;
}

/* ---- memory is used up ---- */

/* Return: how many processes of the space were killed. */
static unsigned int kill_processes(struct mm_guest *mg, struct mm_space *ms)
{
	struct pool *pool = mg->pool;
	struct tier *tier = pool->tiers[TIER_STORE];
	unsigned long store = tier ? tier_ops_of(TIER_STORE)->used_pages(tier) : 0;
	struct task_struct *p;
	unsigned int n = 0;

	rcu_read_lock();
	for_each_process(p) {
		if (process_mm(p) != ms->mm)
			continue;
		pr_warn("lodge: %s: out of memory: killed process %d (%s): %lu KiB of %lu KiB limit, pool holds %lu KiB: resident %lu, store %lu, tables %lu\n",
			mg->guest->name, task_tgid_nr(p), p->comm,
			atomic_long_read(&ms->space.pages) << (PAGE_SHIFT - 10),
			pool->limit << (PAGE_SHIFT - 10),
			pool_current(pool) << (PAGE_SHIFT - 10),
			pool_stat(pool, PS_RESIDENT) << (PAGE_SHIFT - 10),
			store << (PAGE_SHIFT - 10), pool_stat(pool, PS_METADATA) >> 10);
		/* Before it ends: who waits for it may look at once. */
		if (!n++)
			pool_event(pool, PE_OOM_KILL);
		send_sig(SIGKILL, p, 1);
	}
	rcu_read_unlock();
	return n;
}

/*
 * The space with the most pages whose processes live, with a reference; NULL: there is none.
 * @waiting gets whether a space is on its way out.
 */
static struct mm_space *largest_space(struct mm_guest *mg, bool *waiting)
{
	struct mm_space *ms, *best = NULL;
	unsigned long id;

	*waiting = false;
	rcu_read_lock();
	xa_for_each(&mg->spaces, id, ms) {
		if (READ_ONCE(ms->doomed)) {
			*waiting = true;
			continue;
		}
		if (best &&
		    atomic_long_read(&ms->space.pages) <= atomic_long_read(&best->space.pages))
			continue;
		if (!refcount_inc_not_zero(&ms->refs))
			continue;
		if (best)
			mm_space_put_later(best);
		best = ms;
	}
	rcu_read_unlock();
	return best;
}

bool backend_oom(struct pool *pool)
{
	struct mm_guest *mg = pool->owner;
	struct mm_space *ms;
	bool waiting, killed = false;

	/* One who decides is enough; the others wait for the memory. */
	if (!mutex_trylock(&mg->oom_lock))
		return true;
	while (!killed) {
		ms = largest_space(mg, &waiting);
		if (!ms || (waiting && time_before(jiffies, mg->patience))) {
			killed = waiting;
			if (ms)
				mm_space_put_later(ms);
			break;
		}
		/*
		 * A space without a process is one that somebody else looks into:
		 * nobody dies for it.
		 */
		WRITE_ONCE(ms->doomed, true);
		killed = kill_processes(mg, ms);
		if (killed)
			mg->patience = jiffies + VICTIM_PATIENCE;
		mm_space_put_later(ms);
	}
	mutex_unlock(&mg->oom_lock);
	return killed;
}

void backend_event(struct pool *pool)
{
	struct mm_guest *mg = pool->owner;

	guest_notify(mg->guest);
}

/* ---- life ---- */

bool mm_guest_busy(struct guest *guest)
{
	struct mm_guest *mg = guest->mm;

	return atomic_read(&mg->users);
}

void mm_guest_unuse(struct mm_guest *mg)
{
	struct guest *guest = mg->guest;

	/* Once the count is zero the guest may be destroyed beside us; its struct guest stays. */
	guest_get(guest);
	if (atomic_dec_and_test(&mg->users))
		guest_idle(guest);
	guest_put(guest);
}

int mm_guest_create(struct guest *guest)
{
	struct mm_guest *mg = kzalloc(sizeof(*mg), GFP_KERNEL);
	int err;

	if (!mg)
		return -ENOMEM;
	mg->guest = guest;
	xa_init_flags(&mg->spaces, XA_FLAGS_ALLOC1);
	INIT_LIST_HEAD(&mg->execs);
	spin_lock_init(&mg->execs_lock);
	mutex_init(&mg->oom_lock);
	guest->mm = mg;
	mg->inode = mm_space_new_inode(guest);
	if (IS_ERR(mg->inode)) {
		err = PTR_ERR(mg->inode);
		goto err_free;
	}
	err = pool_create(&mg->pool, guest->name, mg, totalram_pages());
	if (err)
		goto err_inode;
	err = hooks_get();
	if (err)
		goto err_pool;
	guest->pool = mg->pool;
	refcount_set(&mg->lookers, 1);
	init_completion(&mg->unseen);
	err = xa_alloc(&guests, &mg->id, mg, xa_limit_31b, GFP_KERNEL);
	if (err)
		goto err_hooks;
	return 0;

err_hooks:
	hooks_put();
err_pool:
	guest->pool = NULL;
	pool_destroy(mg->pool);
err_inode:
	iput(mg->inode);
err_free:
	guest->mm = NULL;
	kfree(mg);
	return err;
}

void mm_guest_destroy(struct guest *guest)
{
	struct mm_guest *mg = guest->mm;

	xa_erase(&guests, mg->id);
	guest_unlook(mg);
	wait_for_completion(&mg->unseen);
	hooks_put();
	guest->pool = NULL;
	pool_destroy(mg->pool);
	iput(mg->inode);
	xa_destroy(&mg->spaces);
	guest->mm = NULL;
	kfree_rcu(mg, rcu);
}

int __init mm_guest_init(void)
{
	int err = space_module_init();

	if (err)
		return err;
	err = mm_space_init();
	if (err)
		goto err_space;
	err = syscalls_init();
	if (err)
		goto err_mm_space;
	err = compat_shrinker_register(&shrinker, "lodge", shrink_count, shrink_scan);
	if (err)
		goto err_syscalls;
	return 0;

err_syscalls:
	syscalls_exit();
err_mm_space:
	mm_space_exit();
err_space:
	space_module_exit();
	return err;
}

void mm_guest_exit(void)
{
	compat_shrinker_unregister(&shrinker);
	syscalls_exit();
	mm_space_exit();
	space_module_exit();
}
