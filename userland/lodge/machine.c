// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consoles.h"
#include "error.h"
#include "instance.h"
#include "launcher.h"
#include "lodge.h"
#include "machine.h"
#include "net.h"
#include "rundir.h"
#include "sandbox.h"
#include "util.h"

/* Where things are in the sandbox. */
#define IN_KERNEL "/linux"
#define IN_INITRAMFS "/initramfs"
#define IN_HOST "/host"			/* what hostfs shows: the shares, and */
#define IN_ROOTDIR ".rootdir"		/* for who has one, the directory that is / */
#define IN_UML "/" RUNDIR_UML

/* What the kernel keeps in IN_UML are sockets and its process number. */
#define UML_SIZE "1048576"
/* The file of its memory is longer than that by the gap between the kernel and its heap. */
#define FILE_SLACK (64ULL << 20)
/* The least memory that the kernel lets a thread of a guest have, and so its own limit of them. */
#define MEMORY_OF_THREAD (128ULL << 10)

struct arguments {
	const char **list;
	size_t n;
};

/* The list is the child's, which is about to become another program: nothing is freed. */
static void add(struct arguments *args, const char *arg)
{
	args->list = xrealloc(args->list, args->n + 2, sizeof(*args->list));
	args->list[args->n++] = arg;
	args->list[args->n] = NULL;
}

static void add_bind(struct arguments *args, const char *how, const char *from, const char *to)
{
	add(args, how);
	add(args, from);
	add(args, to);
}

/* It is to stay open in what lodge becomes. */
static void add_descriptor(struct arguments *args, const char *option, int fd)
{
	fcntl(fd, F_SETFD, 0);
	add(args, option);
	add(args, xasprintf("%d", fd));
}

/*
 * Under the names that they have outside: a COW file has the name of what is behind it in it. A
 * device has to be bound as such to be more than a name.
 */
static void add_disk(struct arguments *args, const struct disk *disk)
{
	const char *how = disk->readonly || disk->cow ? "--ro-bind" : "--bind";

	add_bind(args, disk->block ? "--dev-bind" : how, disk->file, disk->file);
	if (disk->cow)
		add_bind(args, "--bind", disk->cow, disk->cow);
}

/*
 * All that a guest needs of the host: its kernel, what it was given, /dev/null. The host
 * mounts the directory read-only: whatever becomes of the guest, it stays as it is. What is not
 * the host's is read-only, too, or of limited size: it is the host's memory.
 */
static void add_sandbox(struct arguments *args, const struct machine *m,
			const struct sandbox *sandbox)
{
	static const char *const flags[] = {
		SANDBOX, "--unshare-all", "--unshare-user", "--die-with-parent", "--cap-drop", "ALL",
		"--hostname", "lodge",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		add(args, flags[i]);
	add_bind(args, "--ro-bind", m->kernel, IN_KERNEL);
	add_bind(args, "--dev-bind", "/dev/null", "/dev/null");
	if (m->initramfs)
		add_bind(args, "--ro-bind", m->initramfs, IN_INITRAMFS);
	add(args, "--dir");
	add(args, IN_HOST);
	if (m->rootdir)
		add_bind(args, "--ro-bind", m->rootdir, IN_HOST "/" IN_ROOTDIR);
	for (i = 0; i < m->shares.n; i++)
		add_bind(args, m->shares.list[i].readonly ? "--ro-bind" : "--bind",
			 m->shares.list[i].path,
			 xasprintf(IN_HOST "/%s", m->shares.list[i].name));
	for (i = 0; i < m->disks.n; i++)
		add_disk(args, &m->disks.list[i]);
	add(args, "--size");
	add(args, UML_SIZE);
	add(args, "--tmpfs");
	add(args, IN_UML);
	add(args, "--remount-ro");
	add(args, "/");
	add(args, "--chdir");
	add(args, "/");
	for (i = 0; i < SYSCALL_FILTERS; i++)
		if (sandbox->filters[i] >= 0)
			add_descriptor(args, "--add-seccomp-fd", sandbox->filters[i]);
	add_descriptor(args, "--info-fd", sandbox->news[1]);
	add_descriptor(args, "--block-fd", sandbox->go[0]);
	add(args, "--");
}

/* What hostfs shows, and what init is to know of it: names that the kernel hands on to it. */
static void add_files(struct arguments *args, const struct machine *m)
{
	size_t i;

	if (m->sandbox) {
		add(args, xasprintf("hostfs=" IN_HOST "%s", geteuid() ? ",nobody=root" : ""));
		add(args, "lodge_rootdir=" IN_ROOTDIR);
	} else if (m->rootdir) {
		add(args, xasprintf("hostfs=%s", m->rootdir));
	}
	for (i = 0; m->rootdir && i < m->shares.n; i++)
		add(args, xasprintf("lodge_share%zu=%s:%s", i, m->shares.list[i].name,
				    m->shares.list[i].path));
}

/*
 * Disks hold an init that asks for its addresses itself. For kernels that do not ask for their
 * devices, these and the disks are on the command line, too.
 */
static void add_networks(struct arguments *args, const struct machine *m)
{
	size_t i;

	for (i = 0; m->net && i < m->net->n; i++) {
		fcntl(m->net->interfaces[i].guest_end, F_SETFD, 0);
		add(args, net_kernel_argument(m->net, i));
		if (m->rootdir)
			add(args, net_init_argument(m->net, i));
	}
}

static void add_consoles(struct arguments *args, const struct machine *m)
{
	char **list;

	if (m->consoles) {
		for (list = consoles_pass_on(m->consoles); *list; list++)
			add(args, *list);
		return;
	}
	add(args, "con0=null,fd:1");
	/* Else the kernel adds it itself, behind what is for init. */
	add(args, "console=tty0");
	fcntl(m->channel, F_SETFD, 0);
	add(args, xasprintf("ssl0=fd:%d", m->channel));
}

/* What follows the two dashes the kernel hands on as it is. */
static void add_init(struct arguments *args, char *const *init)
{
	if (!init || !*init)
		return;
	add(args, xasprintf("init=%s", *init));
	for (add(args, "--"); *++init; )
		add(args, (*init)[strcspn(*init, " \t")] || !**init ?
		    xasprintf("\"%s\"", *init) : *init);
}

static void add_kernel(struct arguments *args, const struct machine *m)
{
	size_t i;

	add(args, m->sandbox ? IN_KERNEL : m->kernel);
	add(args, xasprintf("mem=%lluK", m->memory / 1024));
	if (m->initramfs)
		add(args, xasprintf("initrd=%s", m->sandbox ? IN_INITRAMFS : m->initramfs));
	add_files(args, m);
	add_consoles(args, m);
	for (i = 0; i < m->disks.n; i++)
		add(args, disk_argument(&m->disks, i));
	if (!m->rootdir)
		add(args, m->disks.list[0].readonly ? "root=/dev/ubda ro" : "root=/dev/ubda rw");
	/* Where its management console is: what it calls itself is its directory there. */
	add(args, m->sandbox ? "uml_dir=" IN_UML "/" :
	    xasprintf("uml_dir=%s/" RUNDIR_UML "/", getcwd(NULL, 0)));
	add(args, "umid=k");
	add(args, xasprintf("host_devices=%d", m->host));
	/* Where a guest meets its own limit first, it says so in its own words. */
	if (m->processes < m->memory / MEMORY_OF_THREAD)
		add(args, xasprintf("sysctl.kernel.threads-max=%lu", m->processes));
	add_networks(args, m);
	if (m->append)
		add(args, m->append);
	add_init(args, m->init);
}

/*
 * Its root reaches its disks as files, too: none shall become longer than it is. A share has no
 * limit but the host's.
 */
static rlim_t longest_file(const struct machine *m)
{
	rlim_t most = m->memory + FILE_SLACK;
	struct stat st;
	size_t i;

	/* In the host's kernel no limit holds it, and its disks' threads would keep this one. */
	if (m->instance >= 0)
		return RLIM_INFINITY;
	for (i = 0; i < m->shares.n; i++)
		if (!m->shares.list[i].readonly)
			return RLIM_INFINITY;
	for (i = 0; i < m->disks.n; i++) {
		const struct disk *disk = &m->disks.list[i];

		if (!disk->readonly && !stat(disk->cow ? disk->cow : disk->file, &st) &&
		    S_ISREG(st.st_mode) && (rlim_t)st.st_size > most)
			most = st.st_size;
	}
	return most;
}

static noreturn void become_guest(const struct machine *m, const struct sandbox *sandbox)
{
	const struct rlimit no_core = { 0, 0 };
	struct arguments args = { 0 };
	char *environment[3] = { "PATH=/usr/bin:/bin" };
	int null;

	umask(077);
	/* Only the launcher's end ends the guest; the terminal's signals do not reach it. */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	launcher_release_signals();
	setrlimit(RLIMIT_CORE, &no_core);
	/* A file that would be too long is an error, not the guest's end. */
	signal(SIGXFSZ, SIG_IGN);
	if (m->nice)
		setpriority(PRIO_PROCESS, 0, m->nice);
	/* Else the gap between the kernel and its heap would count as its memory. */
	personality(ADDR_NO_RANDOMIZE);
	null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, 0) < 0 || dup2(m->log, 1) < 0 || dup2(m->log, 2) < 0)
		_exit(error_status());
	/* Nor does what lodge itself was started with. */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	fcntl(m->host, F_SETFD, 0);
	if (m->instance >= 0) {
		fcntl(m->instance, F_SETFD, 0);
		environment[1] = xasprintf(INSTANCE_VARIABLE "=%d", m->instance);
	}
	if (m->sandbox)
		add_sandbox(&args, m, sandbox);
	else if (m->filter)
		syscall_filter_load();
	add_kernel(&args, m);
	execvpe(args.list[0], (char *const *)args.list, environment);
	if (m->sandbox)
		dprintf(2, SANDBOX ": %s\n", strerror(errno));
	else
		dprintf(2, "%s: %s\n", args.list[0], strerror(errno));
	_exit(error_status());
}

/**
 * machine_start - start a full guest
 * @machine: with what
 *
 * It ends when the calling process does.
 *
 * Return: its process, a child of the caller's; ends the program on failure.
 */
pid_t machine_start(struct machine *machine)
{
	const struct limits limits = { machine->processes, longest_file(machine) };
	struct sandbox sandbox;
	pid_t lodge = getpid();
	pid_t pid;

	if (machine->sandbox)
		sandbox_open(&sandbox, machine->filter);
	else if (mkdir(RUNDIR_UML, 0700))
		die_guest(machine->name, RUNDIR_UML, "%s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die_errno(errno, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != lodge)
			_exit(error_status());
		become_guest(machine, &sandbox);
	}
	machine->begun = !machine->sandbox ||
			 sandbox_begin(&sandbox, machine->name, &limits);
	return pid;
}

/**
 * machine_reason - what to say about a guest that has ended by itself
 * @machine: the guest
 * @status: exit status of its process
 * @log: the last lines of its log
 *
 * Return: words that the caller frees, or NULL when the log has to speak for itself.
 */
char *machine_reason(const struct machine *machine, int status, const char *log)
{
	const char *line = machine->begun ? NULL : strstr(log, SANDBOX ": ");
	int length;

	if (status == 128 + SIGSYS)
		return xstrdup("its kernel was killed for a system call of the host that no guest "
			       "needs (SIGSYS): it was taken over, or has an error; the host's "
			       "kernel log may name the call (type=1326)");
	/* Once the sandbox is made, all that is said is the guest's. */
	if (!line)
		return NULL;
	length = strcspn(line, "\n");
	return xasprintf("the sandbox could not be made (%.*s): install bubblewrap, allow user "
			 "namespaces, or take --no-sandbox", length, line);
}
