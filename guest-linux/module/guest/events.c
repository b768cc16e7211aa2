// SPDX-License-Identifier: GPL-2.0
/* What arch/um/kernel/irq.c asks epoll for. */
#include <linux/kernel.h>
#include <irq_user.h>
#include <os.h>

#include "host.h"

#define EVENTS	64

static struct lodge_event events[EVENTS];

int os_setup_epoll(void)
{
	return 0;
}

int os_waiting_for_events_epoll(void)
{
	return lodge_events(host, events, EVENTS);
}

void *os_epoll_get_data_pointer(int index)
{
	return events[index].data;
}

int os_epoll_triggered(int index, int mask)
{
	return events[index].events & mask;
}

int os_event_mask(enum um_irq_type type)
{
	return type == IRQ_READ ? LODGE_POLL_IN : LODGE_POLL_OUT;
}

int os_add_epoll_fd(int mask, int fd, void *data)
{
	return lodge_watch(host, fd, mask, data);
}

int os_mod_epoll_fd(int mask, int fd, void *data)
{
	return lodge_watch(host, fd, mask, data);
}

int os_del_epoll_fd(int fd)
{
	return lodge_watch(host, fd, 0, NULL);
}

/* With lodge_watch() there is nothing that some files cannot do. */
int os_set_fd_async(int fd)
{
	return lodge_set_blocking(host, fd, 0);
}

int os_clear_fd_async(int fd)
{
	return 0;
}

void os_set_ioignore(void)
{
}

void os_close_epoll_fd(void)
{
}

void maybe_sigio_broken(int fd)
{
}

void sigio_broken(int fd)
{
}

int add_sigio_fd(int fd)
{
	return 0;
}

int __add_sigio_fd(int fd)
{
	return 0;
}

int ignore_sigio_fd(int fd)
{
	return 0;
}

int __ignore_sigio_fd(int fd)
{
	return 0;
}
