/* SPDX-License-Identifier: GPL-2.0 */
/* The management console of full guests: User-mode Linux's protocol, version 2. */
#ifndef LODGE_MCONSOLE_H
#define LODGE_MCONSOLE_H

#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MCONSOLE_DATA 512

/**
 * struct mconsole_relay - lodge boot between the guest's console and its clients
 * @outer: the socket that clients send to
 * @inner: the socket that the guest answers to: it knows no other; -1 before the first request
 * @client: who waits for an answer
 * @client_length: of @client, 0 when nobody does
 * @deadline: when the guest has had time enough to answer, in ms of the monotonic clock
 * @request: the first word of what it was asked
 * @refused: it did not do what lodge itself told it last
 * @answer: what it said to that
 * @paused: it stands still, because it was told so
 * @held: lodge itself talks to it, and others may not
 *
 * A guest in a network namespace of its own could not answer clients, which bind abstract
 * names. One request is under way at a time, so that answers find their way.
 */
struct mconsole_relay {
	int outer, inner;
	struct sockaddr_un client;
	socklen_t client_length;
	long long deadline;
	char request[16];
	bool refused;
	char answer[MCONSOLE_DATA];
	bool paused, held;
};

void mconsole_relay_open(struct mconsole_relay *relay);
void mconsole_relay_poll(const struct mconsole_relay *relay, struct pollfd fds[2]);
void mconsole_relay_move(struct mconsole_relay *relay, const struct pollfd fds[2]);

unsigned long long mconsole_boot_id(void);
bool mconsole_relay_order(struct mconsole_relay *relay, const char *command);
bool mconsole_relay_tell(struct mconsole_relay *relay, const char *command, int ms);
bool mconsole_relay_is_busy(const struct mconsole_relay *relay);

bool mconsole_ask(const char *guest, const char *command, char **answer);

#endif
