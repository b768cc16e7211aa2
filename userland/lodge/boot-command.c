// SPDX-License-Identifier: GPL-2.0
/* lodge boot --rootdir: a guest that runs one command over a directory of the host. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "boot.h"
#include "description.h"
#include "error.h"
#include "guest-files.h"
#include "guest-log.h"
#include "kernel-log.h"
#include "rundir.h"
#include "session.h"
#include "share.h"
#include "terminal.h"
#include "util.h"

/* Where we are, if the guest has that directory too. */
static char *start_directory(const char *rootdir)
{
	char *here cleanup_free = getcwd(NULL, 0);
	size_t length = strlen(rootdir);

	if (!strcmp(rootdir, "/") && here)
		return xstrdup(here);
	if (here && starts_with(here, rootdir) && here[length] == '/')
		return xstrdup(here + length);
	return xstrdup("/");
}

/** boot_command_check - see that what was asked for can be, or end the program */
void boot_command_check(struct boot *boot)
{
	struct machine *m = &boot->machine;

	if (!*boot->command)
		die_usage("boot", "no command to run");
	if (boot->consoles.n || boot->consoles.record)
		die_usage("boot", "--console, --serial and --record are for guests with disks");
	m->rootdir = find_directory("--rootdir", boot->rootdir);
	m->initramfs = guest_file(NULL, "initramfs.cpio");
	if (!boot->directory)
		boot->directory = start_directory(m->rootdir);
}

static void not_started(const struct boot *boot, int status)
{
	const char *why = status == STATUS_NOT_FOUND ? "command not found" : "cannot be run";

	if (boot->described)
		warn("--" DESCRIPTION_COMMAND ": %s: %s", boot->command[0], why);
	else
		warn_guest(boot->machine.name, boot->command[0], "%s", why);
}

/**
 * boot_command - run the command
 * @boot: that was checked, and whose name is taken
 *
 * Return: the command's exit status, or lodge's own.
 */
int boot_command(struct boot *boot)
{
	const struct order order = {
		.host = boot->machine.name, .directory = boot->directory,
		.command = boot->command, .environment = boot->environment,
		.terminal = !boot->detach && terminal_is_there(),
	};
	struct machine *m = &boot->machine;
	struct strings text = { 0 };
	struct guest_log kept;
	struct session session;
	int line[2], log_pipe[2], status;

	order_write(&text, &order);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) ||
	    pipe2(log_pipe, O_CLOEXEC))
		die_errno(errno, "socketpair");
	*boot->log = (struct kernel_log){ .fd = log_pipe[0], .live = boot->verbose };
	if (boot->detach)
		guest_log_open(&kept, RUNDIR_LOG);
	m->channel = line[1];
	m->log = log_pipe[1];
	session = (struct session){
		.name = m->name, .channel = line[0], .log = boot->log,
		.console = &boot->management, .net = &boot->net,
		.devices = &boot->devices, .terminal = order.terminal,
		.order = text.bytes, .order_length = text.length,
		.kept = boot->detach ? &kept : NULL, .up = boot_up,
		.guest = boot_start(boot),
	};
	close(line[1]);
	close(log_pipe[1]);
	status = session_run(&session);
	boot_ended(boot);
	free(text.bytes);
	if (status < 0)
		status = boot_failed(boot, session.guest_status,
				     "ended without a word from the command", !boot->verbose);
	else if (boot->detach && !session.runs)
		not_started(boot, status);
	if (boot->detach)
		rundir_keep(status);
	return status;
}
