// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cow.h"
#include "error.h"
#include "lodge.h"
#include "new-file.h"
#include "util.h"

#define MAGIC 0x4f4f4f4d /* MOOO */
#define ALIGNMENT 4096
#define ALIGNMENT_MAX (1024 * 1024)
#define NAME_MAX_V1 256
#define NAME_MAX_V2 4096
#define HEADER_MAX 4136

/* Behind the name of the backing file, where nobody else looks, while that is written to. */
static const char merging_mark[] = "lodge: merging";

/*
 * Where the header has what, in bytes from its start. Numbers are big-endian but in version 1,
 * whose are the machine's. Until 2005 programs for 64 bits left gaps in version 3.
 */
struct cow_layout {
	unsigned int version;
	size_t name, name_max;
	size_t mtime, size, sector, alignment, format;
	size_t end;
};

static const struct cow_layout layout_v1 = {
	.version = 1, .name = 8, .name_max = NAME_MAX_V1, .mtime = 264, .size = 268,
	.sector = 276, .end = 280,
};

static const struct cow_layout layout_v2 = {
	.version = 2, .name = 8, .name_max = NAME_MAX_V2, .mtime = 4104, .size = 4108,
	.sector = 4116, .end = 4120,
};

static const struct cow_layout layout_v3 = {
	.version = 3, .name = 32, .name_max = NAME_MAX_V2, .mtime = 8, .size = 12,
	.sector = 20, .alignment = 24, .format = 28, .end = 4128,
};

static const struct cow_layout layout_v3_gaps = {
	.version = 3, .name = 36, .name_max = NAME_MAX_V2, .mtime = 8, .size = 16,
	.sector = 24, .alignment = 28, .format = 32, .end = 4136,
};

static unsigned int number(const struct cow_layout *layout, const unsigned char *header, size_t at)
{
	unsigned int raw;

	memcpy(&raw, header + at, sizeof(raw));
	return layout->version == 1 ? le32toh(raw) : be32toh(raw);
}

static unsigned long long long_number(const struct cow_layout *layout,
				      const unsigned char *header, size_t at)
{
	unsigned long long raw;

	memcpy(&raw, header + at, sizeof(raw));
	return layout->version == 1 ? le64toh(raw) : be64toh(raw);
}

static void set_number(unsigned char *header, size_t at, unsigned int value)
{
	value = htobe32(value);
	memcpy(header + at, &value, sizeof(value));
}

static void set_long_number(unsigned char *header, size_t at, unsigned long long value)
{
	value = htobe64(value);
	memcpy(header + at, &value, sizeof(value));
}

static off_t round_up(off_t value, off_t step)
{
	return (value + step - 1) / step * step;
}

/* Bytes of the header that are there, at most HEADER_MAX; the rest is zeroed. -1: cannot read. */
static ssize_t read_header(int fd, unsigned char header[HEADER_MAX])
{
	ssize_t n, got = 0;

	memset(header, 0, HEADER_MAX);
	while (got < HEADER_MAX) {
		n = pread(fd, header + got, HEADER_MAX - got, got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		got += n;
	}
	return got;
}

static bool has_magic(const unsigned char *header)
{
	return number(&layout_v3, header, 0) == MAGIC || number(&layout_v1, header, 0) == MAGIC;
}

/** cow_is - whether an open file says that it is a COW file */
bool cow_is(int fd)
{
	unsigned char header[HEADER_MAX];

	return read_header(fd, header) >= 4 && has_magic(header);
}

static const struct cow_layout *find_layout(const unsigned char *header)
{
	static const unsigned char nothing[4];
	unsigned int version = number(&layout_v3, header, 4);

	if (number(&layout_v1, header, 0) == MAGIC)
		return number(&layout_v1, header, 4) == 1 ? &layout_v1 : NULL;
	if (version == 2)
		return &layout_v2;
	if (version != 3)
		return NULL;
	/* No name begins with zeros; the gaps' format, which is zero, does. */
	return memcmp(header + layout_v3.name, nothing, sizeof(nothing)) ? &layout_v3 :
		&layout_v3_gaps;
}

/* Where bitmap and sectors are, for a size of the disk. */
static void place(struct cow *cow, unsigned int alignment)
{
	unsigned long long sectors = (cow->size + COW_SECTOR - 1) / COW_SECTOR;

	if (cow->version < 3) {
		/* Too short by a byte unless the number of sectors is a multiple of 8. */
		cow->bitmap = cow->layout->end;
		cow->bitmap_length = sectors / 8;
	} else {
		cow->bitmap = round_up(cow->layout->end, alignment);
		cow->bitmap_length = (sectors + 7) / 8;
	}
	cow->data = round_up(cow->bitmap + cow->bitmap_length, alignment);
}

/* Nothing in a file can be trusted. Returns what is wrong, or NULL; the caller frees. */
static char *parse_header(struct cow *cow, const unsigned char *header, size_t n,
			  unsigned long long length)
{
	const struct cow_layout *layout = find_layout(header);
	const char *name, *end;
	unsigned int alignment = COW_SECTOR;

	if (!has_magic(header))
		return xasprintf("%s: not a COW file", cow->path);
	if (n < 8)
		return xasprintf("%s: truncated: ends within its header", cow->path);
	if (!layout)
		return xasprintf("%s: a COW file of an unknown version", cow->path);
	if (n < layout->end)
		return xasprintf("%s: truncated: ends within its header", cow->path);
	cow->layout = layout;
	cow->version = layout->version;
	cow->mtime = number(layout, header, layout->mtime);
	cow->size = long_number(layout, header, layout->size);
	if (layout->alignment)
		alignment = number(layout, header, layout->alignment);
	name = (const char *)header + layout->name;
	end = memchr(name, '\0', layout->name_max);
	if (!end || end == name)
		return xasprintf("%s: damaged: no name of a backing file in its header", cow->path);
	if (number(layout, header, layout->sector) != COW_SECTOR)
		return xasprintf("%s: sectors of %u bytes: only %u are supported", cow->path,
				 number(layout, header, layout->sector), COW_SECTOR);
	if (!alignment || alignment > ALIGNMENT_MAX)
		return xasprintf("%s: damaged: alignment %u in its header", cow->path, alignment);
	if (layout->format && number(layout, header, layout->format) != 0)
		return xasprintf("%s: a COW file of an unknown format", cow->path);
	if (!cow->size || cow->size > COW_SIZE_MAX)
		return xasprintf("%s: damaged: size %llu in its header", cow->path, cow->size);
	place(cow, alignment);
	if (length < cow->data + cow->size)
		return xasprintf("%s: truncated: has %llu bytes of %llu", cow->path, length,
				 cow->data + cow->size);
	cow->merging = (size_t)(end - name) + 1 + sizeof(merging_mark) <= layout->name_max &&
		!memcmp(end + 1, merging_mark, sizeof(merging_mark));
	cow->backing = xstrdup(name);
	return NULL;
}

/**
 * cow_open - open a COW file
 * @cow: filled in; given back by cow_close()
 * @path: its name, which must stay valid
 * @flags: O_RDONLY or O_RDWR
 *
 * Return: NULL, or what is wrong with it, which the caller frees: then there is nothing to close.
 */
char *cow_open(struct cow *cow, const char *path, int flags)
{
	unsigned char header[HEADER_MAX];
	struct stat st;
	ssize_t n;
	char *why;

	*cow = (struct cow){ .path = path };
	/* A FIFO must not keep us. */
	cow->fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	if (cow->fd < 0)
		return xasprintf("%s: %s", path, strerror(errno));
	if (fstat(cow->fd, &st) || !S_ISREG(st.st_mode)) {
		why = xasprintf("%s: not a regular file", path);
	} else {
		n = read_header(cow->fd, header);
		why = n < 0 ? xasprintf("%s: %s", path, strerror(errno)) :
			parse_header(cow, header, n, st.st_size);
	}
	if (why)
		cow_close(cow);
	return why;
}

/** cow_close - give back what cow_open() took */
void cow_close(struct cow *cow)
{
	close(cow->fd);
	free(cow->backing);
	cow->backing = NULL;
	cow->fd = -1;
}

/* A file's or block device's bytes; -1 with errno. */
static off_t size_of(const char *path)
{
	int fd cleanup_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
}

static void write_time(char buf[32], time_t time)
{
	struct tm tm;

	if (!localtime_r(&time, &tm) || !strftime(buf, 32, "%F %T", &tm))
		snprintf(buf, 32, "%lld", (long long)time);
}

/**
 * cow_difference - how the backing file differs from the one that a COW file was made for
 *
 * Return: NULL if it does not, or what to tell the user, advice included; the caller frees.
 */
char *cow_difference(const struct cow *cow)
{
	char then[32], now[32];
	struct stat st;
	off_t size;

	size = size_of(cow->backing);
	if (size < 0 || stat(cow->backing, &st))
		return xasprintf("%s: its backing file %s: %s (if it is elsewhere now: 'lodge image cow rebase %s NEWBACKING')",
				 cow->path, cow->backing, strerror(errno), cow->path);
	if (cow->merging)
		return xasprintf("%s: a merge into its backing file %s did not get to its end: 'lodge image cow merge --into-backing %s %s' repeats it",
				 cow->path, cow->backing, cow->path, cow->backing);
	if ((unsigned long long)size != cow->size)
		return xasprintf("%s: its backing file %s has another size: %lld bytes, and had %llu ('lodge image cow rebase %s NEWBACKING' gives it a copy of the old one)",
				 cow->path, cow->backing, (long long)size, cow->size, cow->path);
	if (st.st_mtime == cow->mtime)
		return NULL;
	write_time(now, st.st_mtime);
	write_time(then, cow->mtime);
	return xasprintf("%s: its backing file %s was changed: modified %s, and had been %s ('lodge image cow rebase %s NEWBACKING' gives it a copy of the old one; with --force also this one, if its content is as it was)",
			 cow->path, cow->backing, now, then, cow->path);
}

/**
 * cow_check - see that a COW file is whole, and its backing file the one it was made for
 * @path: the COW file
 *
 * Return: the backing file's name, which the caller frees; ends the program if it is not so.
 */
char *cow_check(const char *path)
{
	struct cow cow;
	char *backing;
	char *why;

	why = cow_open(&cow, path, O_RDONLY);
	if (!why)
		why = cow_difference(&cow);
	if (why)
		die("%s", why);
	backing = xstrdup(cow.backing);
	cow_close(&cow);
	return backing;
}

static void load(struct cow_runs *runs, unsigned long long byte)
{
	const struct cow *cow = runs->cow;
	unsigned long long left = cow->bitmap_length - byte;

	runs->n = left < sizeof(runs->piece) ? left : sizeof(runs->piece);
	runs->loaded = byte;
	file_read(cow->fd, cow->path, runs->piece, runs->n, cow->bitmap + byte);
}

/* The first sector from @runs->next on whose bit is @wanted; behind the last if there is none. */
static unsigned long long find_bit(struct cow_runs *runs, bool wanted)
{
	unsigned long long sector = runs->next, end = runs->cow->bitmap_length * 8, byte;
	unsigned char bits;

	while (sector < end) {
		byte = sector / 8;
		if (byte - runs->loaded >= runs->n)
			load(runs, byte);
		bits = runs->piece[byte - runs->loaded];
		if (!(sector % 8) && bits == (wanted ? 0 : 0xff)) {
			sector += 8;
			continue;
		}
		if ((bits >> sector % 8 & 1) == wanted)
			break;
		sector++;
	}
	return sector;
}

/**
 * cow_next_run - find the next bytes of the disk that are in the COW file
 * @runs: with nothing but @cow the first time
 *
 * Return: false if there are no more; ends the program if the bitmap cannot be read.
 */
bool cow_next_run(struct cow_runs *runs)
{
	unsigned long long size = runs->cow->size;

	runs->next = find_bit(runs, true);
	runs->first = runs->next * COW_SECTOR;
	/* Bits without a sector mean nothing. */
	if (runs->next >= runs->cow->bitmap_length * 8 || runs->first >= size)
		return false;
	runs->next = find_bit(runs, false);
	runs->length = runs->next * COW_SECTOR - runs->first;
	/* Nor is there more of the last sector than of the disk. */
	if (runs->length > size - runs->first)
		runs->length = size - runs->first;
	return true;
}

/** cow_is_current - whether a file is of the layout that is written */
bool cow_is_current(const struct cow *cow)
{
	return cow->layout == &layout_v3;
}

/**
 * cow_set_header - give a file of version 3 another backing file
 * @cow: the file, of which cow_is_current() is true
 * @backing: from the root directory on
 * @mtime: when that was modified
 *
 * Whatever happens meanwhile, the header is the old or the new one: both are in one page. Only a
 * name that does not fit in there is longer. Ends the program on failure.
 */
void cow_set_header(struct cow *cow, const char *backing, unsigned int mtime)
{
	unsigned char header[HEADER_MAX];
	size_t n = layout_v3.end, page = ALIGNMENT;

	if (strlen(backing) >= layout_v3.name_max)
		die("%s: longer than a name can be in a COW file", backing);
	if (read_header(cow->fd, header) < (ssize_t)layout_v3.end)
		die("%s: truncated", cow->path);
	set_number(header, layout_v3.mtime, mtime);
	memset(header + layout_v3.name, 0, layout_v3.name_max);
	strcpy((char *)header + layout_v3.name, backing);
	if (strlen(backing) + 1 <= page - layout_v3.name)
		n = page;
	file_write(cow->fd, cow->path, header, n, 0);
	file_sync(cow->fd, cow->path);
}

/** cow_set_mtime - say that the backing file is right as it is; ends the program on failure */
void cow_set_mtime(struct cow *cow, unsigned int mtime)
{
	size_t mark = cow->layout->name + strlen(cow->backing) + 1;
	const char nothing[sizeof(merging_mark)] = "";
	unsigned int raw = cow->version == 1 ? htole32(mtime) : htobe32(mtime);

	file_write(cow->fd, cow->path, &raw, sizeof(raw), cow->layout->mtime);
	file_sync(cow->fd, cow->path);
	file_write(cow->fd, cow->path, nothing, sizeof(nothing), mark);
	file_sync(cow->fd, cow->path);
	cow->mtime = mtime;
	cow->merging = false;
}

/**
 * cow_mark_merging - note in the file that its backing file is being written to
 *
 * Return: false if the header has no room for the note; ends the program on failure.
 */
bool cow_mark_merging(struct cow *cow)
{
	size_t mark = strlen(cow->backing) + 1;

	if (mark + sizeof(merging_mark) > cow->layout->name_max)
		return false;
	file_write(cow->fd, cow->path, merging_mark, sizeof(merging_mark),
		   cow->layout->name + mark);
	file_sync(cow->fd, cow->path);
	cow->merging = true;
	return true;
}

/**
 * cow_begin_version_3 - make an empty COW file of a file without content
 * @cow: filled in, but for the name of the backing file, which is in the file
 * @fd: where to
 * @path: its later name
 * @backing: the backing file, from the root directory on
 * @mtime: when it was modified
 * @size: its bytes
 *
 * Ends the program on failure.
 */
void cow_begin_version_3(struct cow *cow, int fd, const char *path, const char *backing,
			 unsigned int mtime, unsigned long long size)
{
	unsigned char header[HEADER_MAX] = { 0 };

	if (strlen(backing) >= layout_v3.name_max)
		die("%s: longer than a name can be in a COW file", backing);
	*cow = (struct cow){
		.path = path, .fd = fd, .layout = &layout_v3, .version = 3,
		.mtime = mtime, .size = size,
	};
	place(cow, ALIGNMENT);
	set_number(header, 0, MAGIC);
	set_number(header, 4, 3);
	set_number(header, layout_v3.mtime, mtime);
	set_long_number(header, layout_v3.size, size);
	set_number(header, layout_v3.sector, COW_SECTOR);
	set_number(header, layout_v3.alignment, ALIGNMENT);
	strcpy((char *)header + layout_v3.name, backing);
	if (ftruncate(fd, cow->data + size))
		die_errno(errno, "%s: %llu bytes", path, cow->data + size);
	file_write(fd, path, header, layout_v3.end, 0);
}
