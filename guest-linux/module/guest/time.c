// SPDX-License-Identifier: GPL-2.0
/* Time: the host's clock, and one timer of it. */
#include <linux/kernel.h>
#include <os.h>

#include "host.h"

int os_timer_create(void)
{
	return 0;
}

int os_timer_set_interval(unsigned long long nsecs)
{
	lodge_timer(host, nsecs, nsecs);
	return 0;
}

int os_timer_one_shot(unsigned long long nsecs)
{
	lodge_timer(host, nsecs, 0);
	return 0;
}

void os_timer_disable(void)
{
	lodge_timer(host, 0, 0);
}

long long os_nsecs(void)
{
	return lodge_clock();
}

long long os_persistent_clock_emulation(void)
{
	return lodge_clock_real();
}

void os_idle_sleep(void)
{
	lodge_idle(host);
}

/* Timers of programs are the kernel's own. */
void os_alarm_process(int pid)
{
}
