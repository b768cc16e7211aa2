// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1 of a guest that the benchmark starts without lodge:
 *	init				power off
 *	init idle			stay
 *	init COMMAND...			run this, power off
 *	init host FOLDER COMMAND...	the same over a folder of the host, with a /tmp of its own
 * It says when it was started, on its console: init,STAMP.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "bench.h"

/* Nobody hears an error but who reads the console. */
static void must_mount(const char *source, const char *at, const char *type, const char *data)
{
	if (mkdir(at, 0755) && errno != EEXIST)
		printf("init: %s: %s\n", at, strerror(errno));
	if (mount(source, at, type, 0, data))
		printf("init: %s at %s: %s\n", type, at, strerror(errno));
}

static void mount_system(void)
{
	must_mount("proc", "/proc", "proc", NULL);
	must_mount("sysfs", "/sys", "sysfs", NULL);
	must_mount("devtmpfs", "/dev", "devtmpfs", NULL);
}

static void enter_host(const char *folder)
{
	must_mount("none", "/host", "hostfs", folder);
	must_mount("tmpfs", "/host/tmp", "tmpfs", NULL);
	if (chroot("/host") || chdir("/"))
		printf("init: chroot: %s\n", strerror(errno));
	mount_system();
}

static void run(char **command)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		execv(command[0], command);
		printf("init: %s: %s\n", command[0], strerror(errno));
		fflush(stdout);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	if (status)
		printf("init: %s: wait status %#x\n", command[0], status);
}

int main(int argc, char **argv)
{
	char **command = argv + 1;

	printf("init,%llu\n", stamp());
	fflush(stdout);
	if (argc > 1 && !strcmp(argv[1], "idle"))
		for (;;)
			pause();
	if (argc > 1)
		mount_system();
	if (argc > 2 && !strcmp(argv[1], "host")) {
		enter_host(argv[2]);
		command += 2;
	}
	if (*command)
		run(command);
	fflush(stdout);
	tcdrain(1);
	reboot(RB_POWER_OFF);
	return 1;
}
