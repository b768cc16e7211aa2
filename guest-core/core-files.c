// SPDX-License-Identifier: GPL-2.0
/* The files that every guest has: kind, procs, autoremove, last_error. */
#include "guest-core/guest.h"

/* ---- kind ---- */

static int kind_show(struct guest *guest, struct text *out)
{
	text_printf(out, "%s\n", guest->kind->name);
	return 0;
}

/* ---- procs ---- */

static const struct guest_subsystem *procs_subsystem(struct guest *guest)
{
	const struct guest_subsystem *const *subsystem = guest->kind->subsystems;

	for (; *subsystem; subsystem++)
		if ((*subsystem)->procs)
			return *subsystem;
	return NULL;
}

static int procs_show(struct guest *guest, struct text *out)
{
	const struct guest_subsystem *subsystem = procs_subsystem(guest);

	return subsystem ? subsystem->procs(guest, out) : 0;
}

/* A process id, or -1. */
static int parse_pid(const char *value)
{
	int pid = 0;

	for (; *value >= '0' && *value <= '9' && pid < 100000000; value++)
		pid = pid * 10 + *value - '0';
	return *value ? -1 : pid;
}

static int procs_store(struct guest *guest, char *value)
{
	const struct guest_subsystem *subsystem = procs_subsystem(guest);
	int pid = parse_pid(value);
	int err;

	if (pid < 0)
		return guest_error(guest, -EINVAL, "procs", value, "not a process id");
	if (!subsystem || !subsystem->bind)
		return guest_error(guest, -EOPNOTSUPP, "procs", value,
				   "a %s guest takes none of the host's", guest->kind->name);
	if (pid && pid != guest_host_pid())
		return guest_error(guest, -EOPNOTSUPP, "procs", value,
				   "a process can only bind itself: write 0 or its own id");
	err = subsystem->bind(guest);
	switch (err) {
	case 0:
		WRITE_ONCE(guest->bound, true);
		return 0;
	case -EBUSY:
		return guest_error(guest, err, "procs", value,
				   "the process is in a guest already, for life");
	case -EAGAIN:
		return guest_error(guest, err, "procs", value,
				   "the process has threads, or shares its memory: bind it earlier");
	case -ENOMEM:
		return guest_error(guest, err, "procs", value,
				   "neither the pool nor the host has memory for its tables");
	default:
		return err;
	}
}

/* ---- autoremove ---- */

static int autoremove_show(struct guest *guest, struct text *out)
{
	text_printf(out, "%d\n", READ_ONCE(guest->autoremove));
	return 0;
}

/* What follows from it is for guest_unhold(): who writes holds the guest. */
static int autoremove_store(struct guest *guest, char *value)
{
	if (strcmp(value, "0") && strcmp(value, "1"))
		return guest_error(guest, -EINVAL, "autoremove", value, "neither 0 nor 1");
	WRITE_ONCE(guest->autoremove, value[0] == '1');
	return 0;
}

/* ---- last_error ---- */

static int last_error_show(struct guest *guest, struct text *out)
{
	complaint_show(&guest->error, out);
	return 0;
}

const struct guest_file guest_core_files[] = {
	{ .name = "kind", .mode = 0444, .show = kind_show },
	/* Not under the lock: binding takes the lock of the process's address space. */
	{ .name = "procs", .mode = 0644, .show = procs_show, .store = procs_store,
	  .unlocked = true },
	{ .name = "autoremove", .mode = 0644, .show = autoremove_show, .store = autoremove_store,
	  .holds = true },
	{ .name = "last_error", .mode = 0444, .show = last_error_show },
	{ }
};
