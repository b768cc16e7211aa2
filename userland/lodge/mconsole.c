// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "lodge.h"
#include "mconsole.h"
#include "printable.h"
#include "rundir.h"
#include "util.h"

#define MAGIC 0xcafebabe
#define VERSION 2
#define ANSWER_MS 8000
/* A client that takes its answer slowly is waited for; nothing else is done meanwhile. */
#define PATIENCE_MS 500
/* More than any guest has to say. */
#define ANSWER_MAX 0x100000

struct request {
	unsigned int magic;
	unsigned int version;
	unsigned int length;
	char data[MCONSOLE_DATA];
};

struct reply {
	unsigned int error;
	unsigned int more;
	unsigned int length;
	char data[MCONSOLE_DATA];
};

/* All are relative: lodge is in the guest's directory, and so is, to itself, the guest. */
static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strncpy(sun.sun_path, path, sizeof(sun.sun_path) - 1);
	return sun;
}

/* Returns -1 with errno if that cannot be. */
static int bound(const char *path)
{
	const struct sockaddr_un sun = address(path);
	const struct timeval patience = { .tv_usec = PATIENCE_MS * 1000 };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	mode_t mask = umask(0177);
	int err = fd < 0 ? errno : 0;

	if (!err && (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
		     bind(fd, (const struct sockaddr *)&sun, sizeof(sun)))) {
		err = errno;
		close(fd);
		fd = -1;
	}
	umask(mask);
	errno = err;
	return fd;
}

/*
 * Open what the present guest's kernel listens at, for its path in /proc only; -1 if that is not
 * there. Below the first, which is lodge's, all is the guest's: it could have put links there, to
 * whatever it likes.
 */
static int open_inside(void)
{
	static const char *const path[] = { RUNDIR_UML, "k", "mconsole" };
	int fd = AT_FDCWD, parent;
	struct stat st;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(path); i++) {
		parent = fd;
		fd = openat(parent, path[i], O_PATH | O_CLOEXEC | (i ? O_NOFOLLOW : 0));
		if (parent >= 0)
			close(parent);
		if (fd < 0)
			return -1;
	}
	if (!fstat(fd, &st) && S_ISSOCK(st.st_mode))
		return fd;
	close(fd);
	return -1;
}

static bool send_inside(struct mconsole_relay *relay, const struct request *request)
{
	int fd cleanup_fd = open_inside();
	struct sockaddr_un inside = { .sun_family = AF_UNIX };

	/* Where the kernel's socket is, there is room for ours, if the guest leaves it. */
	if (fd >= 0 && relay->inner < 0)
		relay->inner = bound(RUNDIR_UML "/relay");
	if (fd < 0 || relay->inner < 0)
		return false;
	snprintf(inside.sun_path, sizeof(inside.sun_path), "/proc/self/fd/%d", fd);
	return sendto(relay->inner, request, sizeof(*request), MSG_DONTWAIT,
		      (const struct sockaddr *)&inside, sizeof(inside)) >= 0;
}

/** mconsole_relay_open - make the socket for clients in the present guest's directory */
void mconsole_relay_open(struct mconsole_relay *relay)
{
	relay->inner = -1;
	relay->outer = bound(RUNDIR_MCONSOLE);
	if (relay->outer < 0)
		die_errno(errno, "management console");
}

/** mconsole_relay_is_busy - whether an answer is waited for */
bool mconsole_relay_is_busy(const struct mconsole_relay *relay)
{
	return relay->client_length;
}

/** mconsole_relay_poll - what to wait for */
void mconsole_relay_poll(const struct mconsole_relay *relay, struct pollfd fds[2])
{
	fds[0] = (struct pollfd){ .fd = relay->outer, .events = POLLIN };
	/* While they may not, clients are told so at once. */
	if (mconsole_relay_is_busy(relay) && !relay->held)
		fds[0].fd = -1;
	fds[1] = (struct pollfd){ .fd = relay->inner, .events = POLLIN };
}

/*
 * To clients without a name nothing is sent: lodge itself has asked. Returns false if the client
 * has gone, or takes nothing.
 */
static bool answer(const struct mconsole_relay *relay, const struct sockaddr_un *client,
		   socklen_t length, const struct reply *reply, size_t n, int flags)
{
	return length <= offsetof(struct sockaddr_un, sun_path) ||
	       sendto(relay->outer, reply, n, flags, (const struct sockaddr *)client, length) >= 0;
}

static void refuse(struct mconsole_relay *relay, const struct sockaddr_un *client,
		   socklen_t length, const char *why)
{
	struct reply reply = { .error = 1 };

	reply.length = snprintf(reply.data, sizeof(reply.data), "%s", why);
	answer(relay, client, length, &reply, sizeof(reply), MSG_DONTWAIT);
}

/* Nothing more is to come from the guest's kernel. */
static void give_up(struct mconsole_relay *relay, const char *why)
{
	refuse(relay, &relay->client, relay->client_length, why);
	relay->client_length = 0;
	relay->refused = true;
	snprintf(relay->answer, sizeof(relay->answer), "%s", why);
}

/*
 * Its kernel would do these within the loop in which it stands still, and wait there for ever; or
 * whoever has asked would, for what comes of it.
 */
static bool needs_running(const char *command)
{
	static const char *const commands[] = {
		"config", "remove", "sync", "freeze", "thaw", "cad",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (starts_with(command, commands[i]))
			return true;
	return false;
}

/* Returns whether it is on its way to the guest's kernel. */
static bool ask(struct mconsole_relay *relay, const struct request *request, int ms)
{
	if (!send_inside(relay, request))
		return false;
	snprintf(relay->request, sizeof(relay->request), "%.*s",
		 (int)strcspn(request->data, " "), request->data);
	relay->refused = false;
	*relay->answer = '\0';
	relay->deadline = now_ms() + ms;
	return true;
}

/* Why a client's request cannot be passed on, or NULL. */
static const char *refusal_of(const struct mconsole_relay *relay, const struct request *request,
			      ssize_t n)
{
	if (relay->held)
		return "a backup of this guest is being made";
	/* The guest's kernel drops what it does not understand: no answer would come. */
	if (n < (ssize_t)offsetof(struct request, data) || request->magic != MAGIC ||
	    request->version != VERSION || request->length >= MCONSOLE_DATA)
		return "not a request of version 2";
	if (relay->paused && needs_running(request->data))
		return "the guest is paused: resume it first";
	return NULL;
}

static void take_request(struct mconsole_relay *relay)
{
	struct request request = { 0 };
	struct sockaddr_un client;
	socklen_t length = sizeof(client);
	const char *why;
	ssize_t n;

	n = recvfrom(relay->outer, &request, sizeof(request), MSG_DONTWAIT,
		     (struct sockaddr *)&client, &length);
	/* Without a name it could not be answered. */
	if (n < 0 || length <= offsetof(struct sockaddr_un, sun_path))
		return;
	why = refusal_of(relay, &request, n);
	if (!why && !ask(relay, &request, ANSWER_MS))
		why = "the guest's kernel does not listen";
	if (why) {
		refuse(relay, &client, length, why);
		return;
	}
	relay->client = client;
	relay->client_length = length;
}

static void take_reply(struct mconsole_relay *relay)
{
	struct reply reply = { 0 };
	ssize_t n;

	n = recv(relay->inner, &reply, sizeof(reply), MSG_DONTWAIT);
	if (n <= 0 || !mconsole_relay_is_busy(relay))
		return;
	/* Who is not there any more is not waited for with each packet. */
	if (!answer(relay, &relay->client, relay->client_length, &reply, n, 0))
		relay->client_length = offsetof(struct sockaddr_un, sun_path);
	if (reply.error) {
		relay->refused = true;
		snprintf(relay->answer, sizeof(relay->answer), "%.*s", MCONSOLE_DATA - 1,
			 reply.data);
		make_printable(relay->answer);
	}
	if (reply.more)
		return;
	relay->client_length = 0;
	if (!strcmp(relay->request, "stop"))
		relay->paused = true;
	else if (!strcmp(relay->request, "go"))
		relay->paused = false;
}

/** mconsole_relay_move - pass on what poll() found for mconsole_relay_poll() */
void mconsole_relay_move(struct mconsole_relay *relay, const struct pollfd fds[2])
{
	if (fds[1].revents)
		take_reply(relay);
	if (mconsole_relay_is_busy(relay) && now_ms() > relay->deadline)
		give_up(relay, "the guest's kernel does not answer");
	if (fds[0].revents)
		take_request(relay);
}

/**
 * mconsole_boot_id - which boot of the present guest's kernel this is
 *
 * Return: a number that is another one after a reboot; 0: its console is not there yet.
 */
unsigned long long mconsole_boot_id(void)
{
	int fd cleanup_fd = open_inside();
	struct stat st;

	/* Each boot makes the socket anew; its inode may have the same number again. */
	return fd < 0 || fstat(fd, &st) ? 0 :
	       st.st_mtim.tv_sec * 1000000000ULL + st.st_mtim.tv_nsec;
}

/**
 * mconsole_relay_tell - have the guest's kernel do something
 * @relay: of the guest
 * @command: as for mconsole_ask()
 * @ms: time enough for it
 *
 * When mconsole_relay_is_busy() no more, @relay->refused and @relay->answer say what came of it.
 *
 * Return: false if that is not possible yet.
 */
bool mconsole_relay_tell(struct mconsole_relay *relay, const char *command, int ms)
{
	struct request request = { MAGIC, VERSION, 0, "" };

	if (mconsole_relay_is_busy(relay))
		return false;
	request.length = strlen(command);
	memcpy(request.data, command, request.length);
	if (!ask(relay, &request, ms))
		return false;
	/* A client without a name: it is waited for, and told nothing. */
	relay->client_length = offsetof(struct sockaddr_un, sun_path);
	return true;
}

/**
 * mconsole_relay_order - have the guest's kernel do something, whose answer nobody wants
 * @relay: of the guest
 * @command: as for mconsole_ask()
 *
 * Return: false if that is not possible yet.
 */
bool mconsole_relay_order(struct mconsole_relay *relay, const char *command)
{
	if (relay->held)
		return false;
	/* One that stands still would not do it. */
	if (relay->paused) {
		mconsole_relay_tell(relay, "go", ANSWER_MS);
		return false;
	}
	return mconsole_relay_tell(relay, command, ANSWER_MS);
}

static bool wait_for_answer(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = poll(&poll_fd, 1, 2 * ANSWER_MS);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Returns a socket to the present guest's management console, or -1. */
static int connect_outside(void)
{
	const struct timeval patience = { .tv_sec = ANSWER_MS / 1000 };
	const struct sockaddr_un here = { .sun_family = AF_UNIX };
	const struct sockaddr_un there = address(RUNDIR_MCONSOLE);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	/* Autobind: a name of nobody else's. */
	if (fd < 0 || (!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) &&
		       !bind(fd, (const struct sockaddr *)&here, sizeof(here.sun_family)) &&
		       !connect(fd, (const struct sockaddr *)&there, sizeof(there))))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/**
 * mconsole_ask - have the guest's kernel do something
 * @guest: name of the guest whose directory was entered
 * @command: as uml_mconsole(1) has them
 * @answer: set to what it says, or to why there is no answer; the caller frees it
 *
 * Return: whether it did.
 */
bool mconsole_ask(const char *guest, const char *command, char **answer)
{
	int fd cleanup_fd = -1;
	struct request request = { MAGIC, VERSION, 0, "" };
	struct reply reply;
	size_t length = 0;
	ssize_t n;

	request.length = strlen(command);
	if (request.length >= MCONSOLE_DATA)
		die_guest(guest, "mconsole", "a command has fewer than %d bytes", MCONSOLE_DATA);
	memcpy(request.data, command, request.length);
	fd = connect_outside();
	if (fd < 0 || send(fd, &request, sizeof(request), MSG_NOSIGNAL) < 0) {
		*answer = xasprintf("mconsole: %s", strerror(errno));
		return false;
	}
	*answer = xstrdup("");
	do {
		memset(&reply, 0, sizeof(reply));
		n = wait_for_answer(fd) ? recv(fd, &reply, sizeof(reply), 0) : -1;
		if (n < (ssize_t)offsetof(struct reply, data)) {
			free(*answer);
			*answer = n < 0 ? xasprintf("mconsole: no answer in %d s",
						    2 * ANSWER_MS / 1000) :
					  xstrdup("mconsole: half an answer");
			return false;
		}
		n -= offsetof(struct reply, data);
		n = strnlen(reply.data, n);
		*answer = xrealloc(*answer, length + n + 1, 1);
		memcpy(*answer + length, reply.data, n);
		length += n;
		(*answer)[length] = '\0';
	} while (reply.more && length < ANSWER_MAX);
	make_printable(*answer);
	return !reply.error;
}
