// SPDX-License-Identifier: GPL-2.0
/* Whole programs, and guests as such: from the start of a command to its end. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define TIMES_MAX	100

void print_stamp(void)
{
	printf("init,%llu\n", stamp());
	fflush(stdout);
}

static unsigned int times_of(const char *text)
{
	unsigned long n = strtoul(text, NULL, 10);

	if (!n || n > TIMES_MAX) {
		fprintf(stderr, "ops: %s: 1 to %d times\n", text, TIMES_MAX);
		exit(1);
	}
	return n;
}

static void __attribute__((noreturn)) become(char **command)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0)
		die("/dev/null");
	execvp(command[0], command);
	die("%s", command[0]);
}

/* The stamp of who is started in the guest; what else its console says does not matter. */
static __u64 read_stamp(int fd)
{
	FILE *output = fdopen(fd, "r");
	unsigned long long found = 0;
	char line[1024], *at;

	if (!output)
		die("fdopen");
	while (fgets(line, sizeof(line), output)) {
		at = strstr(line, "init,");
		if (at && !found)
			found = strtoull(at + strlen("init,"), NULL, 10);
	}
	fclose(output);
	return found;
}

static void must_succeed(pid_t pid, char **command)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "ops: %s failed: wait status %#x\n", command[0], status);
		exit(1);
	}
}

void rows_start(char **argv)
{
	__u64 start[TIMES_MAX], init[TIMES_MAX], end[TIMES_MAX];
	unsigned int times = times_of(argv[1]), i;
	char **command = argv + 2, row[64];

	for (i = 0; i < times; i++) {
		int output[2];
		pid_t pid;

		if (pipe2(output, O_CLOEXEC))
			die("pipe");
		rest();
		start[i] = stamp();
		pid = must_fork();
		if (!pid) {
			if (dup2(output[1], 1) < 0)
				die("dup2");
			become(command);
		}
		close(output[1]);
		init[i] = read_stamp(output[0]);
		must_succeed(pid, command);
		end[i] = stamp();
		if (!init[i]) {
			fprintf(stderr, "ops: %s: nobody said init,STAMP\n", command[0]);
			exit(1);
		}
	}
	snprintf(row, sizeof(row), "%s-init", argv[0]);
	samples_begin();
	for (i = 0; i < times; i++)
		samples_add(start[i], init[i]);
	samples_end(row);
	snprintf(row, sizeof(row), "%s-end", argv[0]);
	samples_begin();
	for (i = 0; i < times; i++)
		samples_add(start[i], end[i]);
	samples_end(row);
}

void row_command(char **argv)
{
	unsigned int times = times_of(argv[1]), i;
	char **command = argv + 2;

	samples_begin();
	/* The first one brings its files into memory. */
	for (i = 0; i <= times; i++) {
		__u64 start = stamp_start();
		pid_t pid = must_fork();

		if (!pid)
			become(command);
		must_succeed(pid, command);
		if (i)
			samples_add(start, stamp_end());
	}
	samples_end(argv[0]);
}
