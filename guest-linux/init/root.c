// SPDX-License-Identifier: GPL-2.0
/* The guest's file systems: the host's directory below, what the guest changes above. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

static void mount_or_fail(const char *source, const char *target, const char *type,
			  unsigned long flags, const char *data)
{
	if (mount(source, target, type, flags, data))
		fail("mounting %s at %s: %s", type, target, strerror(errno));
}

static void make_dir(const char *path, mode_t mode)
{
	if (mkdir(path, mode) && errno != EEXIST)
		fail("%s: %s", path, strerror(errno));
}

/** root_prepare - mount what init itself needs */
void root_prepare(void)
{
	make_dir("/dev", 0755);
	mount_or_fail("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
}

/* What the directory of the host has not, the guest's own layer gets. */
static void mount_system(void)
{
	static const struct {
		const char *path, *type, *data;
		unsigned long flags;
		mode_t mode;
	} mounts[] = {
		{ "/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0555 },
		{ "/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0555 },
		{ "/dev/pts", "devpts", "mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC, 0755 },
		{ "/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV, 01777 },
		{ "/run", "tmpfs", "mode=755", MS_NOSUID | MS_NODEV, 0755 },
	};
	static const struct {
		const char *to, *path;
	} links[] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
		{ "pts/ptmx", "/dev/ptmx" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		make_dir(mounts[i].path, mounts[i].mode);
		mount_or_fail(mounts[i].type, mounts[i].path, mounts[i].type, mounts[i].flags,
			      mounts[i].data);
	}
	unlink("/dev/ptmx");
	for (i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i].to, links[i].path) && errno != EEXIST)
			fail("%s: %s", links[i].path, strerror(errno));
}

static void make_path(char *path)
{
	char *slash = path;

	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		make_dir(path, 0755);
		*slash = '/';
	}
	make_dir(path, 0755);
}

/* NAME:PATH: what hostfs calls NAME goes to PATH. Whether it can be written to, the host says. */
static void mount_shares(void)
{
	char variable[32];
	char *share, *path;
	unsigned int i;

	for (i = 0; ; i++) {
		snprintf(variable, sizeof(variable), "lodge_share%u", i);
		share = getenv(variable);
		path = share ? strchr(share, ':') : NULL;
		if (!path)
			break;
		*path++ = '\0';
		make_path(path);
		mount_or_fail("none", path, "hostfs", MS_NOSUID | MS_NODEV, share);
	}
}

/**
 * root_mount - make the host's directory the root, under a layer of the guest's own
 * @order: its host name is set
 *
 * The path of the mount is relative to the directory that the guest's kernel was told
 * with hostfs=, and the host's side mounts that read-only: the flag here only makes the
 * error message right.
 */
void root_mount(const struct order *order)
{
	const char *rootdir = getenv("lodge_rootdir");

	make_dir("/host", 0755);
	make_dir("/layer", 0755);
	make_dir("/root", 0755);
	mount_or_fail("none", "/host", "hostfs", MS_RDONLY, rootdir ? rootdir : "/");
	mount_or_fail("none", "/layer", "tmpfs", 0, "mode=755");
	make_dir("/layer/upper", 0755);
	make_dir("/layer/work", 0755);
	mount_or_fail("none", "/root", "overlay", 0,
		      "lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work,xino=off");
	make_dir("/root/dev", 0755);
	mount_or_fail("/dev", "/root/dev", "none", MS_MOVE, NULL);
	if (chdir("/root"))
		fail("/root: %s", strerror(errno));
	mount_or_fail("/root", "/", "none", MS_MOVE, NULL);
	if (chroot(".") || chdir("/"))
		fail("chroot: %s", strerror(errno));
	mount_system();
	mount_shares();
	sethostname(order->hostname, strlen(order->hostname));
}
