// SPDX-License-Identifier: GPL-2.0
/*
 * What User-mode Linux asks of the host: its kernel, its helper threads, and the stubs in its
 * processes that map memory for them. The calls of the guest's processes themselves are not among
 * these: they are stopped by PTRACE_SYSEMU, before a filter sees them.
 *
 * There are two filters, of which the stricter verdict counts. The first kills for a call that is
 * not known here: no guest makes it but one that was taken over. The second refuses a known call
 * with arguments that are not, which an honest guest may be led to.
 */
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "lodge.h"
#include "syscall-filter.h"
#include "util.h"

/* Whatever the arguments; of those that do the same all, for libc is free to choose. */
static const int allowed[] = {
	/* what it has open, and what its sandbox has of files */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
	SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(dup2),
	SCMP_SYS(dup3), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(fallocate), SCMP_SYS(ftruncate), SCMP_SYS(open), SCMP_SYS(openat),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
	SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(getdents), SCMP_SYS(getdents64), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(truncate), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
	SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat),
	SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(chmod), SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchown), SCMP_SYS(lchown),
	SCMP_SYS(fchownat), SCMP_SYS(utime), SCMP_SYS(utimes), SCMP_SYS(futimesat),
	SCMP_SYS(utimensat), SCMP_SYS(umask), SCMP_SYS(getcwd),

	/* messages to who gave it the other end, and events */
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(sendto),
	SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(bind), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2),

	/* memory */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(madvise),

	/* processes, signals */
	SCMP_SYS(fork), SCMP_SYS(wait4), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(execve),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(gettid), SCMP_SYS(getpgrp),
	SCMP_SYS(getpgid), SCMP_SYS(setpgid), SCMP_SYS(setsid), SCMP_SYS(getsid),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigsuspend), SCMP_SYS(sigaltstack), SCMP_SYS(pause),
	SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield), SCMP_SYS(futex),

	/* time; the last three also for the guest's processes, by the host's vsyscall page */
	SCMP_SYS(timer_create), SCMP_SYS(timer_settime), SCMP_SYS(timer_gettime),
	SCMP_SYS(timer_delete), SCMP_SYS(setitimer), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getcpu),

	/* how a program starts */
	SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq), SCMP_SYS(getrandom), SCMP_SYS(uname), SCMP_SYS(getrlimit),
};

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
		    CLONE_NEWPID | CLONE_NEWNET)
#define PTRACE_OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)

/*
 * With such arguments only: @bits of argument @arg have @value. Several of one call are
 * alternatives.
 */
static const struct {
	int call;
	unsigned int arg;
	unsigned long bits, value;
} conditions[] = {
#define IS(call, arg, value) { SCMP_SYS(call), arg, ~0UL, value }
#define HAS_NONE(call, arg, bits) { SCMP_SYS(call), arg, bits, 0 }
	HAS_NONE(clone, 0, NAMESPACES),
	HAS_NONE(mmap, 3, MAP_HUGETLB),
	HAS_NONE(memfd_create, 1, ~(unsigned long)MFD_CLOEXEC),
	IS(socket, 0, AF_UNIX),
	IS(socketpair, 0, AF_UNIX),

	/* No devices: a sandbox made by root may hold file systems on which they work. */
	{ SCMP_SYS(mknod), 1, S_IFMT, 0 }, { SCMP_SYS(mknod), 1, S_IFMT, S_IFREG },
	{ SCMP_SYS(mknod), 1, S_IFMT, S_IFIFO }, { SCMP_SYS(mknod), 1, S_IFMT, S_IFSOCK },
	{ SCMP_SYS(mknodat), 2, S_IFMT, 0 }, { SCMP_SYS(mknodat), 2, S_IFMT, S_IFREG },
	{ SCMP_SYS(mknodat), 2, S_IFMT, S_IFIFO }, { SCMP_SYS(mknodat), 2, S_IFMT, S_IFSOCK },

	IS(fcntl, 1, F_DUPFD), IS(fcntl, 1, F_DUPFD_CLOEXEC), IS(fcntl, 1, F_GETFD),
	IS(fcntl, 1, F_SETFD), IS(fcntl, 1, F_GETFL), IS(fcntl, 1, F_SETFL),
	IS(fcntl, 1, F_GETLK), IS(fcntl, 1, F_SETLK), IS(fcntl, 1, F_SETLKW),
	IS(fcntl, 1, F_SETOWN), IS(fcntl, 1, F_SETSIG),

	IS(ioctl, 1, TCGETS), IS(ioctl, 1, TCSETS), IS(ioctl, 1, TCSETSW), IS(ioctl, 1, TCSETSF),
	IS(ioctl, 1, TIOCGWINSZ), IS(ioctl, 1, TIOCSCTTY), IS(ioctl, 1, TIOCGPGRP),
	IS(ioctl, 1, TIOCSPGRP), IS(ioctl, 1, BLKGETSIZE), IS(ioctl, 1, BLKGETSIZE64),

	/* Of its own children only: who it was not the parent of it could not reach by these. */
	IS(ptrace, 0, PTRACE_TRACEME), IS(ptrace, 0, PTRACE_CONT), IS(ptrace, 0, PTRACE_KILL),
	IS(ptrace, 0, PTRACE_SYSCALL), IS(ptrace, 0, PTRACE_SYSEMU),
	IS(ptrace, 0, PTRACE_SYSEMU_SINGLESTEP), IS(ptrace, 0, PTRACE_PEEKUSR),
	IS(ptrace, 0, PTRACE_POKEUSR), IS(ptrace, 0, PTRACE_GETREGS),
	IS(ptrace, 0, PTRACE_SETREGS), IS(ptrace, 0, PTRACE_GETFPREGS),
	IS(ptrace, 0, PTRACE_SETFPREGS), IS(ptrace, 0, PTRACE_GETREGSET),
	IS(ptrace, 0, PTRACE_SETREGSET), IS(ptrace, 0, PTRACE_GETSIGINFO),
	IS(ptrace, 0, PTRACE_ARCH_PRCTL),

	IS(prctl, 0, PR_SET_PDEATHSIG), IS(prctl, 0, PR_SET_NO_NEW_PRIVS),
	IS(prctl, 0, PR_SET_SECCOMP),
	IS(setrlimit, 0, RLIMIT_STACK),
};

static void add(scmp_filter_ctx filter, unsigned int action, int call, unsigned int n,
		const struct scmp_arg_cmp *args)
{
	int err = seccomp_rule_add_array(filter, action, call, n, args);

	if (err)
		die_errno(-err, "the filter of system calls: %s",
			  seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call));
}

/* Two conditions at once, which the table has no room for. */
static void add_pairs(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp get_limit[] = {
		SCMP_CMP(0, SCMP_CMP_EQ, 0), SCMP_CMP(2, SCMP_CMP_EQ, 0),
	};
	const struct scmp_arg_cmp set_stack[] = {
		SCMP_CMP(0, SCMP_CMP_EQ, 0), SCMP_CMP(1, SCMP_CMP_EQ, RLIMIT_STACK),
	};
	const struct scmp_arg_cmp set_options[] = {
		SCMP_CMP(0, SCMP_CMP_EQ, PTRACE_SETOPTIONS),
		SCMP_CMP(3, SCMP_CMP_MASKED_EQ, ~PTRACE_OPTIONS, 0),
	};
	const struct scmp_arg_cmp set_old_options[] = {
		SCMP_CMP(0, SCMP_CMP_EQ, PTRACE_OLDSETOPTIONS),
		SCMP_CMP(3, SCMP_CMP_MASKED_EQ, ~PTRACE_OPTIONS, 0),
	};

	add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), ARRAY_SIZE(get_limit), get_limit);
	add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), ARRAY_SIZE(set_stack), set_stack);
	add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ptrace), ARRAY_SIZE(set_options), set_options);
	add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ptrace), ARRAY_SIZE(set_old_options),
	    set_old_options);
}

/* What libc or an honest kernel may try, and can do without. */
static const struct {
	int call, err;
} refused[] = {
	{ SCMP_SYS(modify_ldt), ENOSYS },	/* 6.1 asks, and there is no 32-bit program */
	{ SCMP_SYS(clone3), ENOSYS },	/* its flags are in memory */
	{ SCMP_SYS(connect), EPERM },	/* a share may have the sockets of others in it */
	{ SCMP_SYS(listen), EPERM },
	{ SCMP_SYS(accept), EPERM },
	{ SCMP_SYS(setsockopt), EPERM },
	{ SCMP_SYS(execveat), EPERM },
	{ SCMP_SYS(sched_getaffinity), EPERM },
	{ SCMP_SYS(sysinfo), EPERM },
};

static scmp_filter_ctx new_filter(unsigned int otherwise)
{
	scmp_filter_ctx filter = seccomp_init(otherwise);
	size_t i;

	if (!filter ||
	    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS))
		die("the filter of system calls cannot be made");
	/* Older libraries have no binary search. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		add(filter, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
	return filter;
}

static scmp_filter_ctx known_calls(void)
{
	scmp_filter_ctx filter = new_filter(SCMP_ACT_KILL_PROCESS);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(conditions); i++)
		if (!i || conditions[i].call != conditions[i - 1].call)
			add(filter, SCMP_ACT_ALLOW, conditions[i].call, 0, NULL);
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		add(filter, SCMP_ACT_ALLOW, refused[i].call, 0, NULL);
	add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 0, NULL);
	return filter;
}

static scmp_filter_ctx known_arguments(void)
{
	scmp_filter_ctx filter = new_filter(SCMP_ACT_ERRNO(EPERM));
	struct scmp_arg_cmp condition;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(conditions); i++) {
		condition = ~conditions[i].bits ?
			SCMP_CMP(conditions[i].arg, SCMP_CMP_MASKED_EQ, conditions[i].bits,
				 conditions[i].value) :
			SCMP_CMP(conditions[i].arg, SCMP_CMP_EQ, conditions[i].value);
		add(filter, SCMP_ACT_ALLOW, conditions[i].call, 1, &condition);
	}
	add_pairs(filter);
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		if (refused[i].err != EPERM)
			add(filter, SCMP_ACT_ERRNO(refused[i].err), refused[i].call, 0, NULL);
	return filter;
}

/**
 * syscall_filter_write - the filters as programs, for who starts the guest
 * @fds: set to files in memory, which the caller closes
 *
 * Ends the program if they cannot be made.
 */
void syscall_filter_write(int fds[SYSCALL_FILTERS])
{
	scmp_filter_ctx filters[SYSCALL_FILTERS] = { known_calls(), known_arguments() };
	size_t i;

	for (i = 0; i < SYSCALL_FILTERS; i++) {
		fds[i] = memfd_create("filter", MFD_CLOEXEC);
		if (fds[i] < 0 || seccomp_export_bpf(filters[i], fds[i]) ||
		    lseek(fds[i], 0, SEEK_SET))
			die_errno(errno, "the filter of system calls");
		seccomp_release(filters[i]);
	}
}

/** syscall_filter_load - put the calling process, and what it becomes, behind the filters */
void syscall_filter_load(void)
{
	int fds[SYSCALL_FILTERS];
	struct sock_fprog program;
	struct stat st;
	size_t i;

	syscall_filter_write(fds);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die_errno(errno, "no_new_privs");
	/* Each allows what loads the next. */
	for (i = 0; i < SYSCALL_FILTERS; i++) {
		fstat(fds[i], &st);
		program.len = st.st_size / sizeof(*program.filter);
		program.filter = xcalloc(1, st.st_size);
		if (read(fds[i], program.filter, st.st_size) != st.st_size ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
			die_errno(errno, "the filter of system calls");
		free(program.filter);
		close(fds[i]);
	}
}
