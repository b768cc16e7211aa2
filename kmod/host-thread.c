// SPDX-License-Identifier: GPL-2.0
/* host.h's worker threads in the kernel. */
#include <linux/kthread.h>
#include <linux/wait.h>
#include "guest-core/host.h"

/**
 * struct host_thread - a worker
 * @task: its kernel thread
 * @step: what it does when woken
 * @arg: for @step
 * @wanted: woken since the last step began
 * @wait: where it sleeps
 */
struct host_thread {
	struct task_struct *task;
	void (*step)(void *arg);
	void *arg;
	unsigned long wanted;
	wait_queue_head_t wait;
};

static int host_thread_run(void *data)
{
	struct host_thread *thread = data;

	while (!kthread_should_stop()) {
		wait_event_idle(thread->wait,
				test_bit(0, &thread->wanted) || kthread_should_stop());
		if (test_and_clear_bit(0, &thread->wanted))
			thread->step(thread->arg);
	}
	return 0;
}

struct host_thread *host_thread_start(void (*step)(void *arg), void *arg, const char *name)
{
	struct host_thread *thread = kzalloc(sizeof(*thread), GFP_KERNEL);
	struct task_struct *task;

	if (!thread)
		return ERR_PTR(-ENOMEM);
	thread->step = step;
	thread->arg = arg;
	init_waitqueue_head(&thread->wait);
	task = kthread_run(host_thread_run, thread, "%s", name);
	if (IS_ERR(task)) {
		kfree(thread);
		return ERR_CAST(task);
	}
	thread->task = task;
	return thread;
}

void host_thread_wake(struct host_thread *thread)
{
	/* Callers wake it again and again while it works: then this is all. */
	if (test_bit(0, &thread->wanted) || test_and_set_bit(0, &thread->wanted))
		return;
	wake_up(&thread->wait);
}

void host_thread_stop(struct host_thread *thread)
{
	kthread_stop(thread->task);
	kfree(thread);
}
