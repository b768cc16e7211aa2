// SPDX-License-Identifier: GPL-2.0
/* A guest for unit tests; see guest-host.h. */
#include <stdlib.h>
#include <unistd.h>

#include "selftests/unit/unit.h"

#include "guest-mm/control.h"
#include "guest-mm/pool.h"
#include "guest-mm/space.h"
#include "selftests/unit/guest-host.h"

int guest_init_err, guest_bind_err;
int processes, removals, notified, freed;
struct guest *guest;

static int memory_init(struct guest *guest)
{
	int err;

	if (guest_init_err)
		return guest_init_err;
	err = pool_create(&guest->pool, guest->name, guest, MACHINE_PAGES);
	if (err)
		return err;
	err = memory_control_init(guest);
	if (err)
		pool_destroy(guest->pool);
	return err;
}

static void memory_exit(struct guest *guest)
{
	memory_control_exit(guest);
	pool_destroy(guest->pool);
	guest->pool = NULL;
}

static bool memory_busy(struct guest *guest)
{
	/* As the module's: what the guest is made of must be there. */
	assert_non_null(guest->pool);
	return processes;
}

static int memory_bind(struct guest *guest)
{
	if (!guest_bind_err)
		processes++;
	return guest_bind_err;
}

static int memory_procs(struct guest *guest, struct text *out)
{
	int i;

	for (i = 0; i < processes; i++)
		text_printf(out, "%d\n", 1000 + i);
	return 0;
}

static const struct guest_subsystem memory = {
	.name = "memory",
	.init_guest = memory_init,
	.exit_guest = memory_exit,
	.busy = memory_busy,
	.bind = memory_bind,
	.procs = memory_procs,
	.files = memory_files,
};

static const struct guest_subsystem *const subsystems[] = { &memory, NULL };

const struct guest_kind simulated = { .name = "simulated", .subsystems = subsystems };

void guest_host_notify(struct guest *guest)
{
	notified++;
}

void guest_host_free(struct guest *guest)
{
	freed++;
}

int guest_host_pid(void)
{
	return 1234;
}

void guest_host_remove(struct guest *guest)
{
	removals++;
}

/* ---- helpers ---- */

const struct guest_file *file_of(const char *name)
{
	const struct guest_file *file;

	for_each_guest_file(file, guest_core_files)
		if (!strcmp(file->name, name))
			return file;
	for_each_guest_file(file, memory_files)
		if (!strcmp(file->name, name))
			return file;
	return NULL;
}

int put_bytes(const char *name, const char *value, size_t len, bool privileged)
{
	char *copy = malloc(len + 1);
	int err;

	memcpy(copy, value, len);
	copy[len] = '\0';
	err = guest_write(guest, file_of(name), copy, len, privileged);
	free(copy);
	return err;
}

int put(const char *name, const char *value)
{
	return put_bytes(name, value, strlen(value), true);
}

/* As a user to whom the guest was given. */
int try(const char *name, const char *value)
{
	return put_bytes(name, value, strlen(value), false);
}

void assert_content(const char *name, const char *wanted)
{
	struct text text = { };

	assert_int_equal(guest_read(guest, file_of(name), &text), 0);
	text_printf(&text, "%c", 0);
	assert_string_equal(text.data, wanted);
	text_free(&text);
}

void assert_refused(const char *name, const char *value, int err, const char *reason)
{
	char wanted[512];

	assert_int_equal(put(name, value), err);
	snprintf(wanted, sizeof(wanted), "t1: %s: %s: %s\n", name, value, reason);
	assert_content("last_error", wanted);
}

int guest_setup(void **state)
{
	guest_init_err = 0;
	guest_bind_err = 0;
	processes = 0;
	removals = 0;
	notified = 0;
	freed = 0;
	guest_core_init();
	return space_module_init() || guest_create("t1", 2, &simulated, &guest);
}

int guest_teardown(void **state)
{
	processes = 0;
	if (guest_retire(guest, RETIRE_ALWAYS))
		return -1;
	guest_destroy(guest);
	space_module_exit();
	return freed == 1 && !host_allocated() ? 0 : -1;
}

void make_file(char *path, off_t size)
{
	int fd;

	snprintf(path, 32, "/tmp/lodge-guest-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}
