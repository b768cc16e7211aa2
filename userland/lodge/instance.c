// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "error.h"
#include "guest-files.h"
#include "guest-module.h"
#include "instance.h"
#include "lodge.h"
#include "lodge/instance.h"
#include "util.h"

/* The last of its threads may still be on their way out. */
#define END_MS 10000
#define UNLOAD_MS 5000

/**
 * instance_module - find the guest kernel for the kernel that runs
 * @given: a path that the user gave, or NULL
 *
 * Return: an absolute path, which the caller frees; ends the program if there is none.
 */
char *instance_module(const char *given)
{
	char *name cleanup_free = NULL;
	struct utsname uts;

	uname(&uts);
	name = xasprintf("lodge-guest-%s.ko", uts.release);
	return guest_file(given, name);
}

static void join(int fd, const char *guest)
{
	struct lodge_instance_guest name = { 0 };

	snprintf(name.name, sizeof(name.name), "%s", guest);
	if (!ioctl(fd, LODGE_INSTANCE_GUEST, &name))
		return;
	if (errno == EEXIST)
		die_guest(guest, NULL, "there is a guest of this name already");
	die_guest(guest, NULL, "no directory in the control tree: %s", strerror(errno));
}

/**
 * instance_open - have room made for a guest in the kernel, and its kernel loaded
 * @instance: filled in
 * @guest: its name, for what is said
 * @module: file of its kernel
 *
 * Ends the program if that fails; what is there then goes with the program.
 */
void instance_open(struct instance *instance, const char *guest, const char *module)
{
	struct lodge_instance_status status;

	*instance = (struct instance){ .fd = open(LODGE_DEVICE, O_RDWR | O_CLOEXEC) };
	if (instance->fd < 0 && (errno == ENOENT || errno == ENXIO))
		die_guest(guest, "--host=module", "lodge.ko is not loaded");
	if (instance->fd < 0 && (errno == EPERM || errno == EACCES))
		die_guest(guest, "--host=module", "needs root (CAP_SYS_MODULE)");
	if (instance->fd < 0 || ioctl(instance->fd, LODGE_INSTANCE_STATUS, &status))
		die_guest(guest, "--host=module", LODGE_DEVICE ": %s", strerror(errno));
	instance->number = status.number;
	join(instance->fd, guest);
	guest_module_clean();
	guest_module_load(guest, module, status.number);
}

/**
 * instance_windows - tell a guest in the kernel that a terminal of it has another size now
 * @fd: an open /dev/lodge
 */
void instance_windows(int fd)
{
	/* One that does not run yet, or any more, need not know. */
	ioctl(fd, LODGE_INSTANCE_WINDOWS);
}

static void take_reason(struct instance *instance)
{
	static const char *const how[] = {
		[LODGE_ENDED_HALT] = "", [LODGE_ENDED_REBOOT] = "has rebooted",
		[LODGE_ENDED_PANIC] = "its kernel has panicked", [LODGE_ENDED_KILLED] = "killed",
	};
	struct pollfd fd = { .fd = instance->fd };
	struct lodge_instance_status status;

	poll(&fd, 1, END_MS);
	if (ioctl(instance->fd, LODGE_INSTANCE_STATUS, &status) ||
	    status.state < LODGE_STATE_ENDING || status.ended >= ARRAY_SIZE(how))
		return;
	status.reason[sizeof(status.reason) - 1] = '\0';
	snprintf(instance->reason, sizeof(instance->reason), "%s%s%s", how[status.ended],
		 *how[status.ended] && *status.reason ? ": " : "", status.reason);
}

/**
 * instance_close - see a guest out whose process has ended, and unload its kernel
 * @instance: of instance_open(); its reason is filled in
 * @guest: its name, for what is said
 */
void instance_close(struct instance *instance, const char *guest)
{
	long long end = now_ms() + UNLOAD_MS;
	int err;

	take_reason(instance);
	close(instance->fd);
	instance->fd = -1;
	while ((err = guest_module_unload(instance->number)) == -EAGAIN || err == -EBUSY) {
		if (now_ms() >= end)
			break;
		usleep(10000);
	}
	if (err)
		warn_guest(guest, NULL, "its module cannot be unloaded: %s", strerror(-err));
}
