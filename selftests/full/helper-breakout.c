// SPDX-License-Identifier: GPL-2.0
/*
 * Started in place of a guest's kernel: does what somebody would who has taken it over. Prints a
 * line for each attempt: "killed", "refused" or "DONE", and by what.
 *
 * Arguments, among those that are for the kernel: breakout_pid=N, a process of the host;
 * breakout_abstract=NAME, an abstract socket there; breakout_socket=PATH, a socket in a share;
 * breakout_disk=PATH, a disk; breakout_bomb=1: fork, too; breakout_control=1: only the calls
 * that the filter kills for, to see what they do without it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIB 1048576
#define X32 0x40000000

/* NAME=VALUE: one argument may hold several. */
static const char *given(char **argv, const char *name)
{
	static char value[256];
	const char *at;

	for (; *argv; argv++) {
		at = strstr(*argv, name);
		if (at && sscanf(at + strlen(name), "=%255s", value) == 1)
			return value;
	}
	return "0";
}

/* Calls that no guest makes; with arguments that do nothing where they are allowed. */
static const struct {
	const char *name;
	long number, args[5];
} calls[] = {
#define CALL(name, ...) { #name, SYS_##name, { __VA_ARGS__ } }
	CALL(acct),
	CALL(add_key),
	CALL(bpf, -1),
	CALL(chroot, (long)"/"),
	CALL(clock_settime),
	CALL(delete_module, (long)"none"),
	CALL(fanotify_init),
	CALL(finit_module, -1),
	CALL(fsopen, (long)"none"),
	CALL(init_module),
	CALL(inotify_init1),
	CALL(io_setup, 1),
	CALL(io_uring_enter, -1),
	CALL(io_uring_setup, 1),
	CALL(ioperm),
	CALL(iopl),
	CALL(kcmp, 1, 1),
	CALL(kexec_load),
	CALL(keyctl),
	CALL(mlockall, MCL_CURRENT),
	CALL(mount, (long)"none", (long)"/uml", (long)"tmpfs"),
	CALL(move_mount, -1),
	CALL(move_pages),
	CALL(mq_open, (long)"q"),
	CALL(msgget, 1),
	CALL(name_to_handle_at, AT_FDCWD),
	CALL(open_by_handle_at, AT_FDCWD),
	CALL(open_tree, AT_FDCWD, (long)"/"),
	CALL(perf_event_open),
	CALL(personality, 0xffffffff),
	CALL(pidfd_getfd, -1),
	CALL(pidfd_open, 1),
	CALL(pivot_root, (long)"/", (long)"/uml"),
	CALL(process_madvise, -1),
	CALL(process_vm_readv, 1),
	CALL(process_vm_writev, 1),
	CALL(quotactl),
	CALL(request_key),
	CALL(sched_setscheduler),
	CALL(seccomp, -1),
	CALL(semget, 1),
	CALL(setdomainname, (long)"x", 1),
	CALL(sethostname, (long)"x", 1),
	CALL(setns, -1),
	CALL(setpriority, PRIO_PROCESS, 0, 0),
	CALL(setuid, 65534),
	CALL(setxattr, (long)"/"),
	CALL(shmget, 1),
	CALL(splice, -1, 0, -1),
	CALL(swapon),
	CALL(syslog, 10),
	CALL(umount2, (long)"/uml"),
	CALL(unshare, CLONE_NEWUSER),
	CALL(userfaultfd),
	CALL(vhangup),
	CALL(vmsplice, -1),
	{ "x32 getpid", X32 | SYS_getpid, { 0 } },
};

static char **args;

/* Errors are returned as -1 with errno, by all of these. */
static int inet_socket(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static int packet_socket(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static int netlink_socket(void) { return socket(AF_NETLINK, SOCK_RAW, 0); }
static int vsock_socket(void) { return socket(AF_VSOCK, SOCK_STREAM, 0); }

static int namespace(void)
{
	return syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
}

static int read_ldt(void)
{
	char table[64];

	return syscall(SYS_modify_ldt, 0, table, sizeof(table));
}

static int clone3_namespace(void)
{
	struct clone_args how = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };

	return syscall(SYS_clone3, &how, sizeof(how));
}

static int exec_at(void)
{
	return syscall(SYS_execveat, AT_FDCWD, "/linux", NULL, NULL, 0);
}

static int push_input(void) { return ioctl(1, TIOCSTI, "x"); }

/* The kernel looks at the lower half of the number only. */
static int push_input_disguised(void) { return syscall(SYS_ioctl, 1, TIOCSTI | 1UL << 32, "x"); }
static int console_ioctl(void) { return ioctl(1, TIOCLINUX, "\2"); }
static int huge_pages(void)
{
	void *memory = mmap(NULL, 2 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
			    -1, 0);

	return memory == MAP_FAILED ? -1 : 0;
}

static int huge_memfd(void) { return memfd_create("x", MFD_HUGETLB); }
static int device(void) { return mknod("/uml/device", S_IFBLK | 0600, 0x100); }
static int seize(void) { return ptrace(PTRACE_SEIZE, 1, NULL, NULL); }
static int attach(void) { return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL); }

/* PTRACE_O_SUSPEND_SECCOMP */
static int suspend_filter(void)
{
	return ptrace(PTRACE_SETOPTIONS, getppid(), NULL, 1L << 21);
}

static int raise_limit(void)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_FSIZE, &none);
}

static int dumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

static int connect_unix(int type)
{
	struct sockaddr_un there = { .sun_family = AF_UNIX };

	strncpy(there.sun_path, given(args, "breakout_socket"), sizeof(there.sun_path) - 1);
	return connect(socket(AF_UNIX, type, 0), (void *)&there, sizeof(there));
}

static int connect_share(void) { return connect_unix(SOCK_STREAM); }

/* In a network namespace of its own nobody listens at it. */
static int send_abstract(void)
{
	const char *name = given(args, "breakout_abstract");
	struct sockaddr_un there = { .sun_family = AF_UNIX };

	strncpy(there.sun_path + 1, name, sizeof(there.sun_path) - 2);
	return sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "", 1, 0, (void *)&there,
		      offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static int signal_host(void) { return kill(atoi(given(args, "breakout_pid")), 0); }
static int write_root(void) { return open("/file", O_WRONLY | O_CREAT, 0600); }
static int write_kernel(void) { return open("/linux", O_WRONLY); }
static int write_rootdir(void) { return open("/host/.rootdir/tmp/x", O_WRONLY | O_CREAT, 0600); }

static int grow_disk(void)
{
	int fd = open(given(args, "breakout_disk"), O_WRONLY);
	struct stat st;

	return fd < 0 || fstat(fd, &st) ? 0 : pwrite(fd, "x", 1, st.st_size);
}

static int truncate_disk(void)
{
	return truncate(given(args, "breakout_disk"), 1L << 32);
}

/* Known calls with arguments that are not, and what the sandbox does not have. */
static const struct {
	const char *name;
	int (*attempt)(void);
} attempts[] = {
	{ "AF_INET", inet_socket },
	{ "AF_NETLINK", netlink_socket },
	{ "AF_PACKET", packet_socket },
	{ "AF_VSOCK", vsock_socket },
	{ "PR_SET_DUMPABLE", dumpable },
	{ "PTRACE_ATTACH", attach },
	{ "PTRACE_O_SUSPEND_SECCOMP", suspend_filter },
	{ "PTRACE_SEIZE", seize },
	{ "TIOCLINUX", console_ioctl },
	{ "TIOCSTI", push_input },
	{ "TIOCSTI with more bits", push_input_disguised },
	{ "a device", device },
	{ "a file beyond its limit", truncate_disk },
	{ "a longer disk", grow_disk },
	{ "a namespace", namespace },
	{ "a namespace by clone3", clone3_namespace },
	{ "a process of the host", signal_host },
	{ "a socket in a share", connect_share },
	{ "an abstract socket", send_abstract },
	{ "an LDT", read_ldt },
	{ "another limit", raise_limit },
	{ "execveat", exec_at },
	{ "huge memfd", huge_memfd },
	{ "huge pages", huge_pages },
	{ "the kernel's file", write_kernel },
	{ "the root directory", write_root },
	{ "what is below --rootdir", write_rootdir },
};

static const char *const hidden[] = {
	"/boot", "/dev/fuse", "/dev/kvm", "/dev/mem", "/dev/net/tun", "/dev/ptmx", "/dev/shm",
	"/dev/tty", "/etc", "/home", "/proc", "/root", "/run", "/sys", "/tmp", "/usr", "/var",
};

static void report(const char *name, pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		printf("LOST %s\n", name);
	else if (WIFSIGNALED(status))
		printf("killed %s: %s\n", name, strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		printf("refused %s: %s\n", name, strerrorname_np(WEXITSTATUS(status)));
	else
		printf("DONE %s\n", name);
}

static void try_calls(void)
{
	pid_t child;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		child = fork();
		if (!child)
			_exit(syscall(calls[i].number, calls[i].args[0], calls[i].args[1],
				      calls[i].args[2], calls[i].args[3], calls[i].args[4]) < 0 ?
			      errno : 0);
		report(calls[i].name, child);
	}
	child = fork();
	if (!child) {
		long pid;

		/* getpid of i386 */
		asm volatile("int $0x80" : "=a" (pid) : "a" (20) : "memory");
		_exit(pid < 0 ? -pid : 0);
	}
	report("i386 getpid", child);
}

static void try_attempts(void)
{
	pid_t child;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(attempts); i++) {
		child = fork();
		if (!child)
			_exit(attempts[i].attempt() < 0 ? errno : 0);
		report(attempts[i].name, child);
	}
}

static void look(void)
{
	struct stat st;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(hidden); i++)
		if (!access(hidden[i], F_OK))
			printf("SEEN %s\n", hidden[i]);
	for (i = 0; environ[i]; i++)
		printf("environment %s\n", environ[i]);
	for (fd = 0; fd < 1024; fd++)
		if (!fstat(fd, &st))
			printf("descriptor %d: %s\n", fd,
			       S_ISSOCK(st.st_mode) ? "socket" : S_ISFIFO(st.st_mode) ? "pipe" :
			       S_ISCHR(st.st_mode) ? "character device" : "FILE");
}

/* As many files as it takes. */
static void fill(void)
{
	static char block[65536];
	long written = 0;
	ssize_t n = 1;
	int fd = open("/uml/filler", O_WRONLY | O_CREAT, 0600);

	while (fd >= 0 && n > 0 && written < 64 * MIB) {
		n = write(fd, block, sizeof(block));
		if (n > 0)
			written += n;
	}
	printf("filled %ld KiB: %s\n", written / 1024, n < 0 ? strerrorname_np(errno) : "WENT ON");
	unlink("/uml/filler");
}

static void bomb(void)
{
	int count = 0, most = 100000, i, err;
	pid_t child;

	for (i = 0; i < most; i++) {
		child = fork();
		if (child < 0)
			break;
		if (!child) {
			pause();
			_exit(0);
		}
		count++;
	}
	err = errno;
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	printf("forked %d: %s\n", count, strerrorname_np(err));
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	setsid();
	args = argv + !!argc;
	try_calls();
	if (strcmp(given(args, "breakout_control"), "0")) {
		puts("the end");
		return 0;
	}
	try_attempts();
	look();
	fill();
	if (strcmp(given(args, "breakout_bomb"), "0"))
		bomb();
	puts("the end");
	return 0;
}
