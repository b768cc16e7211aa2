// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "guests.h"
#include "lodge.h"
#include "owner.h"
#include "rundir.h"
#include "switch.h"
#include "util.h"

#define CLAIM_TRIES 10
#define DEPTH_MAX 64

/* What may be in a guest's directory. */
static const char *const left_behind[] = {
	RUNDIR_MCONSOLE, RUNDIR_MESSAGES, RUNDIR_LOG, RUNDIR_LOG_BEFORE, RUNDIR_PID,
	RUNDIR_STATUS, RUNDIR_MEMORY, RUNDIR_KILLED, RUNDIR_HALTED, RUNDIR_DEVICES, RUNDIR_UML,
	RUNDIR_CONSOLES, RUNDIR_INSTANCE, RUNDIR_LOCK,
};

/* The claim of this process. */
static struct {
	char *path;
	int lock;
	pid_t owner;
	bool keep;
} mine = { .lock = -1 };

static const char *runtime_root(void)
{
	static char *root;
	const char *given = getenv("XDG_RUNTIME_DIR");
	const char *tmp = getenv("TMPDIR");

	if (root)
		return root;
	/* Root's guests are in one place, whether a shell has started them or the system. */
	if (given && !geteuid() && starts_with(given, "/run/user/") && !access("/run", W_OK))
		given = NULL;
	if (given && *given == '/')
		root = xasprintf("%s/lodge", given);
	else if (!geteuid())
		root = xstrdup("/run/lodge");
	else
		root = xasprintf("%s/lodge-%u", tmp && *tmp == '/' ? tmp : "/tmp", geteuid());
	return root;
}

/* In /tmp anybody could have made it: it must be ours, and closed to others. */
static bool root_is_there(void)
{
	const char *root = runtime_root();
	struct stat st;

	if (lstat(root, &st)) {
		if (errno == ENOENT || errno == ENOTDIR)
			return false;
		die_errno(errno, "%s", root);
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022)
		die("%s: not a directory that only you can write to", root);
	return true;
}

static char *guest_path(const char *guest)
{
	return xasprintf("%s/%s", runtime_root(), guest);
}

/* Whether a guest runs in this directory; leaves everything as it is. */
static bool is_locked(const char *path)
{
	char *file cleanup_free = xasprintf("%s/" RUNDIR_LOCK, path);
	int fd cleanup_fd = open(file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
}

/* Also one that the guest has closed to its owner. */
static int open_directory(int parent, const char *name)
{
	int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), opened;
	char path[32];

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	chmod(path, 0700);
	opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(fd);
	return opened;
}

/*
 * The guest can put what it likes into its own directory: links, which are not followed, and as
 * many levels as it likes, of which those below @depth stay.
 */
static void remove_tree(int parent, const char *name, unsigned int depth)
{
	int fd = open_directory(parent, name);
	struct dirent *entry;
	DIR *dir;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) && depth)
			remove_tree(fd, entry->d_name, depth - 1);
	}
	if (dir)
		closedir(dir);
	if (unlinkat(parent, name, AT_REMOVEDIR))
		unlinkat(parent, name, 0);
}

static bool is_kept(const char *file)
{
	return !strcmp(file, RUNDIR_LOG) || !strcmp(file, RUNDIR_LOG_BEFORE) ||
	       !strcmp(file, RUNDIR_MESSAGES) || !strcmp(file, RUNDIR_STATUS);
}

static void remove_entries(const char *path, bool keep)
{
	int dir cleanup_fd = open(path, O_DIRECTORY | O_CLOEXEC);
	size_t i;

	if (dir < 0)
		return;
	/* The lock goes last: until then nobody else takes the name. */
	for (i = 0; i < ARRAY_SIZE(left_behind) - 1; i++)
		if (!keep || !is_kept(left_behind[i]))
			unlinkat(dir, left_behind[i], 0);
	/* Without a sandbox. */
	remove_tree(dir, RUNDIR_UML, DEPTH_MAX);
	if (!keep)
		remove_tree(dir, RUNDIR_CONSOLES, 0);
	unlinkat(dir, RUNDIR_LOCK, 0);
	if (!keep)
		rmdir(path);
}

static void remove_files(const char *path)
{
	remove_entries(path, false);
}

/* Returns the lock of a directory, held; -1 with errno EWOULDBLOCK if somebody else holds it. */
static int take_lock(const char *path)
{
	char *file cleanup_free = xasprintf("%s/" RUNDIR_LOCK, path);
	struct stat held, named;
	int fd, err;

	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	/* Its last owner may have removed it in between. */
	if (fstat(fd, &held) || stat(file, &named) || held.st_ino != named.st_ino) {
		close(fd);
		errno = EAGAIN;
		return -1;
	}
	return fd;
}

/* Has it ended, and is there somebody who wants to know how? */
static bool is_over(const char *path)
{
	char *status cleanup_free = xasprintf("%s/" RUNDIR_STATUS, path);

	return !access(status, F_OK);
}

/* Forgets a guest whose launcher was killed. Returns whether its name is in use. */
static bool in_use(const char *path)
{
	int fd;

	if (access(path, F_OK) || is_over(path))
		return false;
	fd = take_lock(path);
	if (fd < 0)
		return errno == EWOULDBLOCK;
	remove_files(path);
	close(fd);
	return false;
}

/* Removes what is known of a guest that has ended. Returns whether anything was. */
static bool forget(const char *path)
{
	bool found = false;
	int fd;

	if (!is_over(path))
		return false;
	/* With the lock: it may be a new guest's by now. */
	fd = take_lock(path);
	if (fd < 0)
		return false;
	if (is_over(path)) {
		remove_files(path);
		found = true;
	}
	close(fd);
	return found;
}

/**
 * rundir_claim - take a name for a full guest that this process is going to run
 * @guest: a valid name
 *
 * Enters its directory. The name is free again when this process has ended.
 *
 * Return: false if a guest of this name runs; ends the program on other errors.
 */
bool rundir_claim(const char *guest)
{
	char *path = guest_path(guest);
	int tries;

	if (mkdir(runtime_root(), 0700) && errno != EEXIST)
		die_errno(errno, "%s", runtime_root());
	root_is_there();
	for (tries = 0; tries < CLAIM_TRIES; tries++) {
		if (in_use(path)) {
			free(path);
			return false;
		}
		/* Who ended under this name is forgotten. */
		forget(path);
		if (mkdir(path, 0700) && errno != EEXIST)
			die_errno(errno, "%s", path);
		mine.lock = take_lock(path);
		if (mine.lock >= 0)
			break;
	}
	if (mine.lock < 0 || chdir(path))
		die_errno(errno, "%s", path);
	mine.path = path;
	mine.owner = getpid();
	atexit(rundir_release);
	return true;
}

/** rundir_write - tell others a number in a file of the directory that was claimed */
void rundir_write(const char *file, unsigned long long number)
{
	FILE *out cleanup_file = fopen(file, "we");

	if (!out || fprintf(out, "%llu\n", number) < 0)
		die_errno(errno, "%s/%s", mine.path, file);
}

/** rundir_keep - when the name is given back, let others know how the guest has ended */
void rundir_keep(int status)
{
	rundir_write(RUNDIR_STATUS, status);
	mine.keep = true;
}

/** rundir_release - give the name of rundir_claim() back; harmless at any time */
void rundir_release(void)
{
	if (mine.lock < 0 || mine.owner != getpid())
		return;
	remove_entries(mine.path, mine.keep);
	close(mine.lock);
	mine.lock = -1;
}

/*
 * Finds the directory of a guest that @is_own says is meant, or @is_others of another user's, whose
 * files nobody but he may clean up. What is done there is done as its owner, until another guest
 * is looked for. Returns its path, or NULL.
 */
static char *find(const char *guest, bool (*is_own)(const char *), bool (*is_others)(const char *))
{
	const char *name;
	char *path;
	uid_t uid;

	name = owner_split(guest, &uid);
	owner_leave();
	if (uid != geteuid())
		return others_find(uid, name, is_others);
	path = guest_path(name);
	if (root_is_there() && is_own(path))
		return path;
	free(path);
	return NULL;
}

static bool enter(char *path)
{
	bool good = path && !chdir(path);

	free(path);
	return good;
}

/** rundir_exists - whether a full guest of this name runs: NAME, or for root USER/NAME */
bool rundir_exists(const char *guest)
{
	char *path cleanup_free = find(guest, in_use, is_locked);

	owner_leave();
	return path;
}

/** rundir_enter - go to the directory of a full guest; false if there is none of this name */
bool rundir_enter(const char *guest)
{
	return enter(find(guest, in_use, is_locked));
}

/** full_guest_check_name - end the program, with the reason, if no full guest can be called so */
void full_guest_check_name(const char *guest)
{
	uid_t uid;

	guest_check_name(owner_split(guest, &uid));
}

static noreturn void not_found(const char *guest)
{
	struct guests guests;
	const char *slash;
	size_t i;

	rundir_read(&guests);
	for (i = 0; i < guests.n; i++) {
		slash = strchr(guests.names[i], '/');
		if (slash && !strcmp(slash + 1, guest))
			die_guest(guest, NULL, "no such full guest of yours: did you mean '%s'?",
				  guests.names[i]);
	}
	guest_not_found(guest, "full guest", &guests);
}

/** full_guest_enter - rundir_enter(), or end the program because there is no such guest */
void full_guest_enter(const char *guest)
{
	full_guest_check_name(guest);
	if (!rundir_enter(guest))
		not_found(guest);
}

/** rundir_enter_ended - rundir_enter() for a guest that was to be kept and has ended */
bool rundir_enter_ended(const char *guest)
{
	return enter(find(guest, is_over, is_over));
}

/** rundir_forget - remove what is known of a guest that has ended; false if there is none */
bool rundir_forget(const char *guest)
{
	char *path cleanup_free = find(guest, forget, forget);

	owner_leave();
	return path;
}

/** rundir_leave - be who called lodge again, though still in the directory of another's guest */
void rundir_leave(void)
{
	owner_leave();
}

/**
 * rundir_open - read a file of the directory that was entered
 * @file: its name
 *
 * The directory may be another user's, who can have put there what he likes: a link, or a pipe
 * that nobody writes to.
 *
 * Return: a plain file, which the caller closes, or NULL.
 */
FILE *rundir_open(const char *file)
{
	int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return fdopen(fd, "r");
	close(fd);
	return NULL;
}

/** rundir_runs - whether the guest whose directory was entered still runs */
bool rundir_runs(void)
{
	/* It was entered while it ran: a lock that can be had means the end. */
	return is_locked(".");
}

/** rundir_number - what is in a file of the directory that was entered; 0 if nothing is */
unsigned long long rundir_number(const char *file)
{
	FILE *in cleanup_file = rundir_open(file);
	unsigned long long number;

	return in && fscanf(in, "%llu", &number) == 1 ? number : 0;
}

/** rundir_open_root - open the directory that the guests' directories are in; -1 with errno */
int rundir_open_root(void)
{
	return open(runtime_root(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void read_own(struct guests *guests)
{
	int root cleanup_fd = -1;

	if (!root_is_there())
		return;
	guests_list(guests, runtime_root(), rundir_exists);
	root = rundir_open_root();
	if (root >= 0)
		switch_sweep(root);
}

/**
 * rundir_read - list the full guests of this user; for root, those of all, as USER/NAME
 * @guests: filled in; the caller frees it with guests_free()
 *
 * With LODGE_ROOT in the environment, a tree that is a test's, root too has only his own.
 */
void rundir_read(struct guests *guests)
{
	owner_leave();
	*guests = (struct guests){ 0 };
	read_own(guests);
	if (!geteuid() && !getenv("LODGE_ROOT"))
		others_read(guests, is_locked);
}
