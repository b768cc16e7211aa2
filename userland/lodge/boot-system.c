// SPDX-License-Identifier: GPL-2.0
/* lodge boot --root: a guest whose own init, on its own disk, decides what runs. */
#include <string.h>
#include <unistd.h>

#include "boot.h"
#include "console.h"
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
	for (i = 0; boot->command[i]; i++)
		if (strpbrk(boot->command[i], "\"\n"))
			die("%s: the guest's kernel cannot pass on quotes and newlines",
			    boot->command[i]);
}

/**
 * boot_system - start the guest and serve it until it ends
 * @boot: that was checked, and whose name is taken
 *
 * Return: 0 when it has powered off, 128+N if signal N ended it, or lodge's own status.
 */
int boot_system(struct boot *boot)
{
	struct console *console cleanup_free = xcalloc(1, sizeof(*console));
	struct machine *m = &boot->machine;
	struct system system;
	int status;

	*boot->log = (struct kernel_log){ .fd = -1 };
	console_open(console, boot->log, !boot->detach);
	m->console = console->guest_end;
	m->log = console->guest_end;
	m->init = boot->command;
	system = (struct system){
		.name = m->name, .console = console, .management = &boot->management,
		.net = &boot->net, .devices = &boot->devices,
		.up = boot_up,
		.guest = boot_start(boot),
	};
	close(console->guest_end);
	status = system_run(&system);
	if (status)
		status = boot_failed(boot, status, "its kernel has failed", boot->detach);
	if (boot->detach)
		rundir_keep(status);
	return status;
}
