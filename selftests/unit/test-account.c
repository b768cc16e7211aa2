// SPDX-License-Identifier: GPL-2.0
/* Guests that manage their memory themselves: what they are charged for, and their files. */
#include <pthread.h>

#include "selftests/unit/unit.h"

#include "guest-core/guest.h"
#include "guest-mm/account.h"
#include "guest-mm/control.h"
#include "selftests/unit/guest-host.h"

static struct account account;

static int init_guest(struct guest *guest)
{
	account = (struct account){ };
	account_init(&account, MACHINE_PAGES);
	guest->account = &account;
	return memory_control_init(guest);
}

static bool is_busy(struct guest *guest)
{
	return processes;
}

/* What happens while somebody reads procs. */
static void (*meanwhile)(void);

static int list_procs(struct guest *guest, struct text *out)
{
	if (meanwhile)
		meanwhile();
	text_printf(out, "1000\n");
	return 0;
}

static const struct guest_subsystem memory = {
	.name = "memory",
	.init_guest = init_guest,
	.exit_guest = memory_control_exit,
	.busy = is_busy,
	.procs = list_procs,
	.files = account_files,
};

static const struct guest_subsystem *const subsystems[] = { &memory, NULL };
static const struct guest_kind plain = { .name = "plain", .once = true, .subsystems = subsystems };

static int setup(void **state)
{
	processes = 0;
	freed = 0;
	removals = 0;
	meanwhile = NULL;
	guest_core_init();
	return guest_create("t1", 2, &plain, &guest);
}

static int teardown(void **state)
{
	if (guest_retire(guest, RETIRE_ALWAYS))
		return -1;
	guest_destroy(guest);
	return freed == 1 && !host_allocated() ? 0 : -1;
}

static int read_peak(void)
{
	struct text text = { };
	int err = guest_read(guest, file_of("memory.peak"), &text);

	text_free(&text);
	return err;
}

static void end_it(void)
{
	assert_int_equal(guest_retire(guest, RETIRE_IF_AUTOREMOVE), -EINPROGRESS);
	assert_int_equal(read_peak(), -ENODEV);
}

/* Who is in may go on; nobody else keeps it, unless it is to stay after all. */
static void test_readers(void **state)
{
	guest->autoremove = true;
	guest->bound = true;
	meanwhile = end_it;
	assert_content("procs", "1000\n");
	meanwhile = NULL;
	guest->autoremove = false;
	assert_int_equal(guest_retire(guest, RETIRE_IF_AUTOREMOVE), -EAGAIN);
	assert_int_equal(read_peak(), 0);
}

/* Nor who holds it: its name is to be free. */
static void test_holders(void **state)
{
	guest->bound = true;
	guest_hold(guest);
	guest_hold(guest);
	guest_idle(guest);
	assert_int_equal(removals, 0);
	guest->autoremove = true;
	guest_unhold(guest);
	assert_int_equal(removals, 1);
	guest_idle(guest);
	assert_int_equal(removals, 2);
	guest_unhold(guest);
}

static void test_charge(void **state)
{
	assert_content("memory.current", "0\n");
	assert_true(account_charge(&account, 3));
	assert_content("memory.current", "12288\n");
	account_uncharge(&account, 2);
	assert_content("memory.current", "4096\n");
	assert_content("memory.peak", "12288\n");
	assert_false(account_charge(&account, MACHINE_PAGES));
	assert_true(account_charge(&account, MACHINE_PAGES - 1));
	assert_false(account_charge(&account, 1));
	assert_content("memory.current", "1073741824\n");
	account_uncharge(&account, MACHINE_PAGES);
	assert_content("memory.current", "0\n");
}

static void test_limit(void **state)
{
	assert_content("memory.max", "max\n");
	assert_true(account_charge(&account, 4));
	assert_int_equal(put("memory.max", "16K"), 0);
	assert_false(account_charge(&account, 1));
	assert_int_equal(put("memory.max", "20K"), 0);
	assert_true(account_charge(&account, 1));
	assert_false(account_charge(&account, 1));
	assert_refused("memory.max", "16K", -EBUSY,
		       "20480 bytes are in use and cannot be reclaimed");
	assert_content("memory.max", "20480\n");
	account_uncharge(&account, 5);
	assert_int_equal(put("memory.max", "0"), 0);
	assert_false(account_charge(&account, 1));
	assert_int_equal(put("memory.max", "max"), 0);
	assert_true(account_charge(&account, 1));
	assert_refused("memory.max", "1T", -ERANGE, "the machine has 1073741824 bytes of memory");
	assert_refused("memory.max", "much", -EINVAL, "not a size");
	account_uncharge(&account, 1);
}

static void test_default(void **state)
{
	memory_control_default(guest, 2);
	assert_content("memory.max", "8192\n");
	assert_true(account_charge(&account, 2));
	assert_false(account_charge(&account, 1));
	account_uncharge(&account, 2);
	/* What somebody has set stays. */
	assert_int_equal(put("memory.max", "4K"), 0);
	memory_control_default(guest, 2);
	assert_content("memory.max", "4096\n");
	/* It is nobody's bound. */
	assert_int_equal(try("memory.max", "4K"), 0);
	assert_int_equal(try("memory.max", "8K"), -EPERM);
}

static void test_files(void **state)
{
	assert_content("kind", "plain\n");
	assert_content("procs", "1000\n");
	assert_refused("procs", "0", -EOPNOTSUPP, "a plain guest takes none of the host's");
	assert_content("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n");
	atomic_long_inc(&account.events[PE_OOM]);
	assert_content("memory.events", "low 0\nhigh 0\nmax 0\noom 1\noom_kill 0\n");
}

#define ROUNDS	200000

static void *use_the_last_page(void *failures)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		if (account_charge(&account, 1))
			account_uncharge(&account, 1);
		else
			(*(int *)failures)++;
	}
	return NULL;
}

/* A limit that cannot be had is never felt. */
static void test_race(void **state)
{
	int failures = 0, busy = 0, i;
	pthread_t thread;

	assert_true(account_charge(&account, 8));
	assert_int_equal(account_set_limit(&account, 9), 0);
	assert_int_equal(pthread_create(&thread, NULL, use_the_last_page, &failures), 0);
	for (i = 0; i < ROUNDS; i++)
		busy += account_set_limit(&account, 4) == -EBUSY;
	pthread_join(thread, NULL);
	assert_int_equal(failures, 0);
	assert_int_equal(busy, ROUNDS);
	assert_int_equal(account.limit, 9);
	account_uncharge(&account, 8);
	assert_int_equal(account_held(&account), 0);
	assert_int_equal(atomic_long_read(&account.room), 9);
}

#define with_guest(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_guest(test_charge),
		with_guest(test_readers),
		with_guest(test_holders),
		with_guest(test_limit),
		with_guest(test_default),
		with_guest(test_files),
		with_guest(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
