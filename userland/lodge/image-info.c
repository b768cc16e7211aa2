// SPDX-License-Identifier: GPL-2.0
#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cow.h"
#include "error.h"
#include "image-info.h"
#include "lodge.h"
#include "printable.h"
#include "report.h"
#include "size.h"
#include "util.h"

static void add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text ? json_object_new_string(text) : NULL);
}

static void add_size(struct json_object *object, const char *name, unsigned long long bytes)
{
	json_object_object_add(object, name, json_object_new_uint64(bytes));
}

static void add_value(struct json_object *object, const char *name, blkid_probe probe,
		      const char *tag)
{
	const char *value;

	if (!blkid_probe_lookup_value(probe, tag, &value, NULL))
		add_text(object, name, value);
}

/* A file system, or whatever else it begins with. */
static void add_content(struct json_object *object, int fd, const char *path)
{
	blkid_probe probe = blkid_new_probe();

	if (!probe)
		die_errno(ENOMEM, "%s", path);
	if (!blkid_probe_set_device(probe, fd, 0, 0)) {
		blkid_probe_enable_superblocks(probe, 1);
		blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
						  BLKID_SUBLKS_UUID);
		blkid_probe_enable_partitions(probe, 1);
		if (!blkid_do_safeprobe(probe)) {
			add_value(object, "content", probe, "TYPE");
			add_value(object, "label", probe, "LABEL");
			add_value(object, "uuid", probe, "UUID");
			add_value(object, "partitions", probe, "PTTYPE");
		}
	}
	blkid_free_probe(probe);
}

static unsigned long long changed(const struct cow *cow)
{
	struct cow_runs *runs cleanup_free = xcalloc(1, sizeof(*runs));
	unsigned long long bytes = 0;

	runs->cow = cow;
	while (cow_next_run(runs))
		bytes += runs->length;
	return bytes;
}

static void describe_cow(struct json_object *object, const char *path, unsigned long long allocated)
{
	char *problem cleanup_free = NULL;
	struct cow cow;

	problem = cow_open(&cow, path, O_RDONLY);
	if (problem)
		die("%s", problem);
	problem = cow_difference(&cow);
	add_text(object, "type", "cow");
	json_object_object_add(object, "version", json_object_new_int(cow.version));
	add_size(object, "size", cow.size);
	add_size(object, "allocated", allocated);
	add_size(object, "changed", changed(&cow));
	add_text(object, "backing", cow.backing);
	add_size(object, "backing_mtime", cow.mtime);
	add_text(object, "problem", problem);
	cow_close(&cow);
}

static struct json_object *describe(const char *path, bool cow_only)
{
	int fd cleanup_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct json_object *object;
	struct stat st;
	off_t size;

	if (fd < 0 || fstat(fd, &st))
		die_errno(errno, "%s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		die("%s: neither a regular file nor a block device", path);
	object = json_object_new_object();
	if (cow_only || cow_is(fd)) {
		describe_cow(object, path, st.st_blocks * 512ULL);
		return object;
	}
	size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		die_errno(errno, "%s", path);
	add_text(object, "type", "raw");
	add_size(object, "size", size);
	if (S_ISREG(st.st_mode))
		add_size(object, "allocated", st.st_blocks * 512ULL);
	add_content(object, fd, path);
	return object;
}

/* A problem is said on stderr, where the time of the backing file is part of it. */
static void print_text(struct json_object *object)
{
	static const struct {
		const char *name;
		bool size;
	} lines[] = {
		{ "type", false }, { "version", false }, { "size", true }, { "allocated", true },
		{ "changed", true }, { "backing", false }, { "content", false },
		{ "label", false }, { "uuid", false }, { "partitions", false },
	};
	struct json_object *value;
	char buf[SIZE_TEXT];
	char *text;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!json_object_object_get_ex(object, lines[i].name, &value))
			continue;
		text = xstrdup(lines[i].size ? size_human(buf, json_object_get_uint64(value)) :
			       json_object_get_string(value));
		/* A label is the guest's. */
		make_printable(text);
		printf("%-10s %s\n", lines[i].name, text);
		free(text);
	}
}

/**
 * image_info - print what kind of image a file is
 * @path: the file
 * @json: as an object
 * @cow_only: it has to be a COW file
 *
 * Return: 0, or the status for a COW file whose backing file does not fit; ends the program if
 * the file cannot be read.
 */
int image_info(const char *path, bool json, bool cow_only)
{
	char *text cleanup_free = NULL;
	struct json_object *object = describe(path, cow_only);
	struct json_object *problem = NULL;

	json_object_object_get_ex(object, "problem", &problem);
	if (problem)
		text = xstrdup(json_object_get_string(problem));
	if (json) {
		report_print_json(object);
	} else {
		print_text(object);
		json_object_put(object);
	}
	if (!text)
		return 0;
	warn("%s", text);
	return error_status();
}
