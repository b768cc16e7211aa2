// SPDX-License-Identifier: GPL-2.0
/* lodge boot --root: a guest whose own init, on its own disk, decides what runs. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot.h"
#include "console.h"
#include "error.h"
#include "kernel-log.h"
#include "lodge.h"
#include "rundir.h"
#include "system.h"
#include "util.h"

/* Where the one who waits in the foreground hears that the guest is up. */
static int waiting = -1;

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

/* In the foreground: until the guest is up, or lodge has said why it will not be. */
static noreturn void wait_until_up(int fd, pid_t child)
{
	int status = 0;
	char byte;

	if (read(fd, &byte, 1) == 1)
		_exit(0);
	waitpid(child, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : error_status());
}

/**
 * boot_system_detach - go on in the background
 *
 * The foreground ends when the guest is up, and until then what is said there is seen.
 */
void boot_system_detach(void)
{
	int up[2];
	pid_t pid;

	if (pipe2(up, O_CLOEXEC))
		die_errno(errno, "pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die_errno(errno, "fork");
	if (pid) {
		close(up[1]);
		wait_until_up(up[0], pid);
	}
	close(up[0]);
	setsid();
	waiting = up[1];
}

/* From now on nobody listens to what lodge says. */
static void leave_foreground(const char *guest)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;

	printf("%s\n", guest);
	fflush(stdout);
	for (fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	close(null);
	if (write(waiting, "", 1) < 0)
		return;
	close(waiting);
	waiting = -1;
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
		.net = &boot->net,
		.up = boot->detach ? leave_foreground : NULL,
		.guest = boot_start(boot),
	};
	close(console->guest_end);
	status = system_run(&system);
	boot_ended(boot);
	if (status)
		status = boot_failed(boot, "its kernel has failed", boot->detach);
	if (boot->detach)
		rundir_keep(status);
	return status;
}
