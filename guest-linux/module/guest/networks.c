// SPDX-License-Identifier: GPL-2.0
/* The vector network driver's other half: of its transports the one that is a descriptor. */
#include <linux/errno.h>
#include <linux/etherdevice.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <net_kern.h>
#include <os.h>

#include "../../arch/um/drivers/vector_user.h"
#include "host.h"

char *uml_vector_fetch_arg(struct arglist *arguments, char *token)
{
	int i;

	for (i = 0; i < arguments->numargs; i++)
		if (!strcmp(arguments->tokens[i], token))
			return arguments->values[i];
	return NULL;
}

/* "TOKEN=VALUE,TOKEN=VALUE": it is cut up, and has to stay. */
struct arglist *uml_parse_vector_ifspec(char *text)
{
	struct arglist *arguments;
	char *item, *value;

	if (!text)
		return NULL;
	arguments = kzalloc(sizeof(*arguments), GFP_KERNEL);
	while (arguments && (item = strsep(&text, ","))) {
		value = strchr(item, '=');
		if (!value || arguments->numargs == MAXVARGS) {
			pr_err("vec: %s: not an option, or too many\n", item);
			kfree(arguments);
			return NULL;
		}
		*value++ = '\0';
		arguments->tokens[arguments->numargs] = item;
		arguments->values[arguments->numargs++] = value;
	}
	return arguments;
}

/* The launcher has given it an address, unless the guest's own user made it. */
void uml_net_setup_etheraddr(struct net_device *dev, char *text)
{
	u8 address[ETH_ALEN];

	if (text && mac_pton(text, address) && is_valid_ether_addr(address))
		eth_hw_addr_set(dev, address);
	else
		eth_hw_addr_random(dev);
}

struct vector_fds *uml_vector_user_open(int unit, struct arglist *arguments)
{
	char *transport = uml_vector_fetch_arg(arguments, "transport");
	char *number = uml_vector_fetch_arg(arguments, "fd");
	struct vector_fds *fds;
	int fd;

	if (!transport || strcmp(transport, "fd") || !number || kstrtoint(number, 10, &fd)) {
		pr_err("vec%d: in the host's kernel, an interface is transport=fd\n", unit);
		return NULL;
	}
	fds = kzalloc(sizeof(*fds), GFP_KERNEL);
	if (!fds)
		return NULL;
	fd = lodge_dup(host, fd);
	if (fd < 0) {
		pr_err("vec%d: its descriptor: errno = %d\n", unit, -fd);
		kfree(fds);
		return NULL;
	}
	fds->rx_fd = fd;
	fds->tx_fd = fd;
	return fds;
}

static struct lodge_packet packet_of(const struct user_msghdr *msg)
{
	static_assert(sizeof(struct lodge_part) == sizeof(struct iovec));

	return (struct lodge_packet){
		.parts = (__force struct lodge_part *)msg->msg_iov, .n = msg->msg_iovlen,
		.name = (__force void *)msg->msg_name, .name_length = msg->msg_namelen,
	};
}

/* What cannot be now is no error: there is nothing, or no room. */
static int result(long ret)
{
	return ret == -EAGAIN || ret == -ENOBUFS ? 0 : ret;
}

int uml_vector_sendmsg(int fd, void *msg, int flags)
{
	struct lodge_packet packet = packet_of(msg);

	return result(lodge_send(host, fd, &packet, 0));
}

int uml_vector_recvmsg(int fd, void *msg, int flags)
{
	struct lodge_packet packet = packet_of(msg);

	return result(lodge_receive(host, fd, &packet));
}

int uml_vector_writev(int fd, void *parts, int n)
{
	struct lodge_packet packet = { .parts = parts, .n = n };

	return result(lodge_send(host, fd, &packet, 0));
}

/* Return: how many; an error only if it is none. */
static int batch(int fd, struct mmsghdr *messages, unsigned int n,
		 int (*move)(int fd, void *msg, int flags))
{
	unsigned int done;
	int ret = 0;

	for (done = 0; done < n; done++) {
		ret = move(fd, &messages[done].msg_hdr, 0);
		if (ret <= 0)
			break;
		messages[done].msg_len = ret;
	}
	return done ?: ret;
}

int uml_vector_sendmmsg(int fd, void *messages, unsigned int n, unsigned int flags)
{
	return batch(fd, messages, n, uml_vector_sendmsg);
}

int uml_vector_recvmmsg(int fd, void *messages, unsigned int n, unsigned int flags)
{
	return batch(fd, messages, n, uml_vector_recvmsg);
}

/* Filters and headers of packet sockets and taps, which are the launcher's. */
void *uml_vector_default_bpf(const void *mac)
{
	return NULL;
}

void *uml_vector_user_bpf(char *file)
{
	return NULL;
}

int uml_vector_attach_bpf(int fd, void *bpf)
{
	return -EOPNOTSUPP;
}

int uml_vector_detach_bpf(int fd, void *bpf)
{
	return -EOPNOTSUPP;
}

bool uml_raw_enable_qdisc_bypass(int fd)
{
	return false;
}

bool uml_raw_enable_vnet_headers(int fd)
{
	return false;
}

bool uml_tap_enable_vnet_headers(int fd)
{
	return false;
}
