// SPDX-License-Identifier: GPL-2.0
/* The memory subsystem of a guest: the host's side of it and its control files put together. */
#include <linux/sched.h>

#include "guest-core/guest.h"
#include "guest-mm/control.h"
#include "kmod/control-fs.h"
#include "kmod/mm-guest.h"

static int memory_init_guest(struct guest *guest)
{
	int err = mm_guest_create(guest);

	if (err)
		return err;
	err = memory_control_init(guest);
	if (err)
		mm_guest_destroy(guest);
	return err;
}

static void memory_exit_guest(struct guest *guest)
{
	memory_control_exit(guest);
	mm_guest_destroy(guest);
}

static void emit_pid(void *out, pid_t pid)
{
	text_printf(out, "%d\n", pid);
}

static int memory_procs(struct guest *guest, struct text *out)
{
	return mm_guest_procs(guest, emit_pid, out);
}

int guest_host_pid(void)
{
	return task_tgid_vnr(current);
}

static const struct guest_subsystem memory_subsystem = {
	.name = "memory",
	.init_guest = memory_init_guest,
	.exit_guest = memory_exit_guest,
	.busy = mm_guest_busy,
	.bind = mm_guest_bind,
	.procs = memory_procs,
	.files = memory_files,
};

static const struct guest_subsystem *const confined_subsystems[] = { &memory_subsystem, NULL };

const struct guest_kind confined_kind = {
	.name = "confined",
	.subsystems = confined_subsystems,
};
