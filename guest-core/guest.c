// SPDX-License-Identifier: GPL-2.0
/* The life of a guest, and the reads and writes of its files; see guest.h. */
#include "guest-core/guest.h"

/* How long guest_retire() waits for reads and writes that are running. */
#define RETIRE_WAIT_MS	2000

/* ---- life ---- */

const char *guest_name_error(const char *name, size_t len)
{
	size_t i;

	if (!len)
		return "a guest needs a name";
	if (len > GUEST_NAME_MAX)
		return "a name has at most 63 bytes";
	if (name[0] == '.' || name[0] == '-')
		return "a name does not start with a dot or a dash";
	for (i = 0; i < len; i++) {
		char c = name[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '.' || c == '_' || c == '-')
			continue;
		return "a name has only letters, digits, dot, dash and underscore";
	}
	return NULL;
}

/* End the first @n subsystems. */
static void exit_subsystems(struct guest *guest, unsigned int n)
{
	while (n--)
		guest->kind->subsystems[n]->exit_guest(guest);
}

static int init_subsystems(struct guest *guest)
{
	const struct guest_subsystem *const *subsystems = guest->kind->subsystems;
	unsigned int complaints = READ_ONCE(guest_root_error.count);
	unsigned int n;
	int err;

	for (n = 0; subsystems[n]; n++) {
		err = subsystems[n]->init_guest(guest);
		if (!err)
			continue;
		if (READ_ONCE(guest_root_error.count) == complaints)
			complain(&guest_root_error, err, guest->name, "no %s subsystem: %s",
				 subsystems[n]->name, error_words(err));
		exit_subsystems(guest, n);
		return err;
	}
	return 0;
}

int guest_create(const char *name, size_t len, const struct guest_kind *kind, struct guest **ret)
{
	const char *reason = guest_name_error(name, len);
	struct guest *guest;
	int err;

	if (reason)
		return complain(&guest_root_error, -EINVAL, name, "%s", reason);
	guest = kzalloc(sizeof(*guest), GFP_KERNEL);
	if (!guest)
		return complain(&guest_root_error, -ENOMEM, name, "the host has no memory for it");

	memcpy(guest->name, name, len);
	guest->kind = kind;
	atomic_set(&guest->refs, 1);
	atomic_set(&guest->events, 1);
	spin_lock_init(&guest->gate);
	mutex_init(&guest->lock);
	complaint_init(&guest->error);
	err = init_subsystems(guest);
	if (err) {
		guest_put(guest);
		return err;
	}
	*ret = guest;
	return 0;
}

void guest_get(struct guest *guest)
{
	atomic_inc(&guest->refs);
}

void guest_put(struct guest *guest)
{
	if (!atomic_dec_and_test(&guest->refs))
		return;
	guest_host_free(guest);
	kfree(guest);
}

bool guest_busy(struct guest *guest)
{
	const struct guest_subsystem *const *subsystem = guest->kind->subsystems;

	for (; *subsystem; subsystem++)
		if ((*subsystem)->busy(guest))
			return true;
	return false;
}

/* Let a read or write in.  Only meanwhile may guest_busy() become true: that takes a write. */
static bool guest_enter(struct guest *guest)
{
	bool alive;

	spin_lock(&guest->gate);
	alive = !guest->dead && !guest->closing;
	if (alive)
		guest->users++;
	spin_unlock(&guest->gate);
	return alive;
}

static void guest_leave(struct guest *guest)
{
	bool last;

	spin_lock(&guest->gate);
	last = !--guest->users;
	spin_unlock(&guest->gate);
	if (last)
		wake_up_var(&guest->users);
}

/* Whom somebody holds; a kind that is there once waits for nobody. */
static bool held(struct guest *guest)
{
	return !guest->kind->once && atomic_read(&guest->holders);
}

/* Does autoremove leave it alone? */
static bool stays(struct guest *guest)
{
	return !READ_ONCE(guest->autoremove) || !READ_ONCE(guest->bound) || held(guest);
}

/*
 * The end of the last process and of the last holder may coincide: each side writes its own half
 * and then looks at the other's, so at least one of them sees both.
 */
void guest_idle(struct guest *guest)
{
	smp_mb(); /* pairs with guest_unhold() */
	if (!stays(guest))
		guest_host_remove(guest);
}

void guest_hold(struct guest *guest)
{
	atomic_inc(&guest->holders);
}

void guest_unhold(struct guest *guest)
{
	bool idle;

	/* A full barrier, which pairs with guest_idle(). */
	if (!atomic_dec_and_test(&guest->holders) && !guest->kind->once)
		return;
	/* Who holds it does not keep its subsystems: one that is dead has none to ask. */
	spin_lock(&guest->gate);
	idle = !guest->dead && !stays(guest) && !guest_busy(guest);
	spin_unlock(&guest->gate);
	if (idle)
		guest_host_remove(guest);
}

/* One attempt.  -EINPROGRESS: reads or writes are running. */
static int try_retire(struct guest *guest, enum guest_retire when)
{
	int err = 0;

	spin_lock(&guest->gate);
	if (guest->dead)
		err = -ENODEV;
	else if (when == RETIRE_IF_AUTOREMOVE && stays(guest))
		err = -EAGAIN;
	else if (guest_busy(guest))
		err = -EBUSY;
	else if (guest->users)
		err = -EINPROGRESS;
	else
		guest->dead = true;
	/* Who reads without end does not keep what is over. */
	if (guest->kind->once && when == RETIRE_IF_AUTOREMOVE)
		guest->closing = err == -EINPROGRESS;
	spin_unlock(&guest->gate);
	return err;
}

int guest_retire(struct guest *guest, enum guest_retire when)
{
	int err;

	wait_var_event_timeout(&guest->users, (err = try_retire(guest, when)) != -EINPROGRESS,
			       msecs_to_jiffies(RETIRE_WAIT_MS));
	return err;
}

void guest_destroy(struct guest *guest)
{
	unsigned int n = 0;

	while (guest->kind->subsystems[n])
		n++;
	exit_subsystems(guest, n);
	guest_notify(guest);
	guest_put(guest);
}

void guest_notify(struct guest *guest)
{
	atomic_inc(&guest->events);
	guest_host_notify(guest);
}

/* ---- reads and writes ---- */

int guest_read(struct guest *guest, const struct guest_file *file, struct text *out)
{
	int err;

	if (!guest_enter(guest))
		return -ENODEV;
	err = file->show(guest, out);
	guest_leave(guest);
	return err ? err : out->err;
}

/* What is wrong with a value before anybody looks at its meaning; takes the newline off its end. */
static const char *value_error(char *value, size_t len)
{
	if (len > GUEST_VALUE_MAX)
		return "a value has at most 4096 bytes";
	if (len && value[len - 1] == '\n')
		value[--len] = '\0';
	if (!len)
		return "no value";
	if (strlen(value) != len)
		return "a zero byte in it";
	return NULL;
}

static int store(struct guest *guest, const struct guest_file *file, char *value, bool privileged)
{
	int err;

	if (file->unlocked)
		return file->store(guest, value);
	mutex_lock(&guest->lock);
	guest->privileged = privileged;
	err = file->store(guest, value);
	mutex_unlock(&guest->lock);
	return err;
}

int guest_write(struct guest *guest, const struct guest_file *file, char *value, size_t len,
		bool privileged)
{
	unsigned int complaints;
	const char *reason;
	int err;

	if (!guest_enter(guest))
		return -ENODEV;
	complaints = READ_ONCE(guest->error.count);
	reason = value_error(value, len);
	if (reason)
		err = guest_error(guest, -EINVAL, file->name, value, "%s", reason);
	else
		err = store(guest, file, value, privileged);
	/* Whoever refuses should have said why; but even a general reason beats an older one. */
	if (err && READ_ONCE(guest->error.count) == complaints)
		guest_error(guest, err, file->name, value, "%s", error_words(err));
	guest_leave(guest);
	return err;
}
