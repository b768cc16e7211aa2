// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "backup.h"
#include "disk.h"
#include "error.h"
#include "new-file.h"
#include "size.h"

#define BAR 30

/* What is being copied, for the one who looks on. */
static struct {
	const char *name;
	unsigned long long size;
} copied;

/** backup_file - the name of a disk's copy; safe in a signal handler, valid until the next call */
const char *backup_file(size_t unit, bool cow)
{
	static char names[2][sizeof("ubda.img")] = { "ubda.img", "ubda.cow" };

	names[cow][strlen("ubd")] = 'a' + unit;
	return names[cow];
}

/** backup_say - tell a user at a terminal how far it is; "" clears that line */
void backup_say(const char *fmt, ...)
{
	va_list ap;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(ap, fmt);
	fputc('\r', stderr);
	vfprintf(stderr, fmt, ap);
	fputs("\033[K", stderr);
	fflush(stderr);
	va_end(ap);
}

static void show_progress(off_t at)
{
	unsigned int marks = copied.size ? BAR * (unsigned long long)at / copied.size : BAR;
	char now[SIZE_TEXT], all[SIZE_TEXT];

	backup_say("%s [%.*s%*s] %s of %s", copied.name, (int)marks,
		   "##############################", (int)(BAR - marks), "",
		   size_human(now, at), size_human(all, copied.size));
}

static void copy_disk(size_t unit, const struct disk *disk, int dir, const char *path)
{
	char *to_path cleanup_free = xasprintf("%s/%s", path, backup_file(unit, disk->cow));
	struct file_part from = { disk->fd, disk->file, 0 };
	struct file_part to = { .path = to_path };
	const char *name = backup_file(unit, disk->cow);
	struct stat st;

	to.fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (disk->cow)
		from = (struct file_part){ disk->cow_fd, disk->cow, 0 };
	if (to.fd < 0)
		die_errno(errno, "%s", to_path);
	if (fstat(from.fd, &st))
		die_errno(errno, "%s", from.path);
	copied.name = name;
	copied.size = S_ISBLK(st.st_mode) ? disk->size : (unsigned long long)st.st_size;
	show_progress(0);
	file_copy_sparse(from, to, copied.size, show_progress);
	close(to.fd);
}

/* Of what it cannot write to it has nothing to lose. */
static bool is_copied(const struct disk *disk)
{
	return disk->file && !disk->readonly;
}

/**
 * backup_copy - copy all disks that the guest can write to
 * @disks: of a guest that stands still
 * @dir: where the copies go, a new directory
 * @path: its name, for messages
 *
 * Ends the program on failure.
 */
void backup_copy(const struct disks *disks, int dir, const char *path)
{
	size_t i;

	for (i = 0; i < disks->n; i++)
		if (is_copied(&disks->list[i]))
			copy_disk(i, &disks->list[i], dir, path);
}

/** backup_sync - have all copies on the disk; ends the program on failure */
void backup_sync(const struct disks *disks, int dir, const char *path)
{
	size_t i;
	int fd;

	for (i = 0; i < disks->n; i++) {
		if (!is_copied(&disks->list[i]))
			continue;
		fd = openat(dir, backup_file(i, disks->list[i].cow), O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			die_errno(errno, "%s", path);
		file_sync(fd, path);
		close(fd);
	}
}

/** backup_describe - one line about a disk: what its copy is, or why it has none */
void backup_describe(FILE *note, size_t unit, const struct disk *disk)
{
	char when[64] = "?";
	struct stat st;
	struct tm tm;

	if (!is_copied(disk)) {
		fprintf(note, "ubd%c     read-only, not copied: %s\n", 'a' + (int)unit, disk->file);
		return;
	}
	fprintf(note, "ubd%c     %s: copy of %s", 'a' + (int)unit, backup_file(unit, disk->cow),
		disk->cow ? disk->cow : disk->file);
	if (disk->cow && !fstat(disk->fd, &st) && localtime_r(&st.st_mtime, &tm)) {
		strftime(when, sizeof(when), "%F %T %z", &tm);
		fprintf(note, "; needs its backing file %s, of %llu bytes, modified %s", disk->file,
			disk->size, when);
	}
	fputc('\n', note);
}
