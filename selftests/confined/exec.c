// SPDX-License-Identifier: GPL-2.0
/* exec: whatever is run, all of its private memory is the guest's. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

extern char **environ;

/* The program says itself whether it has what it was given, and no private memory of the host. */
static const char script[] =
	"#!/bin/sh\n"
	"[ \"$1\" = argument ] || exit 2\n"
	"[ \"$TEST_WORD\" = environment ] || exit 3\n"
	"[ -z \"$TEST_GUEST\" ] && exit 0\n"
	"while read -r name value unit; do\n"
	"	[ \"$name\" = RssAnon: ] && [ \"$value\" -gt 64 ] && exit 4\n"
	"done </proc/$$/status\n"
	"exit 0\n";

static char script_path[] = "/tmp/execXXXXXX";

static void make_script(mode_t mode)
{
	int fd = mkstemp(script_path);

	check(fd >= 0);
	check_equal(write(fd, script, sizeof(script) - 1), sizeof(script) - 1);
	check(!fchmod(fd, mode));
	close(fd);
}

static void status_is_good(pid_t pid)
{
	int status;

	check_equal(waitpid(pid, &status, 0), pid);
	unlink(script_path);
	check_equal(status, 0);
}

static void run_script(void)
{
	char *argv[] = { script_path, "argument", NULL };
	pid_t pid;

	make_script(0755);
	setenv("TEST_WORD", "environment", 1);
	pid = fork();
	if (!pid) {
		execv(script_path, argv);
		_exit(9);
	}
	status_is_good(pid);
}

static void spawned(void)
{
	char *argv[] = { script_path, "argument", NULL };
	char *memory = private_memory(2 * UNIT);
	pid_t pid;

	fill(memory, 2 * UNIT, 1);
	make_script(0755);
	setenv("TEST_WORD", "environment", 1);
	check_equal(posix_spawn(&pid, script_path, NULL, NULL, argv, environ), 0);
	status_is_good(pid);
	check(filled(memory, 2 * UNIT, 1));
}

static void execveat_file(void)
{
	char *argv[] = { "sh", script_path, "argument", NULL };
	pid_t pid;
	int fd = open("/bin/sh", O_PATH);

	check(fd >= 0);
	make_script(0755);
	setenv("TEST_WORD", "environment", 1);
	pid = fork();
	if (!pid) {
		syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		_exit(9);
	}
	status_is_good(pid);
}

static void in_memfd(void)
{
	char buffer[4096], *argv[] = { "true", NULL };
	int from = open("/bin/true", O_RDONLY), to = memfd_create("true", MFD_CLOEXEC);
	ssize_t n;
	pid_t pid;
	int status;

	check(from >= 0 && to >= 0);
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		check_equal(write(to, buffer, n), n);
	pid = fork();
	if (!pid) {
		fexecve(to, argv, environ);
		_exit(9);
	}
	check_equal(waitpid(pid, &status, 0), pid);
	check_equal(status, 0);
}

static void refusals(void)
{
	char *argv[] = { "nothing", NULL };
	char *memory = private_memory(UNIT);

	fill(memory, UNIT, 2);
	check(execv("/nonexistent", argv) && errno == ENOENT);
	check(execv("/tmp", argv) && errno == EACCES);
	make_script(0644);
	check(execv(script_path, argv) && errno == EACCES);
	unlink(script_path);
	check(syscall(SYS_execve, "/bin/true", 16, environ) && errno == EFAULT);
	check(filled(memory, UNIT, 2));
}

/* ---- large arguments ---- */

#define ARGUMENT	(100 * KIB)
#define ARGUMENTS	18

static void big_arguments(void)
{
	static char *argv[ARGUMENTS + 8];
	unsigned int i;
	pid_t pid;
	int status;

	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] =
		"for a; do n=$((n+${#a})); case $a in *[!x]*) exit 3; esac; done; [ $n = 1843200 ]";
	argv[3] = "sh";
	for (i = 0; i < ARGUMENTS; i++) {
		argv[4 + i] = private_memory(ARGUMENT + PAGE);
		memset(argv[4 + i], 'x', ARGUMENT);
	}
	pid = fork();
	if (!pid) {
		execv("/bin/sh", argv);
		_exit(9);
	}
	check_equal(waitpid(pid, &status, 0), pid);
	check_equal(status, 0);
}

static void too_big_arguments(void)
{
	static char *argv[64];
	unsigned int i;

	argv[0] = "true";
	for (i = 1; i < 60; i++) {
		argv[i] = private_memory(130 * KIB);
		memset(argv[i], 'y', 120 * KIB);
	}
	check(execv("/bin/true", argv) && errno == E2BIG);
	check_equal(argv[59][5], 'y');
}

/* ---- who runs it ---- */

static void as_nobody(void)
{
	char *argv[] = { script_path, "argument", NULL };
	pid_t pid;

	make_script(0755);
	setenv("TEST_WORD", "environment", 1);
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(8);
		execv(script_path, argv);
		_exit(9);
	}
	status_is_good(pid);
}

static void setuid_program(void)
{
	char path[] = "/tmp/setuidXXXXXX", command[128], *argv[] = { path, "-u", NULL };
	int ends[2], status;
	char answer[32] = "";
	pid_t pid;

	close(mkstemp(path));
	snprintf(command, sizeof(command), "cp /usr/bin/id %s && chown 1:1 %s && chmod 4755 %s",
		 path, path, path);
	check(!system(command));
	check(!pipe(ends));
	pid = fork();
	if (!pid) {
		dup2(ends[1], 1);
		if (setgid(65534) || setuid(65534))
			_exit(8);
		execv(path, argv);
		_exit(9);
	}
	close(ends[1]);
	check_equal(waitpid(pid, &status, 0), pid);
	unlink(path);
	check_equal(status, 0);
	check(read(ends[0], answer, sizeof(answer) - 1) > 0);
	check_equal(atoi(answer), 1);
}

/* ---- by a thread ---- */

static void *exec_true(void *arg)
{
	char *argv[] = { "true", NULL };

	execv("/bin/true", argv);
	_exit(9);
}

static void *spin(void *arg)
{
	volatile char *p = arg;

	for (;;)
		p[random_number() % (2 * UNIT)]++;
	return NULL;
}

static void exec_with_threads(void *arg)
{
	char *memory = private_memory(2 * UNIT);
	pthread_t thread;
	unsigned int i;

	for (i = 0; i < 3; i++)
		check(!pthread_create(&thread, NULL, spin, memory));
	check(!pthread_create(&thread, NULL, exec_true, NULL));
	spin(memory);
}

static void by_thread(void)
{
	unsigned int i;

	for (i = 0; i < rounds(12); i++)
		run_child(exec_with_threads, NULL);
}

/* ---- a chain, and many ---- */

static void chain(void)
{
	const char *left = getenv("TEST_LEFT");
	char *argv[] = { "exec", "--case", "10", NULL }, number[16];
	char *memory = private_memory(512 * KIB);

	fill(memory, 512 * KIB, 3);
	check(filled(memory, 512 * KIB, 3));
	snprintf(number, sizeof(number), "%d", left ? atoi(left) - 1 : (int)rounds(40));
	if (atoi(number) <= 0)
		return;
	setenv("TEST_LEFT", number, 1);
	execv("/proc/self/exe", argv);
	check(!"exec");
}

static const struct test tests[] = {
	{ "a script", run_script, .calm = true },
	{ "posix_spawn", spawned, .pool = 3 * MIB, .calm = true },
	{ "execveat of a descriptor", execveat_file, .calm = true },
	{ "a program in a memfd", in_memfd, .calm = true },
	{ "what is refused", refusals, .calm = true },
	{ "1.8 MB of arguments", big_arguments, .pool = 4 * MIB, .calm = true },
	{ "too many arguments", too_big_arguments, .pool = 3 * MIB, .calm = true },
	{ "as another user", as_nobody, .calm = true },
	{ "a setuid program", setuid_program, .calm = true },
	{ "a thread execs", by_thread, .pool = 3 * MIB, .calm = true, .seconds = 60 },
	{ "a chain of execs", chain, .calm = true },
};

TEST_MAIN(tests)
