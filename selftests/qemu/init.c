// SPDX-License-Identifier: GPL-2.0
/*
 * The first process of the test machine: set it up, run one command, say how it
 * ended on a virtio port of its own, power off.
 *
 * The port "lodge.verdict" gets one line: "exit N", "signal N", "stuck N" (the
 * command ended with N, but a process of it would not die), or "setup REASON".
 */
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

static int verdict_port = -1;

static void to_log(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	dprintf(fd, "lodge-vm: %s\n", text);
	close(fd);
}

void say(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	to_log(text);
}

static void __attribute__((noreturn)) power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void pronounce(const char *text)
{
	struct pollfd taken = { .events = POLLOUT };

	if (verdict_port < 0)
		verdict_port = setup_port("lodge.verdict", O_WRONLY);
	dprintf(verdict_port, "%s\n", text);
	taken.fd = verdict_port;
	poll(&taken, 1, 5000);
}

void die(const char *fmt, ...)
{
	char text[512] = "setup ";
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + strlen(text), sizeof(text) - strlen(text), fmt, args);
	va_end(args);
	to_log(text);
	/* A child of ours that cannot go on leaves the verdict to us. */
	if (getpid() != 1) {
		fprintf(stderr, "lodge-vm: %s\n", text);
		_exit(127);
	}
	pronounce(text);
	power_off();
}

/* The boot is quiet, to be fast; from here on the console gets everything. */
static void log_everything(void)
{
	int fd = open("/proc/sys/kernel/printk", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	dprintf(fd, "8\n");
	close(fd);
}

int main(void)
{
	static struct order order;
	char text[64];
	int status, stuck;

	setup_early_mounts();
	setup_modules();
	order_read(&order);
	verdict_port = setup_port("lodge.verdict", O_WRONLY);
	setup_root(&order);
	log_everything();
	setup_module(&order);

	status = session_run(&order);
	stuck = session_sweep();
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "signal %d", WTERMSIG(status));
	else
		snprintf(text, sizeof(text), "%s %d", stuck ? "stuck" : "exit",
			 WEXITSTATUS(status));
	pronounce(text);
	power_off();
}
