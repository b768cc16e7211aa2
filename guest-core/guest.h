/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What any guest is, whatever subsystems it has: a name, files, a last error, and a
 * life that ends when nobody uses it.
 *
 * Life: guest_create() → any number of guest_read(), guest_write() → guest_retire(),
 * which succeeds once and only while no process is in the guest and no read or
 * write is running → guest_destroy().  The memory of struct guest itself stays
 * until the last guest_put(), so that a file that is still open finds a guest that
 * is gone (-ENODEV) rather than freed memory.
 *
 * Lock order: host's directory locks > guest->lock > everything of a subsystem;
 * guest->gate is innermost but for what guest_subsystem.busy takes.
 */
#ifndef LODGE_GUEST_H
#define LODGE_GUEST_H

#include "guest-core/files.h"
#include "guest-core/host.h"

struct account;
struct memory_control;
struct pool;

#define GUEST_NAME_MAX		63
#define GUEST_VALUE_MAX		4096	/* bytes of one write */

/**
 * struct complaint - why something was refused, in words
 * @lock: protects the rest; any context but hard interrupts
 * @count: complaints so far
 * @text: one line, without a newline
 */
struct complaint {
	spinlock_t lock;
	unsigned int count;
	char text[256];
};

/**
 * struct guest - one guest
 * @name: as in the control tree; never changes
 * @kind: what it has
 * @refs: references to this memory, guest_get()
 * @gate: protects @users, @dead, @closing
 * @users: reads and writes that are running
 * @dead: guest_retire() has succeeded
 * @closing: it is about to be; only those who are in may go on
 * @bound: a process has been bound to it, ever
 * @autoremove: remove it with its last process
 * @holders: who wants it to stay even then, guest_hold()
 * @privileged: the write that is running may raise an administrator's limits (@lock)
 * @lock: serialises changes of configuration
 * @error: the last refused write
 * @events: counts the changes of polled files; starts at 1
 * @pool: its memory; set and cleared by the host side of the memory subsystem
 * @account: the same of a guest that manages its memory itself, and has no pool
 * @memory: limits and swap file, for guest-mm's control files
 * @mm: for the host side of the memory subsystem
 * @tree: for the host's control tree
 */
struct guest {
	char name[GUEST_NAME_MAX + 1];
	const struct guest_kind *kind;
	atomic_t refs;
	spinlock_t gate;
	unsigned int users;
	bool dead;
	bool closing;
	bool bound;
	bool autoremove;
	bool privileged;
	atomic_t holders;
	struct mutex lock;
	struct complaint error;
	atomic_t events;
	struct pool *pool;
	struct account *account;
	struct memory_control *memory;
	void *mm;
	void *tree;
};

/**
 * struct guest_subsystem - something that a guest has for itself
 * @name: as in the control tree's version file
 * @init_guest: a guest is being made; 0 or a negative error number, with its reason in
 *	guest_root_error (complain()) if that says more than the number
 * @exit_guest: it goes; no process is in it, no file function runs
 * @busy: does it have processes?  Must not sleep.
 * @bind: make the running process the guest's; only the one with @procs may have it, which
 *	brings the others along.  0; -EBUSY: it is in a guest already; -EAGAIN: it has threads, or
 *	shares its address space; or another negative error number, with its reason in
 *	guest->error (guest_error()) if that says more
 * @procs: append the processes' ids, one a line, as the reader sees them; one subsystem has it
 * @files: its files, ended by a row without a name
 */
struct guest_subsystem {
	const char *name;
	int (*init_guest)(struct guest *guest);
	void (*exit_guest)(struct guest *guest);
	bool (*busy)(struct guest *guest);
	int (*bind)(struct guest *guest);
	int (*procs)(struct guest *guest, struct text *out);
	const struct guest_file *files;
};

/**
 * struct guest_kind - what all guests of a kind have
 * @name: as in their file "kind"
 * @subsystems: ended by NULL
 * @once: one that is not busy any more will never be again
 */
struct guest_kind {
	const char *name;
	bool once;
	const struct guest_subsystem *const *subsystems;
};

/* ---- life (guest.c) ---- */

/**
 * guest_name_error() - what is wrong with a name
 * Return: NULL if it is a good name, else the reason in words
 */
const char *guest_name_error(const char *name, size_t len);

/**
 * guest_create() - make a guest with all its subsystems
 * @kind: which
 * @guest: gets the guest, with one reference for guest_destroy() to drop
 * Return: 0; -EINVAL for a bad name; -ENOMEM or what a subsystem answered.  The reason of a
 * failure is in guest_root_error.
 */
int guest_create(const char *name, size_t len, const struct guest_kind *kind, struct guest **guest);

/* Whom guest_retire() obeys. */
enum guest_retire { RETIRE_ALWAYS, RETIRE_IF_AUTOREMOVE };

/**
 * guest_retire() - let nobody use the guest any more
 * Waits at most two seconds for reads and writes that are running.
 * Return: 0, and the caller must call guest_destroy(); -EBUSY: it has processes; -EINPROGRESS: a
 * read or write takes longer; -ENODEV: somebody else has retired it; -EAGAIN: autoremove is not
 * set, or somebody holds the guest (RETIRE_IF_AUTOREMOVE)
 */
int guest_retire(struct guest *guest, enum guest_retire when);

/**
 * guest_destroy() - end the subsystems of a retired guest, last first, and drop guest_create()'s
 * reference
 */
void guest_destroy(struct guest *guest);

/** guest_get() - hold the memory of struct guest; the caller knows somebody else who holds it */
void guest_get(struct guest *guest);

/** guest_put() - let it go; any context but hard interrupts */
void guest_put(struct guest *guest);

/** guest_busy() - has the guest processes? */
bool guest_busy(struct guest *guest);

/**
 * guest_hold() - autoremove waits until guest_unhold()
 * For who starts a guest's processes and wants to read its figures when they have ended. rmdir does
 * not wait, nor does a kind that is there once. It says nothing of guest_subsystem.
 */
void guest_hold(struct guest *guest);

/** guest_unhold() - if autoremove has waited, the guest goes now.  Process context. */
void guest_unhold(struct guest *guest);

/* ---- files (guest.c) ---- */

/** guest_read() - content of a file, appended to @out; -ENODEV when the guest is gone, -ENOMEM */
int guest_read(struct guest *guest, const struct guest_file *file, struct text *out);

/**
 * guest_write() - give a file a value
 * @value: @len bytes and a terminating NUL; gets changed
 * @privileged: the writer may raise limits above those that an administrator set
 * Return: 0; -ENODEV when the guest is gone; else -EINVAL or what the file answered, with a reason
 * in guest->error
 */
int guest_write(struct guest *guest, const struct guest_file *file, char *value, size_t len,
		bool privileged);

/** guest_core_files - the files of every guest, whatever its subsystems (core-files.c) */
extern const struct guest_file guest_core_files[];

/* ---- errors (complaint.c) ---- */

/**
 * guest_error() - say why a write is refused
 * @err: negative error number
 * @field: name of the file
 * @value: what was written; anything the writer liked
 * Puts `GUEST: FIELD: VALUE: reason` into the guest's last_error.  Any context but hard interrupts.
 * Return: @err
 */
int guest_error(struct guest *guest, int err, const char *field, const char *value,
		const char *fmt, ...) __printf(5, 6);

/** complaint_init() - nothing to complain about yet */
void complaint_init(struct complaint *complaint);

/**
 * complain() - put `NAME: reason` into a complaint
 * @name: may be anything somebody wrote
 * Return: @err
 */
int complain(struct complaint *complaint, int err, const char *name,
	     const char *fmt, ...) __printf(4, 5);

/** error_words() - what a negative error number means, for a reason that nobody gave in words */
const char *error_words(int err);

/** complaint_show() - the text as one line, or nothing */
void complaint_show(struct complaint *complaint, struct text *out);

/** guest_root_error - why the last mkdir was refused; guest_core_init() makes it */
extern struct complaint guest_root_error;
void guest_core_init(void);

/* ---- events ---- */

/** guest_notify() - a polled file has changed: wake its pollers.  Any context. */
void guest_notify(struct guest *guest);

/**
 * guest_idle() - the last process is gone: with autoremove, the guest goes too
 * Call it after guest_subsystem.busy has begun to say no, holding a reference to the guest
 * (guest_get()).  Any context but hard interrupts; the removal itself happens in a thread of
 * its own.
 */
void guest_idle(struct guest *guest);

/* ---- sizes (size.c) ---- */

#define SIZE_UNLIMITED	(~0ULL)

/**
 * size_parse() - bytes, with K, M, G or T behind them, or `max` (SIZE_UNLIMITED); -EINVAL, -ERANGE
 */
int size_parse(const char *text, u64 *bytes);

/* ---- what the host side defines ---- */

/** guest_host_notify() - guest->events has grown: wake pollers.  Any context. */
void guest_host_notify(struct guest *guest);

/** guest_host_free() - the last reference is gone: free guest->tree */
void guest_host_free(struct guest *guest);

/** guest_host_pid() - the running process's id, as it sees itself */
int guest_host_pid(void);

/**
 * guest_host_remove() - soon, in another thread: guest_retire(RETIRE_IF_AUTOREMOVE) and remove its
 * directory
 */
void guest_host_remove(struct guest *guest);

#endif /* LODGE_GUEST_H */
