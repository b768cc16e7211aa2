// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "image-build.h"
#include "lodge.h"
#include "new-file.h"
#include "size.h"
#include "util.h"

#define SIZE_DEFAULT (2ULL << 30)
#define SIZE_MIN (64ULL << 20)
#define SIZE_MAX_EXT4 (16ULL << 40)
#define BLOCK 4096
#define TAIL 20
/* What a guest with systemd and a network needs beyond the smallest Debian. */
#define PACKAGES "systemd-sysv,udev,dbus,iproute2,netbase"

enum {
	OPT_HOSTNAME = OPT_LONG_ONLY, OPT_MIRROR, OPT_NO_PASSWORD, OPT_PACKAGES, OPT_PASSWORD,
	OPT_SCRIPT, OPT_SIZE, OPT_SUITE,
};

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "hostname", required_argument, NULL, OPT_HOSTNAME },
	{ "mirror", required_argument, NULL, OPT_MIRROR },
	{ "no-password", no_argument, NULL, OPT_NO_PASSWORD },
	{ "packages", required_argument, NULL, OPT_PACKAGES },
	{ "root-password", required_argument, NULL, OPT_PASSWORD },
	{ "script", required_argument, NULL, OPT_SCRIPT },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "suite", required_argument, NULL, OPT_SUITE },
	{ "verbose", no_argument, NULL, 'v' },
	{ 0 }
};

struct build {
	const char *path, *suite, *mirror, *hostname, *password, *script;
	char *packages, *temporary;
	unsigned long long size;
	bool no_password, verbose;
	struct new_file image;
	int script_fd, setup_fd;
	sigset_t signals;
	char *tail[TAIL];
	size_t lines;
};

static volatile sig_atomic_t builder, ended_by;

/* What these stand in goes into command lines and files. */
static void check_word(const char *option, const char *word, const char *allowed)
{
	size_t i = 0;

	while (isalnum((unsigned char)word[i]) || (word[i] && strchr(allowed, word[i])))
		i++;
	if (!*word)
		die("%s: is empty", option);
	if (*word == '-')
		die("%s: %s: begins with '-'", option, word);
	if (word[i])
		die("%s: %s: '%c' cannot be there", option, word, word[i]);
}

static unsigned long long parse_size(const char *text)
{
	unsigned long long bytes;

	if (!size_parse(text, &bytes) || bytes == SIZE_NO_LIMIT)
		die("--size: %s: not a size", text);
	if (bytes < SIZE_MIN || bytes > SIZE_MAX_EXT4)
		die("--size: %s: must be from 64M to 16T", text);
	return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

static void add_packages(struct build *build, const char *packages)
{
	char *more;

	check_word("--packages", packages, "+-.,:=~");
	more = xasprintf("%s,%s", build->packages, packages);
	free(build->packages);
	build->packages = more;
}

static void parse(struct build *build, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "hv", options, NULL)) >= 0) {
		switch (opt) {
		case 'h':
			puts(cmd_image.usage);
			exit(0);
		case OPT_HOSTNAME:
			build->hostname = optarg;
			break;
		case OPT_MIRROR:
			build->mirror = optarg;
			break;
		case OPT_NO_PASSWORD:
			build->no_password = true;
			break;
		case OPT_PACKAGES:
			add_packages(build, optarg);
			break;
		case OPT_PASSWORD:
			build->password = optarg;
			break;
		case OPT_SCRIPT:
			build->script = optarg;
			break;
		case OPT_SIZE:
			build->size = parse_size(optarg);
			break;
		case OPT_SUITE:
			build->suite = optarg;
			break;
		case 'v':
			build->verbose = true;
			break;
		default:
			die_usage("image", NULL);
		}
	}
	if (optind + 1 != argc)
		die_usage("image", "build: %s", optind == argc ? "no FILE" : "more than one FILE");
	build->path = argv[optind];
}

/* Everything that can be known to be wrong before minutes have been spent. */
static void check(struct build *build)
{
	struct stat st;

	check_word("--suite", build->suite, "-");
	check_word("--hostname", build->hostname, "-.");
	if (strlen(build->hostname) > 63)
		die("--hostname: %s: longer than 63 characters", build->hostname);
	if (build->password && build->no_password)
		die_usage("image", "--root-password and --no-password exclude each other");
	if (build->password && (!*build->password || strpbrk(build->password, "\n")))
		die("--root-password: is empty or has a line end in it");
	if (build->mirror && strpbrk(build->mirror, "\n"))
		die("--mirror: has a line end in it");
	if (!lstat(build->path, &st))
		die_errno(EEXIST, "%s", build->path);
}

/* A file for scripts that the root of a user namespace can read, which a user's are not. */
static int memory_file(void)
{
	int fd = memfd_create("script", MFD_CLOEXEC);

	if (fd < 0)
		die_errno(errno, "memfd_create");
	return fd;
}

static int copy_script(const char *path)
{
	int from cleanup_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int to;

	if (from < 0 || fstat(from, &st))
		die_errno(errno, "--script: %s", path);
	if (!S_ISREG(st.st_mode) || !st.st_size)
		die("--script: %s: not a file with something in it", path);
	to = memory_file();
	file_copy((struct file_part){ from, path, 0 }, (struct file_part){ to, "memory", 0 },
		  st.st_size);
	return to;
}

static void set_environment(const struct build *build)
{
	char *password cleanup_free = xasprintf("=%s", build->password ? build->password : "");

	if (!build->password) {
		free(password);
		password = xstrdup(build->no_password ? "none" : "");
	}
	if (setenv("TMPDIR", build->temporary, 1) ||
	    setenv("LODGE_HOSTNAME", build->hostname, 1) ||
	    setenv("LODGE_PASSWORD", password, 1) ||
	    setenv("LODGE_SCRIPT", build->script ? "yes" : "", 1))
		die_errno(errno, "environment");
}

static char **arguments(const struct build *build)
{
	char **sources = image_sources(build->suite, build->mirror);
	size_t n = 0, i;
	char **args;

	for (i = 0; sources[i]; i++)
		;
	args = xcalloc(i + 16, sizeof(*args));
	args[n++] = xstrdup("mmdebstrap");
	args[n++] = xasprintf("--mode=%s", geteuid() ? "unshare" : "root");
	args[n++] = xstrdup("--variant=minbase");
	args[n++] = xstrdup("--format=null");
	args[n++] = xstrdup("--verbose");
	args[n++] = xasprintf("--include=%s", build->packages);
	args[n++] = xstrdup("--skip=cleanup/apt,cleanup/mmdebstrap,cleanup/reproducible");
	args[n++] = xstrdup("--skip=cleanup/run,cleanup/tmp");
	args[n++] = xasprintf("--customize-hook=. /proc/self/fd/%d", SETUP_FD);
	args[n++] = xstrdup(build->suite);
	args[n++] = xstrdup("-");
	for (i = 0; sources[i]; i++)
		args[n++] = sources[i];
	free(sources);
	return args;
}

static noreturn void become_mmdebstrap(const struct build *build, int output, char **args)
{
	int null = open("/dev/null", O_RDONLY);

	/* What root mounts must be in nobody else's sight, and go with its processes. */
	if (!geteuid() && (unshare(CLONE_NEWNS) ||
			   mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))) {
		dprintf(output, "E: a mount namespace: %s\n", strerror(errno));
		_exit(error_status());
	}
	/* A group that can be told to end as one; the terminal tells only us. */
	setsid();
	sigprocmask(SIG_SETMASK, &build->signals, NULL);
	set_environment(build);
	if (dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
	    dup2(build->image.fd, IMAGE_FD) < 0 || dup2(build->script_fd, SCRIPT_FD) < 0 ||
	    dup2(build->setup_fd, SETUP_FD) < 0)
		_exit(error_status());
	close(null);
	execvp(args[0], args);
	dprintf(2, "E: %s: %s\n", args[0], errno == ENOENT ?
		"not found: install the package mmdebstrap" : strerror(errno));
	_exit(error_status());
}

/* mmdebstrap tidies up if all its processes are told, by whatever name they go. */
static void end_builder(int sig)
{
	ended_by = sig;
	if (kill(-builder, SIGTERM))
		kill(builder, SIGTERM);
}

static void watch_signals(int flags)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	const struct sigaction action = { .sa_handler = end_builder, .sa_flags = flags };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

static int wait_for_builder(void)
{
	int status;

	while (waitpid(builder, &status, 0) < 0)
		if (errno != EINTR)
			die_errno(errno, "mmdebstrap");
	return WIFEXITED(status) ? WEXITSTATUS(status) : error_status();
}

/* What mmdebstrap still says must go somewhere: it would die of SIGPIPE before it has tidied. */
static void hear_out(const int output[2])
{
	char text[4096];

	close(output[1]);
	while (read(output[0], text, sizeof(text)) > 0 || errno == EINTR)
		errno = 0;
}

/*
 * Whatever of the others is still there, and what they have left: nothing is mounted there that
 * this process could see. The files of a user's namespace are removed by mmdebstrap or nobody.
 */
static void tidy(const char *directory)
{
	pid_t pid;

	kill(-builder, SIGKILL);
	pid = fork();
	if (!pid) {
		freopen("/dev/null", "w", stderr);
		execl("/bin/rm", "rm", "-rf", "--one-file-system", "--", directory, NULL);
		_exit(error_status());
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Between lodge and mmdebstrap: if lodge is killed, somebody must end and remove all the rest. */
static noreturn void guard(const struct build *build, const int output[2], char **args,
			   pid_t lodge)
{
	siginfo_t info;
	int status;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != lodge)
		_exit(error_status());
	builder = fork();
	if (!builder)
		become_mmdebstrap(build, output[1], args);
	if (builder < 0)
		_exit(error_status());
	watch_signals(0);
	sigprocmask(SIG_SETMASK, &build->signals, NULL);
	if (getppid() == lodge)
		waitid(P_PID, builder, &info, WEXITED | WNOWAIT);
	if (getppid() != lodge) {
		end_builder(SIGTERM);
		hear_out(output);
	}
	status = wait_for_builder();
	tidy(build->temporary);
	_exit(status);
}

static void keep_line(struct build *build, const char *line)
{
	char **place = &build->tail[build->lines++ % TAIL];

	free(*place);
	*place = xstrdup(line);
}

static void follow(struct build *build, int fd)
{
	struct image_progress progress = {
		.file = build->path, .shown = isatty(2) && !build->verbose,
	};
	FILE *in cleanup_file = fdopen(fd, "r");
	char *line cleanup_free = NULL;
	size_t size = 0;

	if (!in)
		die_errno(errno, "pipe");
	while (getline(&line, &size, in) > 0) {
		keep_line(build, line);
		image_progress_line(&progress, line);
		if (build->verbose)
			fputs(line, stderr);
	}
	image_progress_end(&progress);
}

static const char *advice(const char *line)
{
	if (strstr(line, "ould not allocate block") || strstr(line, "No space left"))
		return ": no room: give it a larger --size";
	if (strstr(line, "newuidmap") || strstr(line, "subuid"))
		return ": users need the package uidmap, and IDs in /etc/subuid and /etc/subgid";
	return NULL;
}

static noreturn void fail(struct build *build)
{
	const char *found = NULL, *line;
	size_t i;

	for (i = build->lines < TAIL ? 0 : build->lines - TAIL; i < build->lines; i++) {
		line = build->tail[i % TAIL];
		if (!build->verbose)
			fputs(line, stderr);
		found = found ? found : advice(line);
	}
	die("%s: could not be built%s", build->path, found ? found : "");
}

/* Everybody's, as /tmp is, for the root of a user's namespace is somebody else. */
static char *make_temporary(void)
{
	const char *given = getenv("TMPDIR");
	char *path = xasprintf("%s/lodge-image.XXXXXX", given && *given == '/' ? given : "/tmp");

	if (!mkdtemp(path) || (geteuid() && chmod(path, 01777)))
		die_errno(errno, "%s", path);
	return path;
}

static void run(struct build *build)
{
	char **args = arguments(build);
	pid_t lodge = getpid();
	sigset_t all;
	int output[2], status;
	size_t i;

	if (pipe2(output, O_CLOEXEC))
		die_errno(errno, "pipe");
	build->temporary = make_temporary();
	fflush(NULL);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &build->signals);
	builder = fork();
	if (builder < 0)
		die_errno(errno, "fork");
	if (!builder)
		guard(build, output, args, lodge);
	watch_signals(SA_RESTART);
	sigprocmask(SIG_SETMASK, &build->signals, NULL);
	close(output[1]);
	follow(build, output[0]);
	status = wait_for_builder();
	rmdir(build->temporary);
	for (i = 0; args[i]; i++)
		free(args[i]);
	free(args);
	if (ended_by)
		exit(128 + ended_by);
	if (status)
		fail(build);
}

/**
 * image_build_main - lodge image build
 *
 * Makes an ext4 image with Debian in it. Needs no rights: a user's is made in a user namespace, of
 * whose root the image, which has no name yet, is a file that anybody may write to. There is an
 * image of the name only when it is complete.
 *
 * Return: exit status.
 */
int image_build_main(int argc, char **argv)
{
	struct build build = {
		.suite = "bookworm", .hostname = "debian", .size = SIZE_DEFAULT,
		.packages = xstrdup(PACKAGES),
	};
	mode_t mask = umask(022);
	size_t i;

	parse(&build, argc, argv);
	check(&build);
	build.script_fd = build.script ? copy_script(build.script) :
		open("/dev/null", O_RDONLY | O_CLOEXEC);
	build.setup_fd = memory_file();
	file_write(build.setup_fd, "memory", image_setup_script, strlen(image_setup_script), 0);
	if (strcmp(build.suite, "bullseye"))
		add_packages(&build, "systemd-resolved");
	new_file_open(&build.image, build.path);
	new_file_set_size(&build.image, build.size);
	if (fchmod(build.image.fd, 0666))
		die_errno(errno, "%s", build.path);
	run(&build);
	if (fchmod(build.image.fd, 0666 & ~mask))
		die_errno(errno, "%s", build.path);
	file_sync(build.image.fd, build.path);
	new_file_name(&build.image, false);
	close(build.script_fd);
	close(build.setup_fd);
	free(build.packages);
	free(build.temporary);
	for (i = 0; i < TAIL; i++)
		free(build.tail[i]);
	return 0;
}
