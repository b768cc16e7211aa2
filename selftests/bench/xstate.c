// SPDX-License-Identifier: GPL-2.0
/*
 * A library that is loaded before libc into a User-mode Linux of others. Where the CPU has more
 * registers than it knows of (AMX), its PTRACE_SETREGSET is too short for the host, and not
 * one process of the guest can be started: here it gets the rest.
 */
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

#define STATE_MAX	16384

static long (*libc_ptrace)(int request, ...);
static char state[STATE_MAX];
static size_t state_size;

/* The host says how large it is to who has room. */
static void learn_size(pid_t pid)
{
	struct iovec all = { .iov_base = state, .iov_len = sizeof(state) };

	state_size = 1;
	if (!libc_ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &all))
		state_size = all.iov_len;
}

long ptrace(enum __ptrace_request request, ...)
{
	struct iovec *given, whole;
	void *address, *data;
	va_list args;
	pid_t pid;

	va_start(args, request);
	pid = va_arg(args, pid_t);
	address = va_arg(args, void *);
	data = va_arg(args, void *);
	va_end(args);
	if (!libc_ptrace)
		libc_ptrace = dlsym(RTLD_NEXT, "ptrace");
	if (request != PTRACE_SETREGSET || address != (void *)NT_X86_XSTATE)
		return libc_ptrace(request, pid, address, data);
	if (!state_size)
		learn_size(pid);
	given = data;
	whole = *given;
	if (whole.iov_len < state_size) {
		memcpy(state, whole.iov_base, whole.iov_len);
		memset(state + whole.iov_len, 0, state_size - whole.iov_len);
		whole = (struct iovec){ .iov_base = state, .iov_len = state_size };
	}
	return libc_ptrace(request, pid, address, &whole);
}
