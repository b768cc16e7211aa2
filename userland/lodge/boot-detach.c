// SPDX-License-Identifier: GPL-2.0
/* Going on in the background, and who hears when the guest is up. */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot.h"
#include "error.h"
#include "notify.h"
#include "rundir.h"
#include "util.h"

/**
 * struct waiting - who waits until the guest is up
 * @fd: where he hears of it, -1: nobody does
 * @name: he wants its name on standard output
 * @errors: there is somebody who reads them afterwards, too
 */
static struct {
	int fd;
	bool name, errors;
} waiting = { .fd = -1 };

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

static void to_null(int first, int last)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;

	for (fd = first; null >= 0 && fd <= last; fd++)
		dup2(null, fd);
	close(null);
}

/**
 * boot_detach - go on in the background
 *
 * The foreground ends when the guest is up, and until then what is said there is seen.
 */
void boot_detach(void)
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
	to_null(STDIN_FILENO, STDIN_FILENO);
	waiting.fd = up[1];
	waiting.name = true;
}

/**
 * boot_is_detached - this process is in the background already
 * @up: a byte is written to it when the guest is up, then it is closed
 * @errors: what is said on standard error after that is read
 */
void boot_is_detached(int up, bool errors)
{
	setsid();
	to_null(STDIN_FILENO, STDOUT_FILENO);
	waiting.fd = up;
	waiting.errors = errors;
}

/* From now on what lodge says is for `lodge logs`. */
static void keep_messages(void)
{
	int fd = open(RUNDIR_MESSAGES, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0) {
		to_null(STDERR_FILENO, STDERR_FILENO);
		return;
	}
	dup2(fd, STDERR_FILENO);
	close(fd);
}

/** boot_is_heard - of a guest in the background, whether somebody hears what lodge says */
bool boot_is_heard(void)
{
	return waiting.fd >= 0 || waiting.errors;
}

/** boot_up - the guest is up: tell who waits for it */
void boot_up(const char *guest)
{
	if (waiting.fd < 0) {
		notify("READY=1\nSTATUS=%s is up", guest);
		return;
	}
	if (waiting.name) {
		printf("%s\n", guest);
		fflush(stdout);
	}
	to_null(STDIN_FILENO, STDOUT_FILENO);
	if (!waiting.errors)
		keep_messages();
	if (write(waiting.fd, "", 1) < 0)
		return;
	close(waiting.fd);
	waiting.fd = -1;
}
