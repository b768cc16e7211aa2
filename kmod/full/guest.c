// SPDX-License-Identifier: GPL-2.0
/* A full guest in the control tree: its directory there, and the account of its memory. */
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "guest-core/guest.h"
#include "guest-mm/account.h"
#include "guest-mm/control.h"
#include "kmod/control-fs.h"
#include "kmod/full/instance.h"

/**
 * struct full_guest - what such a guest is to the control tree
 * @account: of its memory
 * @inst: who it is, with @lock
 * @used: there is that one; also before it is known here
 */
struct full_guest {
	struct account account;
	struct lodge_instance *inst;
	bool used;
};

static DEFINE_MUTEX(lock);	/* protects every guest's @inst; outside of an instance's lock */

/* ---- the subsystem ---- */

static int init_guest(struct guest *guest)
{
	struct full_guest *fg = kzalloc(sizeof(*fg), GFP_KERNEL);
	int err;

	if (!fg)
		return -ENOMEM;
	account_init(&fg->account, totalram_pages());
	fg->used = true;
	guest->mm = fg;
	guest->account = &fg->account;
	err = memory_control_init(guest);
	if (err) {
		kfree(fg);
		return err;
	}
	/* Unless somebody wants to look at the figures afterwards. */
	guest->autoremove = true;
	guest->bound = true;
	return 0;
}

static void exit_guest(struct guest *guest)
{
	WARN_ON_ONCE(account_held(guest->account));
	memory_control_exit(guest);
	guest->account = NULL;
	kfree(guest->mm);
}

static bool is_busy(struct guest *guest)
{
	struct full_guest *fg = guest->mm;

	return READ_ONCE(fg->used);
}

/* Return: how many there are, of which at most @max are noted. */
static unsigned int list_pids(struct lodge_instance *inst, pid_t *pids, unsigned int max)
{
	struct lodge_thread *ht;
	unsigned int n = 0;
	pid_t pid;

	spin_lock(&inst->lock);
	list_for_each_entry(ht, &inst->threads, list) {
		pid = ht->task ? task_tgid_vnr(ht->task) : 0;
		if (pid && n++ < max)
			pids[n - 1] = pid;
	}
	spin_unlock(&inst->lock);
	return n;
}

static int list_procs(struct guest *guest, struct text *out)
{
	struct full_guest *fg = guest->mm;
	unsigned int i, n = 0, max = 0;
	pid_t *pids = NULL;
	int err = 0;

	mutex_lock(&lock);
	while (fg->inst && !err) {
		n = list_pids(fg->inst, pids, max);
		if (n <= max)
			break;
		kvfree(pids);
		max = n;
		pids = kvmalloc_array(max, sizeof(*pids), GFP_KERNEL);
		err = pids ? 0 : -ENOMEM;
	}
	mutex_unlock(&lock);
	for (i = 0; !err && i < n; i++)
		text_printf(out, "%d\n", pids[i]);
	kvfree(pids);
	return err;
}

static const struct guest_subsystem account_subsystem = {
	.name = "memory",
	.init_guest = init_guest,
	.exit_guest = exit_guest,
	.busy = is_busy,
	.procs = list_procs,
	.files = account_files,
};

static const struct guest_subsystem *const full_subsystems[] = { &account_subsystem, NULL };

static const struct guest_kind full_kind = {
	.name = "full",
	.once = true,
	.subsystems = full_subsystems,
};

/* ---- for the instance ---- */

/**
 * guest_join - give an instance its guest of the control tree
 * @inst: which has none
 * @name: of the guest, which belongs to who opened the device
 *
 * Return: 0 or an error; of a name that is refused the tree's last_error has the reason; -EBUSY: it
 * has one.
 */
int guest_join(struct lodge_instance *inst, const char *name)
{
	const struct cred *old = override_creds(inst->cred);
	struct full_guest *fg;
	struct guest *guest;
	int err;

	err = control_make(name, &full_kind, &guest);
	revert_creds(old);
	if (err)
		return err;
	spin_lock(&inst->lock);
	if (inst->guest)
		err = -EBUSY;
	else
		inst->guest = guest;
	spin_unlock(&inst->lock);
	fg = guest->mm;
	if (err) {
		WRITE_ONCE(fg->used, false);
		control_leave(guest);
		return err;
	}
	mutex_lock(&lock);
	fg->inst = inst;
	mutex_unlock(&lock);
	return 0;
}

/** guest_leave - the instance ends: so does its guest, unless somebody has unset autoremove */
void guest_leave(struct lodge_instance *inst)
{
	struct full_guest *fg;

	if (!inst->guest)
		return;
	fg = inst->guest->mm;
	mutex_lock(&lock);
	fg->inst = NULL;
	mutex_unlock(&lock);
	WRITE_ONCE(fg->used, false);
	control_leave(inst->guest);
}

/** guest_memory - Return: bytes that an instance has */
unsigned long guest_memory(struct lodge_instance *inst)
{
	struct guest *guest = READ_ONCE(inst->guest);

	return guest ? account_held(guest->account) << PAGE_SHIFT : 0;
}

/**
 * guest_limit - memory.max, if nobody has set it
 * @inst: that begins to run
 * @bytes: all that it could ever have
 *
 * Return: how much of it is allowed: its kernel should not take itself for larger.
 */
unsigned long guest_limit(struct lodge_instance *inst, unsigned long bytes)
{
	memory_control_default(inst->guest, bytes >> PAGE_SHIFT);
	return min(bytes, round_down(READ_ONCE(inst->guest->account->limit) << PAGE_SHIFT,
				     LODGE_MEMORY_UNIT));
}

/**
 * guest_charge - take a page
 * @inst: the guest
 *
 * Return: false if memory.max forbids. Any context.
 */
bool guest_charge(struct lodge_instance *inst)
{
	return account_charge(inst->guest->account, 1);
}

/** guest_uncharge - give pages back */
void guest_uncharge(struct lodge_instance *inst, unsigned long pages)
{
	account_uncharge(inst->guest->account, pages);
}

/**
 * guest_exceeded - memory.max is used up: that is the guest's end
 * @inst: the guest, whose kernel has no answer to memory of its own that is not there
 */
void guest_exceeded(struct lodge_instance *inst)
{
	struct account *account = inst->guest->account;
	char reason[LODGE_REASON_MAX];

	snprintf(reason, sizeof(reason), "it has touched more memory than memory.max (%lu KiB)",
		 READ_ONCE(account->limit) << (PAGE_SHIFT - 10));
	if (!instance_kill(inst, LODGE_ENDED_KILLED, 0, reason))
		return;
	atomic_long_inc(&account->events[PE_MAX]);
	atomic_long_inc(&account->events[PE_OOM]);
	atomic_long_inc(&account->events[PE_OOM_KILL]);
	guest_notify(inst->guest);
}
