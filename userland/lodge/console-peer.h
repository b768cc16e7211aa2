/* SPDX-License-Identifier: GPL-2.0 */
/* Somebody at a console: what he still has to get of its output, and what he types. */
#ifndef LODGE_CONSOLE_PEER_H
#define LODGE_CONSOLE_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "console-kind.h"

/* Of the output at once; whatever is on top of it must fit, too. */
#define PEER_CHUNK 2048
#define PEER_BUFFER (4 * PEER_CHUNK)

/* What becomes of a peer that does not take output as fast as it comes. */
enum peer_lag {
	PEER_HOLDS,		/* the guest waits for him: he is who started it */
	PEER_LEAVES,		/* he is sent away when too much waits for him */
	PEER_LOSES,		/* he loses what is too much */
};

/**
 * struct console_peer_kind - how to talk to him
 * @lag: what becomes of him if he is too slow
 * @receive: @in can be read, at most CONSOLE_INPUT bytes of input at once
 * @encode: put output into his buffer by console_peer_put(), or NULL: as it is
 * @close: he leaves, or NULL
 */
struct console_peer_kind {
	enum peer_lag lag;
	void (*receive)(struct console_peer *peer);
	void (*encode)(struct console_peer *peer, const char *data, size_t length);
	void (*close)(struct console_peer *peer);
};

/**
 * struct console_peer - somebody at a console
 * @next: another one
 * @kind: how to talk to him
 * @console: where he is
 * @in: what he types, or -1
 * @out: what he gets, or -1
 * @in_ready: what poll() found
 * @out_ready: what poll() found
 * @blocks: @out waits in write(): only when poll() says so, and no more than that
 * @person: he types at a terminal: it is read at all times, for the escape key
 * @gone: he is to be forgotten
 * @at: where in the log he is; what follows he has still to get
 * @buffer: for him, on its way
 * @length: bytes in it
 * @done: those that he has got
 * @private: of the kind
 */
struct console_peer {
	struct console_peer *next;
	const struct console_peer_kind *kind;
	struct console *console;
	int in, out;
	short in_ready, out_ready;
	bool blocks, person, gone;
	size_t at;
	char buffer[PEER_BUFFER];
	size_t length, done;
	void *private;
};

struct console_peer *console_peer_new(struct console *console,
				      const struct console_peer_kind *kind, int in, int out);
void console_peer_from_start(struct console_peer *peer);
void console_peer_put(struct console_peer *peer, const char *data, size_t length);
ssize_t console_peer_read(struct console_peer *peer, char *data, size_t size);
void console_peer_receive(struct console_peer *peer);
void console_peer_close_fd(struct console_peer *peer);

void console_peer_poll(struct console_peer *peer, struct poll_list *list);
void console_peer_move(struct console_peer *peer);
void console_peer_send(struct console_peer *peer, bool ready);
bool console_peer_waits(const struct console_peer *peer);
void console_peer_flush(struct console_peer *peer);
void console_peers_lag(struct console *console);
void console_peers_forget(struct console *console, bool all);

int own_description(int fd, bool *blocks);

#endif
