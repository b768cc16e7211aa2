// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes possible on a guest's descriptors, as its epoll tells it.
 *
 * The list is that of who has the token; wait queues call us in any context.
 */
#include <linux/export.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "kmod/full/host-call.h"
#include "kmod/full/instance.h"

/* Files have a queue for each direction, at most. */
#define QUEUES	2

/**
 * struct watch - a descriptor that the guest waits for
 * @list: in the instance's watches
 * @inst: the guest
 * @file: what the descriptor was when it was told of; a reference
 * @fd: that one
 * @events: EPOLL bits that it waits for
 * @data: the guest's
 * @ready: something has happened since the guest looked
 * @table: for poll
 * @waits: where we wait
 * @queues: of which file; NULL: none
 * @n: how many
 */
struct watch {
	struct list_head list;
	struct lodge_instance *inst;
	struct file *file;
	int fd;
	__poll_t events;
	void *data;
	bool ready;
	struct poll_table_struct table;
	wait_queue_entry_t waits[QUEUES];
	wait_queue_head_t *queues[QUEUES];
	unsigned int n;
};

static void tell(struct watch *w)
{
	WRITE_ONCE(w->ready, true);
	thread_interrupt(w->inst, LODGE_IRQ_IO);
}

static int woken(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct watch *w = wait->private;
	__poll_t events = key_to_poll(key);

	if (!events || events & (READ_ONCE(w->events) | EPOLLERR | EPOLLHUP))
		tell(w);
	return 0;
}

static void wait_on(struct file *file, wait_queue_head_t *queue, poll_table *table)
{
	struct watch *w = container_of(table, struct watch, table);
	wait_queue_entry_t *wait;

	if (w->n == QUEUES)
		return;
	wait = &w->waits[w->n];
	init_waitqueue_func_entry(wait, woken);
	wait->private = w;
	w->queues[w->n++] = queue;
	add_wait_queue(queue, wait);
}

static void remove(struct watch *w)
{
	while (w->n--)
		remove_wait_queue(w->queues[w->n], &w->waits[w->n]);
	list_del(&w->list);
	fput(w->file);
	kfree(w);
}

static struct watch *find(struct lodge_instance *inst, int fd)
{
	struct watch *w;

	list_for_each_entry(w, &inst->watches, list)
		if (w->fd == fd)
			return w;
	return NULL;
}

/** events_forget - a descriptor is closed */
void events_forget(struct lodge_instance *inst, int fd)
{
	struct watch *w = find(inst, fd);

	if (w)
		remove(w);
}

/** events_stop - nobody runs the guest any more */
void events_stop(struct lodge_instance *inst)
{
	struct watch *w, *next;

	list_for_each_entry_safe(w, next, &inst->watches, list)
		remove(w);
}

static struct watch *new_watch(struct lodge_instance *inst, int fd, struct file *file)
{
	struct watch *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);

	if (!w)
		return NULL;
	w->inst = inst;
	w->fd = fd;
	w->file = get_file(file);
	init_poll_funcptr(&w->table, wait_on);
	w->table._key = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP;
	list_add(&w->list, &inst->watches);
	vfs_poll(file, &w->table);
	return w;
}

/** host_watch - see lodge-host.h */
long host_watch(struct lodge_instance *inst, int fd, int events, void *data)
{
	struct file *file = files_get(inst, fd);
	struct watch *w = find(inst, fd);

	if (!events) {
		if (w)
			remove(w);
		return 0;
	}
	if (!file)
		return -EBADF;
	/* A regular file is always ready, and is read when that is wanted. */
	if (!file_can_poll(file))
		return 0;
	if (!w)
		w = new_watch(inst, fd, file);
	if (!w)
		return -ENOMEM;
	w->data = data;
	WRITE_ONCE(w->events, (events & LODGE_POLL_IN ? EPOLLIN : 0) |
			      (events & LODGE_POLL_OUT ? EPOLLOUT : 0));
	/* What was there before is told, too. */
	if (vfs_poll(file, NULL) & (w->events | EPOLLERR | EPOLLHUP))
		tell(w);
	return 0;
}
EXPORT_SYMBOL_GPL(lodge_watch);

/** host_events - see lodge-host.h */
long host_events(struct lodge_instance *inst, struct lodge_event *events, int n)
{
	struct watch *w;
	__poll_t found;
	int i = 0;

	list_for_each_entry(w, &inst->watches, list) {
		if (i == n)
			break;
		if (!READ_ONCE(w->ready))
			continue;
		WRITE_ONCE(w->ready, false);
		/* What wakes us from here on is told anew. */
		smp_mb();
		found = vfs_poll(w->file, NULL) & (w->events | EPOLLERR | EPOLLHUP);
		if (!found)
			continue;
		/* A reader finds out about the end of a file by reading. */
		if (found & (EPOLLERR | EPOLLHUP))
			found |= w->events;
		events[i].data = w->data;
		events[i].events = (found & EPOLLIN ? LODGE_POLL_IN : 0) |
				   (found & EPOLLOUT ? LODGE_POLL_OUT : 0);
		i++;
	}
	return i;
}
EXPORT_SYMBOL_GPL(lodge_events);
