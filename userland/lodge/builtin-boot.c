// SPDX-License-Identifier: GPL-2.0
/* lodge boot: full guests, from the command line or from a file that describes them. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot.h"
#include "disk.h"
#include "error.h"
#include "guest-files.h"
#include "guests.h"
#include "instance.h"
#include "kernel-log.h"
#include "launcher.h"
#include "lodge.h"
#include "net.h"
#include "rundir.h"
#include "size.h"
#include "util.h"

#define MEMORY_MIN (32ULL << 20)
#define MEMORY_DEFAULT (256ULL << 20)
#define PROCESSES_DEFAULT 2048
#define LOG_LINES 40

enum {
	OPT_APPEND = OPT_LONG_ONLY, OPT_CONSOLE, OPT_COW, OPT_DISK, OPT_FOREGROUND, OPT_HOST,
	OPT_KERNEL, OPT_NET, OPT_NICE, OPT_NO_SANDBOX, OPT_NO_SECCOMP, OPT_PROCESSES, OPT_RECORD,
	OPT_ROOT, OPT_ROOTDIR, OPT_SERIAL, OPT_SHARE,
};

const struct option boot_options[] = {
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "chdir", required_argument, NULL, 'C' },
	{ "console", required_argument, NULL, OPT_CONSOLE },
	{ "cow", required_argument, NULL, OPT_COW },
	{ "detach", no_argument, NULL, 'd' },
	{ "disk", required_argument, NULL, OPT_DISK },
	{ "env", required_argument, NULL, 'e' },
	{ "file", required_argument, NULL, 'f' },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "help", no_argument, NULL, 'h' },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "memory", required_argument, NULL, 'm' },
	{ "name", required_argument, NULL, 'n' },
	{ "net", required_argument, NULL, OPT_NET },
	{ "nice", required_argument, NULL, OPT_NICE },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "no-seccomp", no_argument, NULL, OPT_NO_SECCOMP },
	{ "processes", required_argument, NULL, OPT_PROCESSES },
	{ "publish", required_argument, NULL, 'p' },
	{ "record", required_argument, NULL, OPT_RECORD },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "rootdir", required_argument, NULL, OPT_ROOTDIR },
	{ "serial", required_argument, NULL, OPT_SERIAL },
	{ "share", required_argument, NULL, OPT_SHARE },
	{ "verbose", no_argument, NULL, 'v' },
	{ 0 }
};

/* How lodge is called, not what the guest is: no keys of a description. */
static const int not_keys[] = { 'd', 'f', 'h', 'n', 'v', OPT_FOREGROUND };

/* In a description, a second one in the same guest is a mistake. */
static const int given_once[] = {
	OPT_APPEND, 'C', OPT_COW, OPT_HOST, OPT_KERNEL, 'm', OPT_NICE, OPT_PROCESSES, OPT_RECORD,
	OPT_ROOT, OPT_ROOTDIR,
};

/* What is made of several options once all are known. */
static struct {
	const char *kernel, *root, *cow;
	const char *disks[DISKS_MAX + 1];
	const char **published;
	size_t n, n_published;
	const char *file;
	bool foreground, in_kernel;
} given;

static unsigned long long parse_memory(const char *text)
{
	unsigned long long bytes;

	if (!size_parse(text, &bytes) || bytes == SIZE_NO_LIMIT)
		die("--memory: %s: not a size", text);
	if (bytes < MEMORY_MIN)
		die("--memory: %s: a full guest needs 32M at least", text);
	if (bytes > 1ULL << 38)
		die("--memory: %s: a full guest takes 256G at most", text);
	return bytes;
}

static unsigned long parse_number(const char *option, const char *text, unsigned long least,
				  unsigned long most)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (end == text || *end || *text == '-')
		die("%s: %s: not a number", option, text);
	if (errno || number < least || number > most)
		die("%s: %s: must be from %lu to %lu", option, text, least, most);
	return number;
}

/**
 * boot_take_option - note what an option says of a guest, or end the program with the reason
 * @boot: the guest
 * @opt: the option's value in boot_options
 * @value: what it was given, stays the caller's, or NULL
 */
void boot_take_option(struct boot *boot, int opt, const char *value)
{
	struct machine *m = &boot->machine;

	switch (opt) {
	case OPT_APPEND:
		m->append = value;
		break;
	case 'C':
		boot->directory = value;
		break;
	case OPT_CONSOLE:
		consoles_add(&boot->consoles, false, value);
		break;
	case OPT_COW:
		given.cow = value;
		break;
	case 'd':
		boot->detach = true;
		break;
	case OPT_DISK:
		if (given.n > DISKS_MAX)
			die("--disk: a guest has %d disks at most", DISKS_MAX);
		given.disks[given.n++] = value;
		break;
	case 'e':
		order_variable(&boot->environment, value);
		break;
	case 'f':
		given.file = value;
		break;
	case OPT_FOREGROUND:
		given.foreground = true;
		break;
	case 'h':
		puts(cmd_boot.usage);
		exit(0);
	case OPT_HOST:
		given.in_kernel = !strcmp(value, "module");
		if (!given.in_kernel && strcmp(value, "user"))
			die_usage("boot", "--host: %s: user or module", value);
		break;
	case OPT_KERNEL:
		given.kernel = value;
		break;
	case 'm':
		m->memory = parse_memory(value);
		break;
	case 'n':
		m->name = value;
		break;
	case OPT_NET:
		net_add(&boot->net, value);
		break;
	case OPT_NICE:
		m->nice = parse_number("--nice", value, 0, 19);
		break;
	case OPT_NO_SANDBOX:
		m->sandbox = false;
		break;
	case OPT_NO_SECCOMP:
		m->filter = false;
		break;
	case OPT_PROCESSES:
		m->processes = parse_number("--processes", value, PROCESSES_MIN, PROCESSES_MAX);
		break;
	case 'p':
		given.published = xrealloc(given.published, given.n_published + 1,
					   sizeof(*given.published));
		given.published[given.n_published++] = value;
		break;
	case OPT_RECORD:
		boot->consoles.record = value;
		break;
	case OPT_ROOT:
		given.root = value;
		break;
	case OPT_ROOTDIR:
		boot->rootdir = value;
		break;
	case OPT_SERIAL:
		consoles_add(&boot->consoles, true, value);
		break;
	case OPT_SHARE:
		shares_add(&m->shares, value);
		break;
	case 'v':
		boot->verbose = true;
		break;
	default:
		die_usage("boot", NULL);
	}
}

static void add_disks(struct boot *boot)
{
	struct disks *disks = &boot->machine.disks;
	size_t i;

	if (given.root)
		disks_add(disks, "--root", given.root, given.cow);
	for (i = 0; i < given.n; i++)
		disks_add(disks, "--disk", given.disks[i], NULL);
}

/** boot_check - see whether all options go together, or end the program with the reason */
void boot_check(struct boot *boot)
{
	size_t i;

	for (i = 0; i < given.n_published; i++)
		net_publish(&boot->net, given.published[i]);
	free(given.published);
	boot->named = boot->machine.name;
	if (boot->rootdir && given.root)
		die_usage("boot", "--rootdir and --root exclude each other");
	if (given.cow && !given.root)
		die_usage("boot", "--cow needs --root: which image it is over");
	if (boot->machine.shares.n && !boot->machine.sandbox)
		die_usage("boot", "--share needs the sandbox: only that keeps the guest in there");
	if (!boot->rootdir && !given.root)
		die_usage("boot", "--root or --rootdir is needed: what the guest finds as its files");
}

/* All that a description leaves to the command line: guests to start, and where. */
static int start_described(const char **names, size_t n, int argc, char **argv)
{
	int opt;

	for (;;) {
		while ((opt = getopt_long(argc, argv, "+", boot_options, NULL)) >= 0) {
			if (opt != OPT_FOREGROUND)
				die_usage("boot", "with --file, what a guest is stands in the file");
			given.foreground = true;
		}
		if (optind == argc)
			break;
		names[n++] = argv[optind++];
	}
	return boot_file(given.file, names, given.foreground);
}

static void parse(struct boot *boot, int argc, char **argv)
{
	const char **names cleanup_free = xcalloc(argc + 1, sizeof(*names));
	int opt, options_given = 0;

	/* Nothing can be run before it is said over what: a first word is the name. */
	if (argc > 1 && argv[1][0] != '-') {
		boot->machine.name = argv[1];
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	while ((opt = getopt_long(argc, argv, "+C:de:f:hm:n:p:v", boot_options, NULL)) >= 0) {
		boot_take_option(boot, opt, optarg);
		options_given++;
	}
	if (given.file) {
		if (options_given > 1 + given.foreground)
			die_usage("boot", "with --file, what a guest is stands in the file");
		names[0] = boot->machine.name;
		exit(start_described(names, !!names[0], argc, argv));
	}
	if (given.foreground)
		die_usage("boot", "--foreground is for guests of a --file");
	boot->command = argv + optind;
	boot_check(boot);
}

static bool is_among(int opt, const int *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i] == opt)
			return true;
	return false;
}

/** boot_is_key - whether an option can stand in a description, under its long name */
bool boot_is_key(const struct option *option)
{
	return !is_among(option->val, not_keys, ARRAY_SIZE(not_keys));
}

/** boot_is_given_once - whether a guest has one value of an option at most */
bool boot_is_given_once(const struct option *option)
{
	return option->has_arg == no_argument ||
	       is_among(option->val, given_once, ARRAY_SIZE(given_once));
}

static noreturn void name_is_taken(const char *guest)
{
	die_guest(guest, NULL, "there is a full guest of this name already");
}

/* What a guest without a name is called after. */
static char *new_name(const struct boot *boot)
{
	return guest_new_name(boot->rootdir ? boot->command[0] : boot->machine.disks.list[0].file);
}

/* Only while it has the name is nobody else's guest called so; the directory changes. */
static void claim_name(struct boot *boot)
{
	struct machine *m = &boot->machine;

	if (!boot->named)
		m->name = new_name(boot);
	while (!rundir_claim(m->name)) {
		if (boot->named)
			name_is_taken(m->name);
		m->name = new_name(boot);
	}
}

/**
 * boot_start - start the guest, and tell others of it
 * @boot: whose files are all open
 *
 * Return: its process; ends the program on failure.
 */
pid_t boot_start(struct boot *boot)
{
	pid_t pid;

	mconsole_relay_open(&boot->management);
	boot->machine.net = &boot->net;
	net_start(&boot->net, boot->machine.name);
	devices_open(&boot->devices, boot->machine.name, &boot->machine.disks, &boot->net,
		     &boot->management);
	boot->machine.host = boot->devices.guest_end;
	launcher_hold_signals();
	if (boot->module) {
		instance_open(&boot->instance, boot->machine.name, boot->module);
		boot->machine.instance = boot->instance.fd;
		boot->consoles.instance = boot->instance.fd;
		rundir_write(RUNDIR_INSTANCE, boot->instance.number);
	}
	pid = machine_start(&boot->machine);
	rundir_write(RUNDIR_MEMORY, boot->machine.memory);
	rundir_write(RUNDIR_PID, pid);
	close(boot->devices.guest_end);
	return pid;
}

/**
 * boot_ended - give back what of the host's a guest had whose process has ended
 * @boot: with it
 */
void boot_ended(struct boot *boot)
{
	if (boot->module)
		instance_close(&boot->instance, boot->machine.name);
}

/**
 * boot_failed - say why a guest has ended
 * @boot: whose log has its last words
 * @status: exit status of its process
 * @how: it has ended, if there is no better reason
 * @show: its last words, too
 *
 * Return: the status to end with.
 */
int boot_failed(const struct boot *boot, int status, const char *how, bool show)
{
	char *tail cleanup_free = NULL;
	const char *name = boot->machine.name;
	char *reason;

	if (!access(RUNDIR_KILLED, F_OK)) {
		warn_guest(name, NULL, "ended by lodge kill");
		return 128 + SIGKILL;
	}
	if (!access(RUNDIR_HALTED, F_OK))
		return 0;
	tail = kernel_log_tail(boot->log, LOG_LINES);
	reason = machine_reason(&boot->machine, status, tail);
	if (reason) {
		warn_guest(name, NULL, "%s", reason);
		free(reason);
		return error_status();
	}
	if (*boot->instance.reason)
		how = boot->instance.reason;
	warn_guest(name, NULL, "%s%s", how, *tail && show ? "; its kernel's last words:" : "");
	if (show)
		fputs(tail, stderr);
	return error_status();
}

/**
 * boot_init - a guest of which nothing has been said yet
 * @boot: filled in
 */
void boot_init(struct boot *boot)
{
	*boot = (struct boot){
		.machine = {
			.memory = MEMORY_DEFAULT, .processes = PROCESSES_DEFAULT,
			.sandbox = true, .filter = true, .channel = -1, .instance = -1,
		},
		.consoles = { .instance = -1 },
		.log = xcalloc(1, sizeof(*boot->log)),
	};
}

/**
 * boot_run - start a guest and serve it until it ends
 * @boot: what was asked for
 *
 * Return: the exit status of its command, of the guest, or lodge's own.
 */
int boot_run(struct boot *boot)
{
	int status;

	if (boot->named) {
		guest_check_name(boot->machine.name);
		if (rundir_exists(boot->machine.name))
			name_is_taken(boot->machine.name);
	}
	add_disks(boot);
	if (given.in_kernel) {
		boot->module = instance_module(given.kernel);
		boot->machine.kernel = guest_file(NULL, "enter");
		/* Its processes make the guest's calls; the host's are the module's. */
		boot->machine.filter = false;
	} else {
		boot->machine.kernel = guest_file(given.kernel, "linux");
	}
	if (boot->rootdir)
		boot_command_check(boot);
	else
		boot_system_check(boot);
	if (boot->detach && !boot->is_detached)
		boot_detach();
	claim_name(boot);
	status = boot->rootdir ? boot_command(boot) : boot_system(boot);
	net_end(&boot->net);
	free(boot->log);
	free(boot->module);
	return status;
}

static int boot_main(int argc, char **argv)
{
	struct boot boot;

	error_set_status(STATUS_RUN_FAILED);
	boot_init(&boot);
	parse(&boot, argc, argv);
	return boot_run(&boot);
}

const struct command cmd_boot = {
	.name = "boot",
	.run = boot_main,
	.summary = "start a full guest: a Linux kernel of its own",
	.usage =
	"Usage: lodge boot [NAME] --root IMAGE [OPTION]... [-- INIT [ARG]...]\n"
	"       lodge boot [NAME] --rootdir DIR [OPTION]... [--] COMMAND [ARG]...\n"
	"       lodge boot --file FILE [--foreground] [NAME]...\n"
	"Start a full guest, a Linux kernel of its own in user space. With --root it is a machine\n"
	"with the disks given, whose console is here. With --rootdir COMMAND runs in it as its\n"
	"root, over the files below DIR, which stay as they are; input, output, signals and the\n"
	"exit status are passed on. With --file the guests are started that FILE describes. Needs\n"
	"no root.\n\n"
	"      --root IMAGE[,ro]  the disk that the guest starts from: an image or a device\n"
	"      --cow FILE         leave IMAGE as it is, and put what changes there; made if it\n"
	"                         is not there\n"
	"      --disk FILE[,ro][,cow=FILE]  another disk: /dev/ubdb, and so on\n"
	"  -d, --detach           in the background; 'lodge console NAME' is a machine's console,\n"
	"                         'lodge logs NAME' what it or COMMAND has said\n"
	"      --console [N:]KIND[,KEY=VALUE]...  a console: stdio, attach ('lodge console' only),\n"
	"                         pty, port=[ADDRESS:]PORT (telnet), xterm, fd=NUMBER, null, none\n"
	"      --serial [N:]KIND[,KEY=VALUE]...  a serial line, the same\n"
	"      --record DIR       record there what passes through all terminals, also those that\n"
	"                         programs in the guest make; the guest cannot tell\n"
	"      --rootdir DIR      the directory that becomes the guest's /\n"
	"      --share DIR[:ro]   a directory of the host that the guest may use: with --rootdir at\n"
	"                         its own path, else by 'mount -t hostfs -o NAME none /mnt',\n"
	"                         NAME being the last part of DIR\n"
	"      --net KIND[,KEY=VALUE]...  a network: user (NAT, needs no rights), switch=NAME\n"
	"                         (between your guests; with ,nat a way out), tap=DEVICE,\n"
	"                         vde=SOCKET, mcast=ADDRESS:PORT, fd=NUMBER, none\n"
	"  -p, --publish [ADDRESS:]HOSTPORT:GUESTPORT[/udp]  a port of the host leads there\n"
	"  -m, --memory SIZE      the guest's memory, taken as it is used (256M)\n"
	"  -C, --chdir DIR        where COMMAND starts (here, if below --rootdir)\n"
	"  -e, --env NAME[=VALUE] a variable for COMMAND; without VALUE as it is here\n"
	"  -n, --name NAME        name of the guest; made up if not given\n"
	"      --host module|user  in the host's kernel (takes root and lodge.ko), or as a program\n"
	"                         (user, which is also the default)\n"
	"      --kernel FILE      another guest kernel\n"
	"      --append TEXT      an argument for the kernel's command line\n"
	"      --processes N      most processes and threads in the guest (2048)\n"
	"      --nice N           N steps less of the CPU than others: 0 to 19\n"
	"      --no-sandbox       without namespaces of its own: for hosts that forbid them\n"
	"      --no-seccomp       without a filter of the system calls that its kernel makes\n"
	"  -f, --file FILE        start all guests that FILE describes, or those named, in the\n"
	"                         background: see lodge.conf(5)\n"
	"      --foreground       stay until they have ended, or lodge is told to end them\n"
	"  -v, --verbose          show what the guest's kernel says\n"
	"  -h, --help             show this\n\n"
	"On a terminal, Ctrl-] pressed three times within a second ends the guest. The exit\n"
	"status is COMMAND's, 128+N if signal N ended it, 127 if it was not found, 126 if it\n"
	"could not be run; 0 for a machine that has powered off; 125 if lodge or the guest\n"
	"itself failed.",
};
