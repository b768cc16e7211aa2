// SPDX-License-Identifier: GPL-2.0
/*
 * The machine's file systems and modules. The root is the building machine's,
 * read-only over virtiofs, under an overlay that is thrown away.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

#define ROOT "/newroot"

static void must_mount(const char *what, const char *where, const char *type,
		       unsigned long flags, const char *options)
{
	mkdir(where, 0755);
	if (mount(what, where, type, flags, options))
		die("mount %s (%s) at %s: %m", what, type, where);
}

/* For what a small kernel may lack. */
static void may_mount(const char *type, const char *where)
{
	mkdir(where, 0755);
	if (mount(type, where, type, 0, NULL) && errno != ENODEV)
		say("mount %s at %s: %m", type, where);
}

static void make_path(const char *path)
{
	char part[4096];
	char *slash;

	snprintf(part, sizeof(part), "%s", path);
	for (slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(part, 0755);
		*slash = '/';
	}
	if (mkdir(part, 0755) && errno != EEXIST)
		die("mkdir %s: %m", part);
}

void setup_early_mounts(void)
{
	must_mount("proc", "/proc", "proc", 0, NULL);
	must_mount("sysfs", "/sys", "sysfs", 0, NULL);
	must_mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
}

/* Some of the kernel's own are for hardware that the machine lacks: ENODEV. */
static void load(const char *path, const char *params, bool optional)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %m", path);
	if (syscall(SYS_finit_module, fd, params, 0) && errno != EEXIST &&
	    !(optional && errno == ENODEV))
		die("insmod %s: %m", path);
	close(fd);
}

/* The kernel's own modules: /modules lists them in the order they need. */
void setup_modules(void)
{
	FILE *list = fopen("/modules", "re");
	char path[256];

	if (!list)
		die("/modules: %m");
	while (fgets(path, sizeof(path), list)) {
		path[strcspn(path, "\n")] = '\0';
		load(path, "", true);
	}
	fclose(list);
}

void setup_module(const struct order *order)
{
	if (order->module)
		load(order->module, order->params, false);
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		say("loopback: %m");
	if (fd >= 0)
		close(fd);
}

static void mount_shares(const struct order *order)
{
	char where[4096];
	char *tag, *path;
	unsigned int i;

	for (i = 0; order->shares[i]; i++) {
		tag = order->shares[i];
		path = strchr(tag, ':');
		if (!path)
			die("share without a path: %s", tag);
		*path++ = '\0';
		snprintf(where, sizeof(where), ROOT "%s", path);
		make_path(where);
		must_mount(tag, where, "virtiofs", 0, NULL);
	}
}

static void mount_disk(const char *path)
{
	char where[4096];

	snprintf(where, sizeof(where), ROOT "%s", path);
	make_path(where);
	must_mount("/dev/vda", where, "ext4", MS_NOATIME, NULL);
	chmod(where, 01777);
}

void setup_root(const struct order *order)
{
	must_mount("host", "/lower", "virtiofs", MS_RDONLY, NULL);
	must_mount("tmpfs", "/upper", "tmpfs", 0, "mode=755");
	mkdir("/upper/data", 0755);
	mkdir("/upper/work", 0755);
	must_mount("overlay", ROOT, "overlay", 0,
		   "lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work");

	must_mount("proc", ROOT "/proc", "proc", 0, NULL);
	must_mount("sysfs", ROOT "/sys", "sysfs", 0, NULL);
	must_mount("devtmpfs", ROOT "/dev", "devtmpfs", 0, NULL);
	must_mount("devpts", ROOT "/dev/pts", "devpts", 0, "ptmxmode=0666");
	must_mount("tmpfs", ROOT "/dev/shm", "tmpfs", 0, "mode=1777");
	if (!order->keep_tmp)
		must_mount("tmpfs", ROOT "/tmp", "tmpfs", 0, "mode=1777");
	must_mount("tmpfs", ROOT "/run", "tmpfs", 0, "mode=755");
	may_mount("debugfs", ROOT "/sys/kernel/debug");
	may_mount("tracefs", ROOT "/sys/kernel/tracing");
	may_mount("cgroup2", ROOT "/sys/fs/cgroup");
	symlink("/proc/self/fd", ROOT "/dev/fd");
	symlink("/proc/self/fd/0", ROOT "/dev/stdin");
	symlink("/proc/self/fd/1", ROOT "/dev/stdout");
	symlink("/proc/self/fd/2", ROOT "/dev/stderr");
	if (order->disk)
		mount_disk(order->disk);
	mount_shares(order);
	loopback_up();
	sethostname("lodge-vm", 8);

	if (chdir(ROOT) || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/"))
		die("change root: %m");
}

/* The virtio port of this name, or -1. */
int setup_port(const char *name, int flags)
{
	char path[300], text[64];
	struct dirent *entry;
	ssize_t len;
	DIR *dir;
	int fd;

	dir = opendir("/sys/class/virtio-ports");
	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path),
			 "/sys/class/virtio-ports/%.60s/name", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (len <= 0)
			continue;
		text[len] = '\0';
		text[strcspn(text, "\n")] = '\0';
		if (strcmp(text, name))
			continue;
		snprintf(path, sizeof(path), "/dev/%.60s", entry->d_name);
		closedir(dir);
		return open(path, flags | O_CLOEXEC);
	}
	closedir(dir);
	return -1;
}
