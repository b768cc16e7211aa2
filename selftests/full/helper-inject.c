// SPDX-License-Identifier: GPL-2.0
/*
 * helper-inject PID NUMBER: has a process make a system call, the first three arguments being
 * 0, as who has taken it over could. Prints what comes of it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

/* A static program begins here, and has a system call somewhere. */
#define TEXT 0x60000000UL
#define TEXT_END 0x61000000UL

static unsigned long find_syscall(pid_t pid)
{
	unsigned char code[sizeof(long) + 1];
	unsigned long at, i;
	long word;

	for (at = TEXT; at < TEXT_END; at += sizeof(long)) {
		errno = 0;
		word = ptrace(PTRACE_PEEKTEXT, pid, at, NULL);
		if (errno)
			continue;
		memcpy(code, &word, sizeof(word));
		for (i = 0; i < sizeof(word) - 1; i++)
			if (code[i] == 0x0f && code[i + 1] == 0x05)
				return at + i;
	}
	fputs("no system call found\n", stderr);
	exit(2);
}

static int stopped(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, __WALL) != pid || WIFEXITED(status)) {
		puts("ended");
		exit(0);
	}
	if (WIFSIGNALED(status)) {
		printf("killed: %s\n", strsignal(WTERMSIG(status)));
		exit(0);
	}
	return WSTOPSIG(status);
}

int main(int argc, char **argv)
{
	struct user_regs_struct saved, regs;
	pid_t pid = argc == 3 ? atoi(argv[1]) : 0;

	if (!pid || ptrace(PTRACE_SEIZE, pid, NULL, NULL) ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL)) {
		perror("helper-inject");
		return 2;
	}
	stopped(pid);
	ptrace(PTRACE_GETREGS, pid, NULL, &saved);
	regs = saved;
	regs.rip = find_syscall(pid);
	regs.rax = atol(argv[2]);
	regs.orig_rax = -1;
	regs.rdi = 0;
	regs.rsi = 0;
	regs.rdx = 0;
	ptrace(PTRACE_SETREGS, pid, NULL, &regs);
	/* What else it is told meanwhile it gets in the end, when nobody holds it. */
	do
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
	while (stopped(pid) != SIGTRAP);
	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	printf("%s\n", (long)regs.rax < 0 ? strerrorname_np(-regs.rax) : "done");
	ptrace(PTRACE_SETREGS, pid, NULL, &saved);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return 0;
}
