// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"
#include "test.h"

/* The figures follow the last process with a little delay. */
#define PATIENCE_MS	5000

static void path_of(char *path, size_t size, struct guest *guest, const char *file)
{
	snprintf(path, size, GUEST_TREE "/%s/%s", guest->name, file);
}

static void swap_path(char *path, size_t size, struct guest *guest)
{
	snprintf(path, size, SCRATCH "/%s.swap", guest->name);
}

bool guest_tree_mount(void)
{
	if (!access(GUEST_TREE "/version", F_OK))
		return true;
	return !mount("lodge", GUEST_TREE, "lodge", 0, NULL);
}

void guest_make(struct guest *guest, const char *name, unsigned long max)
{
	char path[256];

	snprintf(guest->name, sizeof(guest->name), GUEST_PREFIX "%s", name);
	path_of(path, sizeof(path), guest, "");
	check_equal(mkdir(path, 0755) ? errno : 0, 0);
	if (max)
		check_equal(guest_write(guest, "memory.max", "%lu", max), 0);
}

bool guest_is_here(void)
{
	return getenv("TEST_GUEST");
}

struct guest *guest_here(void)
{
	static struct guest guest;
	const char *name = getenv("TEST_GUEST");

	check(name);
	snprintf(guest.name, sizeof(guest.name), "%s", name);
	return &guest;
}

int guest_enter(struct guest *guest)
{
	return guest_write(guest, "procs", "0");
}

pid_t guest_child(struct guest *guest, void (*run)(void *arg), void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	check(pid >= 0);
	if (pid)
		return pid;
	check_equal(guest_enter(guest), 0);
	run(arg);
	fflush(stdout);
	_exit(0);
}

pid_t guest_exec(struct guest *guest, char *const argv[])
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	check(pid >= 0);
	if (pid)
		return pid;
	check_equal(guest_enter(guest), 0);
	execvp(argv[0], argv);
	check(!"exec");
	_exit(127);
}

int guest_write(struct guest *guest, const char *file, const char *format, ...)
{
	char path[256], value[512];
	int fd, len, err = 0;
	va_list args;

	va_start(args, format);
	len = vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	path_of(path, sizeof(path), guest, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, value, len) != len)
		err = errno;
	close(fd);
	return err;
}

const char *guest_read(struct guest *guest, const char *file)
{
	static char text[16384];
	char path[256];
	ssize_t n;
	int fd;

	path_of(path, sizeof(path), guest, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	check(n >= 0);
	close(fd);
	if (n && text[n - 1] == '\n')
		n--;
	text[n] = 0;
	return text;
}

unsigned long guest_figure(struct guest *guest, const char *file)
{
	const char *text = guest_read(guest, file);

	return strcmp(text, "max") ? strtoul(text, NULL, 10) : ~0UL;
}

static unsigned long line_of(const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *line;

	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, len) && line[len] == ' ')
			return strtoul(line + len, NULL, 10);
	}
	note("no figure %s", name);
	check(!"figure exists");
	return 0;
}

unsigned long guest_stat(struct guest *guest, const char *name)
{
	return line_of(guest_read(guest, "memory.stat"), name);
}

unsigned long guest_event(struct guest *guest, const char *name)
{
	return line_of(guest_read(guest, "memory.events"), name);
}

int guest_swap(struct guest *guest, unsigned long size)
{
	char path[256];
	int fd;

	swap_path(path, sizeof(path), guest);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	check_equal(ftruncate(fd, size), 0);
	close(fd);
	return guest_write(guest, "memory.swap.file", "%s", path);
}

bool guest_has_processes(struct guest *guest)
{
	return guest_read(guest, "procs")[0];
}

bool guest_kill(struct guest *guest)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	const char *pos;
	char *next;
	long pid;

	for (;;) {
		pos = guest_read(guest, "procs");
		if (!*pos)
			return true;
		for (pid = strtol(pos, &next, 10); next != pos; pid = strtol(pos, &next, 10)) {
			kill(pid, SIGKILL);
			pos = next;
		}
		if (now_ms() > end)
			return false;
		sleep_ms(10);
	}
}

/* Say, if @say, what is not zero. */
static bool levels_are_zero(struct guest *guest, bool say)
{
	static const char *const levels[] = {
		"anon", "zswap", "zswapped", "same_filled", "swapped", "frames_cached", "metadata",
	};
	static const char *const files[] = {
		"memory.current", "memory.zswap.current", "memory.swap.current",
	};
	unsigned long wanted, value;
	const char *stat;
	unsigned int i;
	bool good = true;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		wanted = i ? 0 : guest_figure(guest, "memory.min");
		value = guest_figure(guest, files[i]);
		if (value == wanted)
			continue;
		good = false;
		if (say)
			note("%s: %s is %lu, not %lu", guest->name, files[i], value, wanted);
	}
	stat = guest_read(guest, "memory.stat");
	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		value = line_of(stat, levels[i]);
		if (!value)
			continue;
		good = false;
		if (say)
			note("%s: memory.stat: %s is %lu, not 0", guest->name, levels[i], value);
	}
	return good;
}

bool guest_clean(struct guest *guest)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	unsigned long max, peak;

	while (!levels_are_zero(guest, false)) {
		if (now_ms() > end)
			return levels_are_zero(guest, true);
		sleep_ms(10);
	}
	max = guest_figure(guest, "memory.max");
	peak = guest_figure(guest, "memory.peak");
	if (peak <= max)
		return true;
	note("%s: held %lu bytes, more than %lu", guest->name, peak, max);
	return false;
}

int guest_remove(struct guest *guest)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	char path[256];
	int err;

	path_of(path, sizeof(path), guest, "");
	for (;;) {
		err = rmdir(path) ? errno : 0;
		if (err != EBUSY || now_ms() > end)
			break;
		sleep_ms(10);
	}
	if (!err) {
		swap_path(path, sizeof(path), guest);
		unlink(path);
	}
	return err;
}

unsigned int guest_remove_all(void)
{
	DIR *tree = opendir(GUEST_TREE);
	struct guest guest;
	struct dirent *entry;
	unsigned int n = 0;

	while (tree && (entry = readdir(tree))) {
		if (strncmp(entry->d_name, GUEST_PREFIX, strlen(GUEST_PREFIX)))
			continue;
		snprintf(guest.name, sizeof(guest.name), "%.63s", entry->d_name);
		note("left: %s, processes: %s", guest.name, guest_read(&guest, "procs"));
		guest_kill(&guest);
		guest_remove(&guest);
		n++;
	}
	if (tree)
		closedir(tree);
	return n;
}

void guest_end(struct guest *guest)
{
	check(guest_clean(guest));
	check_equal(guest_remove(guest), 0);
}
