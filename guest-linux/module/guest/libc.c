// SPDX-License-Identifier: GPL-2.0
/* What the kernel's side of arch/um calls of libc, and small questions to the host. */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>
#include <init.h>
#include <kern_util.h>
#include <os.h>

#include "host.h"

static bool quiet;

static int __init quiet_param(char *text, int *add)
{
	quiet = true;
	return 0;
}

__uml_setup("quiet", quiet_param, "quiet\n    Turns off information messages during boot.\n\n");

void log_vprintf(const char *format, va_list args)
{
	char text[256];

	lodge_log(host, text, vscnprintf(text, sizeof(text), format, args));
}

int printf(const char *format, ...);

int printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vprintf(format, args);
	va_end(args);
	return 0;
}

void os_info(const char *format, ...)
{
	va_list args;

	if (quiet)
		return;
	va_start(args, format);
	log_vprintf(format, args);
	va_end(args);
}

void os_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vprintf(format, args);
	va_end(args);
}

void um_early_printk(const char *text, unsigned int length)
{
	lodge_log(host, text, length);
}

void setup_machinename(char *machine)
{
	strcpy(machine, "x86_64");
}

void setup_hostinfo(char *buffer, int length)
{
	strscpy(buffer, "lodge", length);
}

ssize_t os_getrandom(void *buffer, size_t length, unsigned int flags)
{
	lodge_random(buffer, length);
	return length;
}

int os_getpid(void)
{
	return 1;
}

int os_getpgrp(void)
{
	return 1;
}

/* We have made no processes. */
void os_kill_process(int pid, int reap)
{
}
