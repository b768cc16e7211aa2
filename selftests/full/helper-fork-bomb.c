// SPDX-License-Identifier: GPL-2.0
/*
 * Forks until it is refused, says with which error and how many children it has, and waits for a
 * line.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	char line[16];
	int children;
	pid_t pid;

	for (children = 0; (pid = fork()) > 0; children++)
		;
	if (!pid) {
		sleep(600);
		return 0;
	}
	printf("%s %d\n", strerrorname_np(errno), children);
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) ? 0 : 1;
}
