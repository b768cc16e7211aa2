// SPDX-License-Identifier: GPL-2.0
/* Every refusal says why, in words: for each file, each error number that it can answer. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "selftests/unit/unit.h"

#include "guest-mm/pool.h"
#include "selftests/unit/guest-host.h"

/* What other layers can answer without a word of their own. */
static const int numbers[] = {
	EPERM, ENOENT, EINTR, EIO, ENXIO, EAGAIN, ENOMEM, EACCES, EBUSY, EEXIST, ENODEV, ENOTDIR,
	EISDIR, EINVAL, ENFILE, EMFILE, ETXTBSY, EFBIG, ENOSPC, EROFS, ERANGE, ENAMETOOLONG, ELOOP,
	EOVERFLOW, EOPNOTSUPP, EDQUOT, ESTALE, ETIMEDOUT,
};

static void test_words(void **state)
{
	const char *words;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		words = error_words(-numbers[i]);
		if (!strcmp(words, error_words(-9999)) || strpbrk(words, "0123456789\n"))
			fail_msg("%d: %s", numbers[i], words);
	}
}

static void test_bind(void **state)
{
	static const struct {
		int err;
		const char *reason;
	} rows[] = {
		{ -EBUSY, "the process is in a guest already, for life" },
		{ -EAGAIN, "the process has threads, or shares its memory: bind it earlier" },
		{ -ENOMEM, "neither the pool nor the host has memory for its tables" },
		{ -EPERM, "not permitted" },
		{ -EEXIST, "exists already" },
		{ -9999, "it failed" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		guest_bind_err = rows[i].err;
		assert_refused("procs", "0", rows[i].err, rows[i].reason);
	}
	/* As long as nobody was bound, the guest's autoremove has nothing to wait for. */
	assert_false(guest->bound);
}

static void test_create(void **state)
{
	struct guest *other;
	unsigned int i;
	char wanted[128];
	struct text text = { };

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		guest_init_err = -numbers[i];
		assert_int_equal(guest_create("t2", 2, &simulated, &other), -numbers[i]);
		complaint_show(&guest_root_error, &text);
		text_printf(&text, "%c", 0);
		snprintf(wanted, sizeof(wanted), "t2: no memory subsystem: %s\n",
			 error_words(-numbers[i]));
		assert_string_equal(text.data, wanted);
		text_free(&text);
	}
	guest_init_err = 0;
	freed = 0;
}

static int store_err;

static int store(struct guest *g, char *value)
{
	return store_err;
}

/* A file that gives a number only, after another one whose reason must not be taken for it. */
static void test_number_only(void **state)
{
	static const struct guest_file file = { .name = "file", .mode = 0644, .store = store };
	char value[] = "x", wanted[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_int_equal(put("memory.max", "12Q"), -EINVAL);
		store_err = -numbers[i];
		assert_int_equal(guest_write(guest, &file, value, 1, true), store_err);
		snprintf(wanted, sizeof(wanted), "t1: file: x: %s\n", error_words(store_err));
		assert_content("last_error", wanted);
	}
}

static void test_files(void **state)
{
	static const struct {
		const char *name;
		const char *value;
		int err;
		const char *reason;
	} rows[] = {
		{ "procs", "self", -EINVAL, "not a process id" },
		{ "procs", "1", -EOPNOTSUPP,
		  "a process can only bind itself: write 0 or its own id" },
		{ "autoremove", "2", -EINVAL, "neither 0 nor 1" },
		{ "memory.max", "12Q", -EINVAL, "not a size" },
		{ "memory.max", "1P", -EINVAL, "not a size" },
		{ "memory.max", "16777216T", -ERANGE, "too large a number" },
		{ "memory.max", "1T", -ERANGE, "the machine has 1073741824 bytes of memory" },
		{ "memory.max", "0", -EINVAL, "less than memory.min" },
		{ "memory.min", "-1", -EINVAL, "not a size" },
		{ "memory.min", "1T", -ERANGE, "the machine has 1073741824 bytes of memory" },
		{ "memory.min", "512M", -EINVAL, "more than memory.max" },
		{ "memory.reclaim", "x", -EINVAL, "not a size" },
		{ "memory.reclaim", "1M", -EAGAIN, "only 0 bytes were reclaimed" },
		{ "memory.zswap.max", "1P", -EINVAL, "not a size" },
		{ "memory.swap.max", "1P", -EINVAL, "not a size" },
		{ "memory.swap.file", "swap", -EINVAL, "neither none nor a path from the root" },
		{ "memory.swap.file", "/no/such", -ENOENT, "cannot be opened: no such file" },
		{ "memory.swap.file", "/dev/null/x", -ENOTDIR,
		  "cannot be opened: not a directory" },
		{ "memory.swap.file", "/tmp", -EINVAL,
		  "neither a regular file nor a block device" },
		{ "memory.swap.file", "/dev/null", -EINVAL,
		  "neither a regular file nor a block device" },
	};
	unsigned int i;

	assert_int_equal(put("memory.max", "64M"), 0);
	assert_int_equal(put("memory.min", "4M"), 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_refused(rows[i].name, rows[i].value, rows[i].err, rows[i].reason);
}

/* A guest without processes may have no memory at all, as a cgroup may. */
static void test_no_memory(void **state)
{
	assert_int_equal(put("memory.max", "0"), 0);
	assert_content("memory.max", "0\n");
	assert_refused("memory.min", "1M", -EINVAL, "more than memory.max");
	assert_int_equal(put("memory.max", "max"), 0);
}

#define with_guest(test) cmocka_unit_test_setup_teardown(test, guest_setup, guest_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		with_guest(test_bind),
		with_guest(test_create),
		with_guest(test_number_only),
		with_guest(test_files),
		with_guest(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
