// SPDX-License-Identifier: GPL-2.0
/* Guests: names, life, values, errors, limits and their administrator's bounds. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "selftests/unit/unit.h"

#include "guest-core/guest.h"
#include "guest-mm/control.h"
#include "guest-mm/pool.h"
#include "guest-mm/space.h"
#include "selftests/unit/guest-host.h"

/* ---- sizes and text ---- */

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		int err;
		u64 bytes;
	} rows[] = {
		{ "0", 0, 0 },
		{ "1", 0, 1 },
		{ "64M", 0, 64ULL << 20 },
		{ "64m", 0, 64ULL << 20 },
		{ "1K", 0, 1024 },
		{ "3g", 0, 3ULL << 30 },
		{ "16383T", 0, 16383ULL << 40 },
		{ "max", 0, SIZE_UNLIMITED },
		{ "18446744073709551614", 0, SIZE_UNLIMITED - 1 },
		{ "0000000000000000000000000000000000000012", 0, 12 },
		/* The largest number stands for max and is no size. */
		{ "18446744073709551615", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "16777216T", -ERANGE, 0 },
		{ "18014398509481984K", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "M", -EINVAL, 0 },
		{ "1MM", -EINVAL, 0 },
		{ "1MB", -EINVAL, 0 },
		{ "12Q", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1.5G", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "maxi", -EINVAL, 0 },
		{ "MAX", -EINVAL, 0 },
	};
	unsigned int i;
	u64 bytes;
	int err;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		bytes = 42;
		err = size_parse(rows[i].text, &bytes);
		if (err != rows[i].err || bytes != (err ? 42 : rows[i].bytes))
			fail_msg("%s: %d, %llu", rows[i].text, err, (unsigned long long)bytes);
	}
}

static void test_text(void **state)
{
	struct text text = { };
	unsigned int i;

	/* Across several sizes of the buffer, with pieces that end at its end and one past it. */
	for (i = 0; i < 5000; i++)
		text_printf(&text, "%04u", i);
	assert_int_equal(text.err, 0);
	assert_int_equal(text.len, 20000);
	assert_memory_equal(text.data, "000000010002", 12);
	assert_memory_equal(text.data + 19996, "4999", 4);
	text_free(&text);
	assert_null(text.data);
	for (i = 500; i < 520; i++) {
		text_printf(&text, "%*s", i, "x");
		assert_int_equal(text.len, i);
		assert_int_equal(text.data[i - 1], 'x');
		text_free(&text);
	}
}

/* ---- life ---- */

static void test_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".a", "-a", "a b", "a/b", "a:b",
					   "\xc3\xa4", "a\n" };
	static const char *const good[] = { "a", "0", "_", "A-b.c_9", "a..", "a-" };
	char name[80];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_non_null(guest_name_error(bad[i], strlen(bad[i])));
	for (i = 0; i < ARRAY_SIZE(good); i++)
		assert_null(guest_name_error(good[i], strlen(good[i])));
	memset(name, 'x', sizeof(name));
	assert_null(guest_name_error(name, GUEST_NAME_MAX));
	assert_non_null(guest_name_error(name, GUEST_NAME_MAX + 1));
}

static void assert_root_error(const char *wanted)
{
	struct text text = { };

	complaint_show(&guest_root_error, &text);
	text_printf(&text, "%c", 0);
	assert_string_equal(text.data, wanted);
	text_free(&text);
}

static void test_create_fails(void **state)
{
	struct guest *other = NULL;

	assert_root_error("");
	assert_int_equal(guest_create("a\033z", 3, &simulated, &other), -EINVAL);
	assert_root_error("a?z: a name has only letters, digits, dot, dash and underscore\n");
	guest_init_err = -EBUSY;
	assert_int_equal(guest_create("t2", 2, &simulated, &other), -EBUSY);
	assert_root_error("t2: no memory subsystem: in use\n");
	assert_null(other);
	assert_int_equal(freed, 1);
	freed = 0;
}

static void test_retire(void **state)
{
	struct text text = { };
	char value[] = "1M";

	processes = 1;
	assert_int_equal(guest_retire(guest, RETIRE_ALWAYS), -EBUSY);
	processes = 0;
	assert_int_equal(guest_retire(guest, RETIRE_IF_AUTOREMOVE), -EAGAIN);
	assert_int_equal(guest_retire(guest, RETIRE_ALWAYS), 0);
	assert_int_equal(guest_retire(guest, RETIRE_ALWAYS), -ENODEV);
	assert_int_equal(guest_read(guest, file_of("memory.max"), &text), -ENODEV);
	assert_int_equal(guest_write(guest, file_of("memory.max"), value, 2, true), -ENODEV);
	guest_get(guest);
	guest_destroy(guest);
	assert_int_equal(notified, 1);
	assert_int_equal(freed, 0);
	assert_int_equal(guest_read(guest, file_of("memory.max"), &text), -ENODEV);
	guest_put(guest);
	assert_int_equal(freed, 1);
	freed = 0;
	assert_int_equal(guest_create("t1", 2, &simulated, &guest), 0);
}

/* A read that takes until it is told to end. */
static bool reading;

static int slow_show(struct guest *g, struct text *out)
{
	WRITE_ONCE(reading, true);
	host_sleep_ms(300);
	WRITE_ONCE(reading, false);
	return 0;
}

static void *read_slowly(void *arg)
{
	static const struct guest_file slow = { .name = "slow", .show = slow_show };
	struct text text = { };

	guest_read(guest, &slow, &text);
	return NULL;
}

static void test_retire_waits(void **state)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, read_slowly, NULL), 0);
	while (!READ_ONCE(reading))
		host_sleep_ms(1);
	assert_int_equal(guest_retire(guest, RETIRE_ALWAYS), 0);
	assert_false(READ_ONCE(reading));
	pthread_join(thread, NULL);
	guest_destroy(guest);
	freed = 0;
	assert_int_equal(guest_create("t1", 2, &simulated, &guest), 0);
}

/* As the tree does: who has the file open for writing holds the guest. */
static void set_autoremove(const char *value)
{
	guest_hold(guest);
	assert_int_equal(put("autoremove", value), 0);
	guest_unhold(guest);
}

static void test_autoremove(void **state)
{
	assert_content("autoremove", "0\n");
	guest_idle(guest);
	assert_int_equal(removals, 0);
	set_autoremove("1\n");
	assert_content("autoremove", "1\n");
	/* A process that could not be bound after all */
	guest_idle(guest);
	assert_int_equal(guest_retire(guest, RETIRE_IF_AUTOREMOVE), -EAGAIN);
	assert_int_equal(removals, 0);
	assert_int_equal(put("procs", "0"), 0);
	set_autoremove("1");
	assert_int_equal(removals, 0);
	processes = 0;
	guest_idle(guest);
	assert_int_equal(removals, 1);
	/* Set when the last process has gone already. */
	set_autoremove("0");
	guest_idle(guest);
	assert_int_equal(removals, 1);
	set_autoremove("1");
	assert_int_equal(removals, 2);
	assert_refused("autoremove", "yes", -EINVAL, "neither 0 nor 1");
}

/* Two hold it when its last process ends: the second one's end removes it. */
static void test_hold(void **state)
{
	set_autoremove("1");
	assert_int_equal(put("procs", "0"), 0);
	guest_hold(guest);
	guest_unhold(guest);
	assert_int_equal(removals, 0);
	guest_hold(guest);
	guest_hold(guest);
	processes = 0;
	guest_idle(guest);
	assert_int_equal(guest_retire(guest, RETIRE_IF_AUTOREMOVE), -EAGAIN);
	guest_unhold(guest);
	assert_int_equal(removals, 0);
	guest_unhold(guest);
	assert_int_equal(removals, 1);
	/* One that was removed, and destroyed, has nothing left to ask. */
	guest_get(guest);
	guest_hold(guest);
	assert_int_equal(guest_retire(guest, RETIRE_ALWAYS), 0);
	guest_destroy(guest);
	guest_unhold(guest);
	assert_int_equal(removals, 1);
	guest_put(guest);
	freed = 0;
	assert_int_equal(guest_create("t1", 2, &simulated, &guest), 0);
}

/* ---- values ---- */

static void test_procs(void **state)
{
	assert_content("procs", "");
	assert_int_equal(put("procs", "0\n"), 0);
	assert_int_equal(put("procs", "1234"), 0);
	assert_content("procs", "1000\n1001\n");
	assert_refused("procs", "1", -EOPNOTSUPP,
		       "a process can only bind itself: write 0 or its own id");
	assert_refused("procs", "12340", -EOPNOTSUPP,
		       "a process can only bind itself: write 0 or its own id");
	assert_refused("procs", "self", -EINVAL, "not a process id");
	assert_refused("procs", "99999999999999999999", -EINVAL, "not a process id");
	assert_int_equal(processes, 2);
}

static void test_values(void **state)
{
	char *big = malloc(GUEST_VALUE_MAX + 2);
	char wanted[160];

	assert_content("last_error", "");
	assert_int_equal(put("memory.max", ""), -EINVAL);
	assert_content("last_error", "t1: memory.max: : no value\n");
	assert_int_equal(put("memory.max", "\n"), -EINVAL);
	assert_content("last_error", "t1: memory.max: : no value\n");
	assert_int_equal(put("memory.max", "1M\n\n"), -EINVAL);
	assert_content("last_error", "t1: memory.max: 1M?: not a size\n");
	assert_int_equal(put_bytes("memory.max", "1M\0", 3, true), -EINVAL);
	assert_content("last_error", "t1: memory.max: 1M: a zero byte in it\n");
	assert_refused("memory.max", "12Q", -EINVAL, "not a size");

	memset(big, '0', GUEST_VALUE_MAX + 2);
	assert_int_equal(put_bytes("memory.zswap.max", big, GUEST_VALUE_MAX, true), 0);
	assert_int_equal(put_bytes("memory.zswap.max", big, GUEST_VALUE_MAX + 1, true), -EINVAL);
	snprintf(wanted, sizeof(wanted),
		 "t1: memory.zswap.max: %064d...: a value has at most 4096 bytes\n", 0);
	assert_content("last_error", wanted);
	free(big);
}

static void test_limits(void **state)
{
	assert_content("memory.max", "max\n");
	assert_content("memory.min", "0\n");
	assert_int_equal(put("memory.max", "64M\n"), 0);
	assert_content("memory.max", "67108864\n");
	assert_int_equal(guest->pool->limit, (64UL << 20) >> PAGE_SHIFT);
	assert_int_equal(put("memory.max", "67108863"), 0);
	assert_content("memory.max", "67104768\n");
	assert_refused("memory.max", "2G", -ERANGE, "the machine has 1073741824 bytes of memory");
	assert_refused("memory.min", "65M", -EINVAL, "more than memory.max");
	assert_refused("memory.min", "2G", -ERANGE, "the machine has 1073741824 bytes of memory");
	assert_refused("memory.min", "max", -ERANGE, "the machine has 1073741824 bytes of memory");
	assert_int_equal(put("memory.min", "4M"), 0);
	assert_content("memory.min", "4194304\n");
	assert_content("memory.current", "4194304\n");
	assert_refused("memory.max", "3M", -EINVAL, "less than memory.min");
	assert_content("memory.max", "67104768\n");
	assert_int_equal(put("memory.max", "max"), 0);
	assert_int_equal(guest->pool->limit, MACHINE_PAGES);
	assert_int_equal(put("memory.min", "0"), 0);
	assert_content("memory.current", "0\n");
	assert_content("memory.peak", "4194304\n");
	assert_refused("memory.reclaim", "1M", -EAGAIN, "only 0 bytes were reclaimed");
	assert_int_equal(put("memory.reclaim", "0"), 0);
}

static void test_bounds(void **state)
{
	assert_int_equal(put("memory.max", "64M"), 0);
	assert_int_equal(try("memory.max", "32M"), 0);
	assert_content("memory.max", "33554432\n");
	assert_int_equal(try("memory.max", "64M"), 0);
	assert_int_equal(try("memory.max", "65M"), -EPERM);
	assert_content("last_error",
		       "t1: memory.max: 65M: the administrator allows 67108864 bytes at most\n");
	assert_int_equal(try("memory.max", "max"), -EPERM);
	assert_content("memory.max", "67108864\n");
	assert_int_equal(try("memory.min", "1M"), -EPERM);
	assert_int_equal(put("memory.min", "2M"), 0);
	assert_int_equal(try("memory.min", "1M"), 0);
	assert_int_equal(try("memory.min", "2M"), 0);
	assert_int_equal(try("memory.swap.max", "1M"), 0);
	assert_int_equal(try("memory.swap.max", "max"), 0);
	assert_int_equal(put("memory.swap.max", "1M"), 0);
	assert_int_equal(try("memory.swap.max", "1028K"), -EPERM);
}

/* ---- figures ---- */

static void test_figures(void **state)
{
	struct text text = { };
	char *line, *save;
	unsigned int lines = 0;
	int end, fields;

	assert_content("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n");
	pool_event(guest->pool, PE_OOM);
	assert_content("memory.events", "low 0\nhigh 0\nmax 0\noom 1\noom_kill 0\n");
	assert_int_equal(guest_read(guest, file_of("memory.stat"), &text), 0);
	text_printf(&text, "%c", 0);
	line = strtok_r(text.data, "\n", &save);
	for (; line; line = strtok_r(NULL, "\n", &save), lines++) {
		char name[32];
		unsigned long value;

		fields = sscanf(line, "%31[a-z_] %lu%n", name, &value, &end);
		assert_int_equal(fields, 2);
		assert_int_equal(line[end], '\0');
		assert_int_equal(value, 0);
	}
	assert_true(lines > 20);
	text_free(&text);
}

/* ---- the swap file ---- */

static void test_swap_file(void **state)
{
	char path[32], other_path[32], line[128];
	struct guest *first = guest;

	make_file(path, 1 << 20);
	make_file(other_path, 100);
	assert_content("memory.swap.file", "none\n");
	assert_int_equal(put("memory.swap.file", "none"), 0);
	assert_refused("memory.swap.file", "swap", -EINVAL,
		       "neither none nor a path from the root");
	assert_refused("memory.swap.file", "/no/such", -ENOENT, "cannot be opened: no such file");
	assert_refused("memory.swap.file", other_path, -EINVAL,
		       "the file is empty: its size is what it can hold");
	assert_int_equal(put("memory.swap.file", path), 0);
	snprintf(line, sizeof(line), "%s\n", path);
	assert_content("memory.swap.file", line);
	assert_refused("memory.swap.file", path, -EBUSY,
		       "the guest has a swap file already: write none first");
	assert_int_equal(tier_swap_file_size(guest->pool->tiers[TIER_SWAP_FILE]), 256);
	assert_int_equal(put("memory.swap.max", "16K"), 0);
	assert_int_equal(tier_swap_file_size(guest->pool->tiers[TIER_SWAP_FILE]), 4);
	assert_int_equal(put("memory.swap.max", "max"), 0);
	assert_int_equal(tier_swap_file_size(guest->pool->tiers[TIER_SWAP_FILE]), 256);

	assert_int_equal(guest_create("t2", 2, &simulated, &guest), 0);
	assert_int_equal(put("memory.swap.file", path), -EEXIST);
	snprintf(line, sizeof(line), "t2: memory.swap.file: %s: another guest swaps to this file\n",
		 path);
	assert_content("last_error", line);
	guest_retire(guest, RETIRE_ALWAYS);
	guest_destroy(guest);
	freed = 0;
	guest = first;

	assert_int_equal(put("memory.swap.max", "8K"), 0);
	assert_int_equal(put("memory.swap.file", "none"), 0);
	assert_content("memory.swap.file", "none\n");
	assert_int_equal(put("memory.swap.file", path), 0);
	/* The limit was there before the file. */
	assert_int_equal(tier_swap_file_size(guest->pool->tiers[TIER_SWAP_FILE]), 2);
	unlink(path);
	unlink(other_path);
}

#define with_guest(test) cmocka_unit_test_setup_teardown(test, guest_setup, guest_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_text),
		with_guest(test_names),
		with_guest(test_create_fails),
		with_guest(test_retire),
		with_guest(test_retire_waits),
		with_guest(test_autoremove),
		with_guest(test_hold),
		with_guest(test_procs),
		with_guest(test_values),
		with_guest(test_limits),
		with_guest(test_bounds),
		with_guest(test_figures),
		with_guest(test_swap_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
