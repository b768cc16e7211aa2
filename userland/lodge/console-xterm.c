// SPDX-License-Identifier: GPL-2.0
/* A console in a window of its own: a terminal program in which `lodge console` runs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console-kind.h"
#include "consoles.h"
#include "error.h"
#include "launcher.h"
#include "util.h"

#define PROGRAM "xterm"

/**
 * struct window - such a window
 * @program: path of the terminal program
 * @pid: its process, 0 when it has ended
 */
struct window {
	char *program;
	pid_t pid;
};

/* What execvp() would find. Returns a path that the caller frees, or NULL. */
static char *find_program(const char *name)
{
	char *copy cleanup_free = xstrdup(getenv("PATH") ?: "/usr/bin:/bin");
	char *rest = copy, *directory, *found;

	if (strchr(name, '/'))
		return access(name, X_OK) ? NULL : realpath(name, NULL);
	while ((directory = strsep(&rest, ":"))) {
		found = xasprintf("%s/%s", directory, name);
		if (!access(found, X_OK))
			return found;
		free(found);
	}
	return NULL;
}

static void xterm_check(struct console *console)
{
	struct window *window = xcalloc(1, sizeof(*window));
	const char *name = console->where ?: PROGRAM;

	window->program = find_program(name);
	if (!window->program)
		console_die(console, "there is no program '%s'%s", name,
			    console->where ? "" : ": install the package xterm");
	if (!getenv("DISPLAY") && !getenv("WAYLAND_DISPLAY"))
		console_die(console, "no DISPLAY to open a window on");
	console->private = window;
}

static noreturn void become_window(const struct console *console)
{
	const struct window *window = console->private;
	const char *guest = console->consoles->guest;
	char *title = xasprintf("%s: %s %s", guest, console->serial ? "serial line" : "console",
				console->serial ? console->id + 1 : console->id);
	char self[PATH_MAX] = "";
	int null = open("/dev/null", O_RDWR);

	/* Neither the terminal's signals nor what lodge has open are for it, nor its directory. */
	setsid();
	launcher_release_signals();
	if (null < 0 || chdir("/") || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		_exit(STATUS_NOT_FOUND);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (console->consoles->background)
		dup2(null, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	execl(window->program, window->program, "-T", title, "-e", self, "console", guest,
	      console->id, NULL);
	_exit(STATUS_NOT_FOUND);
}

static void xterm_begin(struct console *console)
{
	struct window *window = console->private;

	fflush(NULL);
	window->pid = fork();
	if (!window->pid)
		become_window(console);
	if (window->pid < 0) {
		window->pid = 0;
		warn_guest(console->consoles->guest, NULL, "console %s has no window: %s",
			   console->id, strerror(errno));
	}
}

static void xterm_watch(struct console *console)
{
	struct window *window = console->private;
	int status;

	if (!window->pid || waitpid(window->pid, &status, WNOHANG) != window->pid)
		return;
	window->pid = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		warn_guest(console->consoles->guest, NULL,
			   "console %s has no window: %s has failed", console->id,
			   window->program);
}

static char *xterm_place(const struct console *console)
{
	const struct window *window = console->private;

	return xstrdup(window->program);
}

/* Its `lodge console` ends with the guest, and the window with that. */
static void xterm_close(struct console *console)
{
	struct window *window = console->private;

	free(window->program);
	free(window);
}

const struct console_kind console_xterm = {
	.name = "xterm", .value = "PROGRAM", .check = xterm_check, .begin = xterm_begin,
	.watch = xterm_watch, .place = xterm_place, .close = xterm_close,
};
