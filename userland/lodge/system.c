// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "consoles.h"
#include "devices.h"
#include "error.h"
#include "kernel-log.h"
#include "launcher.h"
#include "lodge.h"
#include "mconsole.h"
#include "net.h"
#include "poll-list.h"
#include "rundir.h"
#include "system.h"
#include "terminal.h"

#define IMPATIENCE 3
#define TICK_MS 20

struct watch {
	struct system *system;
	struct poll_list list;
	int signals, interrupts;
	bool shutting_down, halted, ended;
	unsigned long long boot;
	int status;
};

/* SIGINT and the like: the guest shuts down; who is impatient sends it three times. */
static void interrupted(struct watch *w)
{
	if (++w->interrupts < IMPATIENCE) {
		w->shutting_down = true;
		return;
	}
	warn_guest(w->system->name, NULL, "ended by a signal");
	kill(w->system->guest, SIGKILL);
}

static void child_changed(struct watch *w)
{
	int status;
	pid_t pid;

	net_watch(w->system->net);
	consoles_watch(w->system->consoles);
	do
		pid = waitpid(w->system->guest, &status, WNOHANG);
	while (pid < 0 && errno == EINTR);
	if (pid != w->system->guest)
		return;
	w->ended = true;
	w->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void take_signal(struct watch *w)
{
	struct signalfd_siginfo info;

	if (read(w->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		child_changed(w);
		break;
	case SIGWINCH:
		consoles_resize(w->system->consoles);
		break;
	case SIGINT:
	case SIGTERM:
	case SIGHUP:
	case SIGQUIT:
		interrupted(w);
		break;
	}
}

/* What waits for the management console to be there, and to be free. */
static bool is_waiting(struct watch *w)
{
	struct system *s = w->system;

	if (s->up && mconsole_boot_id()) {
		s->up(s->name);
		s->up = NULL;
	}
	if (w->shutting_down && !w->boot && mconsole_relay_order(s->management, "cad"))
		w->boot = mconsole_boot_id();
	/* To most inits Ctrl-Alt-Del means a reboot: that is as good an end. */
	if (w->boot && mconsole_boot_id() && mconsole_boot_id() != w->boot) {
		w->halted = true;
		kill(s->guest, SIGKILL);
	}
	return s->up || w->shutting_down || mconsole_relay_is_busy(s->management) ||
	       devices_wait(s->devices);
}

static void wait_for(struct poll_list *list, struct pollfd *fds, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		poll_list_add(list, fds[i].fd, fds[i].events, &fds[i].revents);
}

static void wait_for_news(struct watch *w)
{
	struct system *s = w->system;
	struct pollfd relay[2], devices[DEVICES_FDS];
	short signals, log;

	mconsole_relay_poll(s->management, relay);
	wait_for(&w->list, relay, ARRAY_SIZE(relay));
	devices_poll(s->devices, devices);
	wait_for(&w->list, devices, ARRAY_SIZE(devices));
	poll_list_add(&w->list, w->signals, POLLIN, &signals);
	poll_list_add(&w->list, s->log->fd, POLLIN, &log);
	consoles_poll(s->consoles, &w->list);
	if (poll_list_wait(&w->list, is_waiting(w) ? TICK_MS : -1) < 0)
		return;
	mconsole_relay_move(s->management, relay);
	consoles_move(s->consoles);
	devices_move(s->devices, devices);
	if (log)
		kernel_log_read(s->log);
	if (signals)
		take_signal(w);
	if (consoles_escaped(s->consoles)) {
		terminal_restore();
		warn_guest(s->name, NULL, "ended by the escape key");
		kill(s->guest, SIGKILL);
	}
}

/**
 * system_run - serve a guest until it has ended
 * @system: that has just been started
 *
 * Return: the exit status of its process, 0 when it has shut down.
 */
int system_run(struct system *system)
{
	struct watch w = { .system = system };

	w.signals = launcher_signals();
	consoles_begin(system->consoles);
	/* It may have ended before there was somebody to tell. */
	child_changed(&w);
	while (!w.ended)
		wait_for_news(&w);
	consoles_end(system->consoles);
	poll_list_free(&w.list);
	close(w.signals);
	return w.halted || !access(RUNDIR_HALTED, F_OK) ? 0 : w.status;
}
