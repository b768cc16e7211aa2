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

#include "error.h"
#include "instance.h"
#include "launcher.h"
#include "lodge.h"
#include "machine.h"
#include "net.h"
#include "rundir.h"
#include "util.h"

#define SANDBOX "bwrap"

/* Where things are in the sandbox. */
#define IN_KERNEL "/linux"
#define IN_INITRAMFS "/initramfs"
#define IN_HOST "/host"			/* what hostfs shows: the shares, and */
#define IN_ROOTDIR ".rootdir"		/* for who has one, the directory that is / */
#define IN_UML "/" RUNDIR_UML

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
 * mounts the directory read-only: whatever becomes of the guest, it stays as it is.
 */
static void add_sandbox(struct arguments *args, const struct machine *m)
{
	static const char *const flags[] = {
		SANDBOX, "--unshare-all", "--die-with-parent", "--cap-drop", "ALL",
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
	add_bind(args, "--bind", RUNDIR_UML, IN_UML);
	add(args, "--chdir");
	add(args, "/");
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

/* Disks hold an init that asks for its addresses itself. */
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
	add(args, m->console < 0 ? "con0=null,fd:1" : xasprintf("con0=fd:%d", m->console));
	/* Else the kernel adds it itself, behind what is for init. */
	add(args, "console=tty0");
	for (i = 0; i < m->disks.n; i++)
		add(args, disk_argument(&m->disks, i));
	if (!m->rootdir)
		add(args, m->disks.list[0].readonly ? "root=/dev/ubda ro" : "root=/dev/ubda rw");
	if (m->channel >= 0)
		add(args, xasprintf("ssl0=fd:%d", m->channel));
	/* Where its management console is: what it calls itself is its directory there. */
	add(args, m->sandbox ? "uml_dir=" IN_UML "/" :
	    xasprintf("uml_dir=%s/" RUNDIR_UML "/", getcwd(NULL, 0)));
	add(args, "umid=k");
	add_networks(args, m);
	if (m->append)
		add(args, m->append);
	add_init(args, m->init);
}

static noreturn void become_guest(const struct machine *m)
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
	/* Else the gap between the kernel and its heap would count as its memory. */
	personality(ADDR_NO_RANDOMIZE);
	null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, 0) < 0 || dup2(m->log, 1) < 0 || dup2(m->log, 2) < 0)
		_exit(error_status());
	/* Nor does what lodge itself was started with. */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (m->channel >= 0)
		fcntl(m->channel, F_SETFD, 0);
	if (m->console >= 0)
		fcntl(m->console, F_SETFD, 0);
	if (m->instance >= 0) {
		fcntl(m->instance, F_SETFD, 0);
		environment[1] = xasprintf(INSTANCE_VARIABLE "=%d", m->instance);
	}
	if (m->sandbox)
		add_sandbox(&args, m);
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
pid_t machine_start(const struct machine *machine)
{
	pid_t lodge = getpid();
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die_errno(errno, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != lodge)
			_exit(error_status());
		become_guest(machine);
	}
	return pid;
}

/**
 * machine_log_reason - what to say about a guest that ended before it had begun
 * @log: the last lines of its log
 *
 * Return: advice that the caller frees, or NULL when the log has to speak for itself.
 */
char *machine_log_reason(const char *log)
{
	const char *line = strstr(log, SANDBOX ": ");
	int length;

	/* The sandbox was made, but the kernel is not one. */
	if (!line || strstr(line, ": execvp "))
		return NULL;
	length = strcspn(line, "\n");
	return xasprintf("the sandbox could not be made (%.*s): install bubblewrap, allow user "
			 "namespaces, or take --no-sandbox", length, line);
}
