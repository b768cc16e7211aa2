// SPDX-License-Identifier: GPL-2.0
/* A console at a TCP port: by the telnet protocol (RFC 854 and others), or byte by byte. */
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libtelnet.h>

#include "console-peer.h"
#include "consoles.h"
#include "error.h"
#include "poll-list.h"
#include "util.h"

/* Beside what the log keeps: the host's kernel would keep megabytes for who does not read. */
#define SEND_BUFFER (128 << 10)
#define DEFAULT_HOST "127.0.0.1"
#define PLACE_MAX (INET6_ADDRSTRLEN + 10)

/**
 * struct port - where it listens
 * @address: there
 * @listener: the socket
 * @listener_ready: what poll() found
 * @place: in words
 */
struct port {
	struct addrinfo *address;
	int listener;
	short listener_ready;
	char place[PLACE_MAX];
};

/**
 * struct telnet_state - of one client
 * @telnet: the library's
 * @binary: what he types comes byte by byte
 * @after_return: the last of it was a carriage return
 */
struct telnet_state {
	telnet_t *telnet;
	bool binary, after_return;
};

/* Keys one by one, echoed by the guest; all eight bits; and how large his window is. */
static const telnet_telopt_t options[] = {
	{ TELNET_TELOPT_ECHO, TELNET_WILL, TELNET_DONT },
	{ TELNET_TELOPT_SGA, TELNET_WILL, TELNET_DO },
	{ TELNET_TELOPT_BINARY, TELNET_WILL, TELNET_DO },
	{ TELNET_TELOPT_NAWS, TELNET_WONT, TELNET_DO },
	{ -1, 0, 0 }
};

/* Without the binary option Return comes with a second byte, which terminals do not have. */
static void take_keys(struct console_peer *peer, const char *data, size_t length)
{
	struct telnet_state *state = peer->private;
	char keys[CONSOLE_INPUT];
	size_t i, n = 0;

	for (i = 0; i < length && n < sizeof(keys); i++) {
		bool second = state->after_return && (data[i] == '\n' || !data[i]);

		state->after_return = !state->binary && data[i] == '\r';
		if (!second || state->binary)
			keys[n++] = data[i];
	}
	console_input(peer->console, keys, n);
}

static void take_window(struct console_peer *peer, const char *data, size_t length)
{
	const unsigned char *size = (const unsigned char *)data;

	if (length == 4)
		console_set_size(peer->console, size[2] << 8 | size[3], size[0] << 8 | size[1]);
}

static void telnet_event(telnet_t *telnet, telnet_event_t *event, void *user)
{
	struct console_peer *peer = user;
	struct telnet_state *state = peer->private;

	(void)telnet;
	switch (event->type) {
	case TELNET_EV_DATA:
		take_keys(peer, event->data.buffer, event->data.size);
		break;
	case TELNET_EV_SEND:
		console_peer_put(peer, event->data.buffer, event->data.size);
		break;
	case TELNET_EV_SUBNEGOTIATION:
		if (event->sub.telopt == TELNET_TELOPT_NAWS)
			take_window(peer, event->sub.buffer, event->sub.size);
		break;
	case TELNET_EV_WILL:
	case TELNET_EV_WONT:
		if (event->neg.telopt == TELNET_TELOPT_BINARY)
			state->binary = event->type == TELNET_EV_WILL;
		break;
	/* A few bytes of which would be many. */
	case TELNET_EV_COMPRESS:
	case TELNET_EV_ERROR:
		peer->gone = true;
		break;
	default:
		break;
	}
}

static void telnet_receive(struct console_peer *peer)
{
	struct telnet_state *state = peer->private;
	char data[CONSOLE_INPUT];
	ssize_t n = console_peer_read(peer, data, sizeof(data));

	if (!n)
		peer->gone = true;
	if (n > 0)
		telnet_recv(state->telnet, data, n);
	/* It may have an answer. */
	console_peer_send(peer, false);
}

static void telnet_encode(struct console_peer *peer, const char *data, size_t length)
{
	const struct telnet_state *state = peer->private;

	telnet_send(state->telnet, data, length);
}

/* With input that nobody has read, close() would take back what he has not seen yet. */
static void raw_close(struct console_peer *peer)
{
	char data[CONSOLE_INPUT];

	shutdown(peer->in, SHUT_WR);
	while (recv(peer->in, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	close(peer->in);
}

static void telnet_close(struct console_peer *peer)
{
	struct telnet_state *state = peer->private;

	telnet_free(state->telnet);
	free(state);
	raw_close(peer);
}

static const struct console_peer_kind telnet_peer = {
	.lag = PEER_LEAVES, .receive = telnet_receive, .encode = telnet_encode,
	.close = telnet_close,
};

static const struct console_peer_kind raw_peer = {
	.lag = PEER_LEAVES, .receive = console_peer_receive, .close = raw_close,
};

static void negotiate(struct console_peer *peer)
{
	struct telnet_state *state = xcalloc(1, sizeof(*state));
	const telnet_telopt_t *option;

	peer->private = state;
	state->telnet = telnet_init(options, telnet_event, 0, peer);
	if (!state->telnet)
		die_errno(ENOMEM, "memory of lodge itself");
	for (option = options; option->telopt >= 0; option++) {
		if (option->us == TELNET_WILL)
			telnet_negotiate(state->telnet, TELNET_WILL, option->telopt);
		if (option->him == TELNET_DO)
			telnet_negotiate(state->telnet, TELNET_DO, option->telopt);
	}
}

/* Splits [ADDRESS:]PORT, in place. */
static const char *split(char *text, const char **host)
{
	char *colon = strrchr(text, ':');

	*host = DEFAULT_HOST;
	if (!colon)
		return text;
	*colon = '\0';
	*host = text;
	if (*text == '[' && colon > text && colon[-1] == ']') {
		colon[-1] = '\0';
		*host = text + 1;
	}
	return colon + 1;
}

static void port_check(struct console *console)
{
	char *text cleanup_free = xstrdup(console->where);
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM,
	};
	struct port *port = xcalloc(1, sizeof(*port));
	const char *host, *number = split(text, &host);
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(number, &end, 10);
	if (*number < '0' || *number > '9' || *end || errno || n > USHRT_MAX)
		console_die(console, "'%s' is not a port", number);
	if (getaddrinfo(host, number, &hints, &port->address))
		console_die(console, "'%s' is not an IP address", host);
	port->listener = -1;
	console->private = port;
}

static void name_place(struct port *port)
{
	struct sockaddr_storage at;
	socklen_t length = sizeof(at);
	char host[INET6_ADDRSTRLEN], service[8];

	if (getsockname(port->listener, (struct sockaddr *)&at, &length) ||
	    getnameinfo((const struct sockaddr *)&at, length, host, sizeof(host), service,
			sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV))
		die_errno(errno, "getsockname");
	snprintf(port->place, sizeof(port->place),
		 at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, service);
}

static void port_open(struct console *console)
{
	struct port *port = console->private;
	const struct addrinfo *address = port->address;
	const int on = 1;

	port->listener = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (port->listener >= 0)
		setsockopt(port->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (port->listener < 0 ||
	    bind(port->listener, address->ai_addr, address->ai_addrlen) ||
	    listen(port->listener, CONSOLE_CLIENTS))
		console_die(console, "%s", strerror(errno));
	name_place(port);
	warn_guest(console->consoles->guest, NULL, "console %s is at %s", console->id, port->place);
}

static void port_poll(struct console *console, struct poll_list *list)
{
	struct port *port = console->private;

	poll_list_add(list, port->listener, POLLIN, &port->listener_ready);
}

static void port_move(struct console *console)
{
	struct port *port = console->private;
	struct console_peer *peer;
	const int on = 1, room = SEND_BUFFER;
	int fd;

	if (!port->listener_ready)
		return;
	fd = accept4(port->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (!console_has_room(console)) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	peer = console_peer_new(console, console->raw ? &raw_peer : &telnet_peer, fd, fd);
	if (!console->raw)
		negotiate(peer);
	console_peer_from_start(peer);
	console_peer_send(peer, false);
}

static char *port_place(const struct console *console)
{
	const struct port *port = console->private;

	return xstrdup(port->place);
}

static void port_close(struct console *console)
{
	struct port *port = console->private;

	close(port->listener);
	freeaddrinfo(port->address);
	free(port);
}

const struct console_kind console_port = {
	.name = "port", .value = "[ADDRESS:]NUMBER", .value_needed = true, .can_be_raw = true,
	.check = port_check, .open = port_open, .poll = port_poll, .move = port_move,
	.place = port_place, .close = port_close,
};
