// SPDX-License-Identifier: GPL-2.0
/* lodge boot --root: a guest whose own init, on its own disk, decides what runs. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "boot.h"
#include "consoles.h"
#include "error.h"
#include "kernel-log.h"
#include "lodge.h"
#include "rundir.h"
#include "system.h"
#include "util.h"

/** boot_system_check - see that what was asked for can be, or end the program */
void boot_system_check(struct boot *boot)
{
	size_t i;

	if (boot->directory || boot->environment.length)
		die_usage("boot", "--chdir and --env are for the command of --rootdir");
	net_check_system(&boot->net);
	boot->consoles.background = boot->detach;
	consoles_check(&boot->consoles, &boot->machine.shares, boot->machine.sandbox);
	for (i = 0; boot->command[i]; i++)
		if (strpbrk(boot->command[i], "\"\n"))
			die("%s: the guest's kernel cannot pass on quotes and newlines",
			    boot->command[i]);
}

/* Where the guest's kernel says what nobody's console is for. */
static int log_end(struct boot *boot, int log_pipe[2])
{
	int end = consoles_kernel_end(&boot->consoles);

	if (end >= 0)
		return end;
	if (pipe2(log_pipe, O_CLOEXEC))
		die_errno(errno, "pipe");
	boot->log->fd = log_pipe[0];
	return log_pipe[1];
}

/**
 * boot_system - start the guest and serve it until it ends
 * @boot: that was checked, and whose name is taken
 *
 * Return: 0 when it has powered off, 128+N if signal N ended it, or lodge's own status.
 */
int boot_system(struct boot *boot)
{
	struct machine *m = &boot->machine;
	int log_pipe[2] = { -1, -1 }, status;
	struct system system;
	bool seen;

	*boot->log = (struct kernel_log){ .fd = -1 };
	consoles_open(&boot->consoles, m->name, boot->log);
	seen = consoles_show_kernel(&boot->consoles);
	m->consoles = &boot->consoles;
	m->log = log_end(boot, log_pipe);
	m->init = boot->command;
	system = (struct system){
		.name = m->name, .consoles = &boot->consoles, .log = boot->log,
		.management = &boot->management, .net = &boot->net, .devices = &boot->devices,
		.up = boot_up,
		.guest = boot_start(boot),
	};
	consoles_close_guest_ends(&boot->consoles);
	close(log_pipe[1]);
	status = system_run(&system);
	boot_ended(boot);
	if (status)
		status = boot_failed(boot, status, "its kernel has failed",
				     boot->detach ? boot_is_heard() : !seen);
	if (boot->detach)
		rundir_keep(status);
	return status;
}
