// SPDX-License-Identifier: GPL-2.0
/* Full guests in the kernel: the device, and the life of an instance. */
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "kmod/full/full.h"
#include "kmod/full/instance.h"
#include "kmod/full/trap.h"

#define MEMORY_MIN	(32UL << 20)
#define ARGS_MAX	256

static DEFINE_MUTEX(instances_lock);	/* protects what follows; outside of an instance's lock */
static LIST_HEAD(instances);
static unsigned int last_number;

static const struct address_space_operations no_aops = {
	.dirty_folio = noop_dirty_folio,
};

/* ---- the end ---- */

/**
 * instance_kill - let a guest end, once
 * @inst: the guest
 * @how: LODGE_ENDED_
 * @code: for LODGE_ENDED_HALT
 * @reason: in words, or NULL
 *
 * All its threads get SIGKILL; the last one frees what it has.
 *
 * Return: whether this is what it ends of.
 */
bool instance_kill(struct lodge_instance *inst, u32 how, int code, const char *reason)
{
	struct lodge_thread *ht;
	bool first;

	spin_lock(&inst->lock);
	first = inst->state == LODGE_STATE_RUNNING;
	if (first) {
		inst->state = LODGE_STATE_ENDING;
		inst->ended = how;
		inst->code = code;
		strscpy(inst->reason, reason ?: "", sizeof(inst->reason));
	}
	WRITE_ONCE(inst->dead, true);
	list_for_each_entry(ht, &inst->threads, list)
		if (ht->task)
			send_sig(SIGKILL, ht->task, 1);
	/* Before its last thread is gone: that takes the lock, and stops the timer. */
	if (inst->nr_threads)
		time_kill(inst);
	spin_unlock(&inst->lock);
	wake_up_all(&inst->idle);
	return first;
}

/* What run() has taken; nobody runs the guest. */
static void drop_all(struct lodge_instance *inst)
{
	time_stop(inst);
	events_stop(inst);
	files_stop(inst);
	memory_free(inst);
	kvfree(inst->args);
	kfree(inst->argv);
	inst->args = NULL;
	inst->argv = NULL;
}

static void set_state(struct lodge_instance *inst, u32 state)
{
	spin_lock(&inst->lock);
	inst->state = state;
	spin_unlock(&inst->lock);
	wake_up_all(&inst->changed);
}

/**
 * instance_empty - the last thread has left a guest
 * @inst: the guest, which nobody runs any more
 */
void instance_empty(struct lodge_instance *inst)
{
	struct lodge_thread *ht, *next;
	LIST_HEAD(left);

	drop_all(inst);
	/* Who reads procs may be going through them. */
	spin_lock(&inst->lock);
	list_splice_init(&inst->threads, &left);
	spin_unlock(&inst->lock);
	list_for_each_entry_safe(ht, next, &left, list) {
		list_del(&ht->list);
		thread_put(ht);
	}
	set_state(inst, LODGE_STATE_DEAD);
}

/* ---- the module of a guest kernel ---- */

static size_t data_size(const struct lodge_guest_ops *ops)
{
	return ops->data_end - ops->data;
}

/* With the lock. @data is the instance's now if this returns 0. */
static int take_module(struct lodge_instance *inst, const struct lodge_guest_ops *ops,
		       struct module *module, void *data)
{
	/* It stays as long as the file: what has no user is nobody's. */
	if (inst->state != LODGE_STATE_EMPTY || !try_module_get(module))
		return -EBUSY;
	inst->state = LODGE_STATE_LOADED;
	inst->ops = ops;
	inst->module = module;
	inst->data = data;
	return 0;
}

/** lodge_register - see lodge-host.h */
int lodge_register(unsigned int number, const struct lodge_guest_ops *ops, void *module)
{
	struct lodge_instance *inst;
	int err = -ENOENT;
	void *data;

	if (ops->size != sizeof(*ops))
		return -EINVAL;
	data = kvmalloc(data_size(ops), GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	memcpy(data, ops->data, data_size(ops));
	mutex_lock(&instances_lock);
	list_for_each_entry(inst, &instances, list) {
		if (inst->number != number)
			continue;
		spin_lock(&inst->lock);
		err = take_module(inst, ops, module, data);
		spin_unlock(&inst->lock);
	}
	mutex_unlock(&instances_lock);
	if (err)
		kvfree(data);
	return err;
}
EXPORT_SYMBOL_GPL(lodge_register);

/* ---- running ---- */

/* Cuts @inst->args into @inst->argv; argv[0] is nobody's. */
static int take_args(struct lodge_instance *inst, const struct lodge_instance_run *run)
{
	char *at, *end;

	if (!run->args_length || run->args_length > LODGE_RUN_ARGS_MAX)
		return -EINVAL;
	inst->args = kvmalloc(run->args_length, GFP_KERNEL);
	inst->argv = kcalloc(ARGS_MAX + 2, sizeof(*inst->argv), GFP_KERNEL);
	if (!inst->args || !inst->argv)
		return -ENOMEM;
	if (copy_from_user(inst->args, u64_to_user_ptr(run->args), run->args_length))
		return -EFAULT;
	end = inst->args + run->args_length;
	if (end[-1])
		return -EINVAL;
	inst->argv[0] = "linux";
	inst->argc = 1;
	for (at = inst->args; at < end; at += strlen(at) + 1) {
		if (inst->argc > ARGS_MAX)
			return -E2BIG;
		inst->argv[inst->argc++] = at;
	}
	return 0;
}

static int take_fds(struct lodge_instance *inst, const struct lodge_instance_run *run)
{
	s32 fds[LODGE_RUN_FDS_MAX];

	if (run->nr_fds > LODGE_RUN_FDS_MAX)
		return -EINVAL;
	if (copy_from_user(fds, u64_to_user_ptr(run->fds), run->nr_fds * sizeof(*fds)))
		return -EFAULT;
	return files_take(inst, fds, run->nr_fds);
}

/* As the last boot has not left it. Nobody runs the guest. */
static void begin_anew(struct lodge_instance *inst)
{
	const struct lodge_guest_ops *ops = inst->ops;

	memcpy(ops->data, inst->data, data_size(ops));
	memset(ops->bss, 0, ops->bss_end - ops->bss);
	inst->owner = NULL;
	inst->in_user = NULL;
	inst->order = (struct order){ 0 };
	inst->nr_trapped = 0;
	inst->nr_released = 0;
	inst->last_space = 1;
	init_llist_head(&inst->done);
	*inst->oops = '\0';
	WRITE_ONCE(inst->stopped, false);
	WRITE_ONCE(inst->dead, false);
}

/* To LODGE_STATE_RUNNING: from LODGE_STATE_LOADED, or again after a reboot. */
static int claim(struct lodge_instance *inst)
{
	int err = 0;

	spin_lock(&inst->lock);
	if (inst->state == LODGE_STATE_EMPTY || !inst->guest)
		err = -ENXIO;
	else if (inst->state == LODGE_STATE_LOADED ||
		 (inst->state == LODGE_STATE_DEAD && inst->ended == LODGE_ENDED_REBOOT))
		inst->state = LODGE_STATE_RUNNING;
	else
		err = -EBUSY;
	spin_unlock(&inst->lock);
	return err;
}

static long run(struct lodge_instance *inst, const void __user *arg)
{
	struct lodge_instance_run run;
	unsigned long memory;
	int err;

	if (copy_from_user(&run, arg, sizeof(run)))
		return -EFAULT;
	if (run.memory < MEMORY_MIN || run.memory % LODGE_MEMORY_UNIT ||
	    run.memory > FULL_SPACE_SIZE / 2)
		return -EINVAL;
	/* It becomes another kind of process: a thread beside it would be left in between. */
	if (!thread_group_empty(current) || !current->mm || in_compat_syscall())
		return -EINVAL;
	err = claim(inst);
	if (err)
		return err;
	begin_anew(inst);
	inst->threads_max = rlimit(RLIMIT_NPROC);
	memory = guest_limit(inst, run.memory);
	if (memory < MEMORY_MIN) {
		instance_kill(inst, LODGE_ENDED_KILLED, 0,
			      "memory.max leaves it less than it takes to begin");
		err = -ENOMEM;
	}
	if (!err)
		err = take_args(inst, &run);
	if (!err)
		err = take_fds(inst, &run);
	if (!err)
		err = memory_alloc(inst, memory);
	if (!err)
		err = thread_begin(inst, task_pt_regs(current));
	if (!err)
		/* Its registers are the guest's: so is the one with the result. */
		return task_pt_regs(current)->ax;
	drop_all(inst);
	set_state(inst, READ_ONCE(inst->dead) ? LODGE_STATE_DEAD : LODGE_STATE_LOADED);
	return err;
}

/* ---- the device ---- */

static int device_open(struct inode *inode, struct file *file)
{
	struct lodge_instance *inst;
	int err;

	if (!capable(CAP_SYS_MODULE))
		return -EPERM;
	inst = kzalloc(sizeof(*inst), GFP_KERNEL);
	if (!inst)
		return -ENOMEM;
	err = entry_get();
	if (err) {
		kfree(inst);
		return err;
	}
	spin_lock_init(&inst->lock);
	spin_lock_init(&inst->frames_lock);
	raw_spin_lock_init(&inst->loose_lock);
	INIT_LIST_HEAD(&inst->threads);
	INIT_LIST_HEAD(&inst->watches);
	init_waitqueue_head(&inst->changed);
	init_waitqueue_head(&inst->idle);
	time_init_instance(inst);
	address_space_init_once(&inst->mapping);
	inst->mapping.host = inode;
	inst->mapping.a_ops = &no_aops;
	inst->cred = get_current_cred();
	inst->file = file;
	/* What is zapped in one guest must not be looked for in the others. */
	file->f_mapping = &inst->mapping;
	file->private_data = inst;

	mutex_lock(&instances_lock);
	inst->number = ++last_number;
	list_add(&inst->list, &instances);
	mutex_unlock(&instances_lock);
	return nonseekable_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	struct lodge_instance *inst = file->private_data;

	mutex_lock(&instances_lock);
	list_del(&inst->list);
	mutex_unlock(&instances_lock);
	/* Before its module can be unloaded: who has seen that finds the name free. */
	guest_leave(inst);
	entry_put();
	if (inst->module)
		module_put(inst->module);
	put_cred(inst->cred);
	kvfree(inst->data);
	kfree(inst);
	return 0;
}

static __poll_t device_poll(struct file *file, struct poll_table_struct *wait)
{
	struct lodge_instance *inst = file->private_data;

	poll_wait(file, &inst->changed, wait);
	return READ_ONCE(inst->state) == LODGE_STATE_DEAD ? EPOLLHUP : 0;
}

static long status(struct lodge_instance *inst, void __user *arg)
{
	struct lodge_instance_status st = { .number = inst->number };

	spin_lock(&inst->lock);
	st.state = inst->state;
	st.ended = inst->ended;
	st.code = inst->code;
	st.memory = inst->memory.size;
	st.threads = READ_ONCE(inst->nr_threads);
	st.resident = guest_memory(inst);
	strscpy(st.reason, inst->reason, sizeof(st.reason));
	spin_unlock(&inst->lock);
	return copy_to_user(arg, &st, sizeof(st)) ? -EFAULT : 0;
}

static long join(struct lodge_instance *inst, const void __user *arg)
{
	struct lodge_instance_guest guest;

	if (copy_from_user(&guest, arg, sizeof(guest)))
		return -EFAULT;
	if (strnlen(guest.name, sizeof(guest.name)) == sizeof(guest.name))
		return -EINVAL;
	return guest_join(inst, guest.name);
}

static long windows(struct lodge_instance *inst)
{
	long err = -ENXIO;

	spin_lock(&inst->lock);
	if (inst->state == LODGE_STATE_RUNNING) {
		thread_interrupt(inst, LODGE_IRQ_WINDOW);
		err = 0;
	}
	spin_unlock(&inst->lock);
	return err;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct lodge_instance *inst = file->private_data;

	switch (cmd) {
	case LODGE_INSTANCE_STATUS:
		return status(inst, (void __user *)arg);
	case LODGE_INSTANCE_GUEST:
		return join(inst, (const void __user *)arg);
	case LODGE_INSTANCE_RUN:
		return run(inst, (const void __user *)arg);
	case LODGE_INSTANCE_WINDOWS:
		return windows(inst);
	}
	return -ENOTTY;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.poll = device_poll,
	.unlocked_ioctl = device_ioctl,
	.mmap = space_mmap,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lodge",
	.fops = &device_fops,
	.mode = 0600,
};

/** full_init - offer full guests: /dev/lodge */
int __init full_init(void)
{
	int err = entry_init();

	if (err)
		return err;
	err = oops_init();
	if (err)
		goto err_entry;
	err = misc_register(&device);
	if (err)
		goto err_oops;
	return 0;

err_oops:
	oops_exit();
err_entry:
	entry_exit();
	return err;
}

/** full_exit - undo full_init() */
void full_exit(void)
{
	misc_deregister(&device);
	oops_exit();
	entry_exit();
}
