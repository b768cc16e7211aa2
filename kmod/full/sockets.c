// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of a guest: its networks, its management console, and who gives it its devices. All but
 * the console's were made by its launcher.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <linux/un.h>
#include <net/af_unix.h>
#include <net/scm.h>
#include <net/sock.h>

#include "kmod/full/host-call.h"
#include "kmod/full/instance.h"

static_assert(sizeof(struct lodge_part) == sizeof(struct kvec));

static struct socket *socket_of(struct lodge_instance *inst, int fd)
{
	struct file *file = files_get(inst, fd);

	return file ? sock_from_file(file) : NULL;
}

/* Return: bytes of all parts, which are there from now on; or -ENOMEM. */
static ssize_t touch(struct lodge_instance *inst, const struct lodge_packet *packet)
{
	ssize_t length = 0;
	unsigned long i;

	for (i = 0; i < packet->n; i++) {
		if (memory_touch(inst, packet->parts[i].base, packet->parts[i].length))
			return -ENOMEM;
		length += packet->parts[i].length;
	}
	return length;
}

/** host_send - see lodge-host.h */
long host_send(struct lodge_instance *inst, int fd, const struct lodge_packet *packet,
	       unsigned int ms)
{
	struct socket *sock = socket_of(inst, fd);
	ssize_t length = touch(inst, packet);
	struct msghdr msg = {
		.msg_name = packet->name, .msg_namelen = packet->name ? packet->name_length : 0,
	};

	if (!sock || length < 0)
		return sock ? length : -ENOTSOCK;
	if (msg.msg_namelen < 0 || msg.msg_namelen > sizeof(struct sockaddr_storage))
		return -EINVAL;
	msg.msg_flags = MSG_NOSIGNAL | (ms ? 0 : MSG_DONTWAIT);
	if (ms)
		sock->sk->sk_sndtimeo = msecs_to_jiffies(ms);
	return files_result(inst, kernel_sendmsg(sock, &msg, (struct kvec *)packet->parts,
						 packet->n, length));
}
EXPORT_SYMBOL_GPL(lodge_send);

/** host_receive - see lodge-host.h */
long host_receive(struct lodge_instance *inst, int fd, struct lodge_packet *packet)
{
	struct socket *sock = socket_of(inst, fd);
	ssize_t length = touch(inst, packet);
	struct sockaddr_storage name;
	struct msghdr msg = { .msg_name = packet->name ? &name : NULL };
	bool wait;
	long ret;

	if (!sock || length < 0)
		return sock ? length : -ENOTSOCK;
	/* A guest that is stopped waits here for as long as it is. */
	wait = !(sock->file->f_flags & O_NONBLOCK);
	if (wait)
		time_idle(inst);
	ret = kernel_recvmsg(sock, &msg, (struct kvec *)packet->parts, packet->n,
			     length, wait ? 0 : MSG_DONTWAIT);
	if (wait)
		time_busy(inst);
	if (ret >= 0 && packet->name) {
		packet->name_length = min(packet->name_length, msg.msg_namelen);
		memcpy(packet->name, &name, packet->name_length);
	}
	return files_result(inst, ret);
}
EXPORT_SYMBOL_GPL(lodge_receive);

/* What came with a packet becomes descriptors of the guest's, beside the packet's references. */
static void take_files(struct lodge_instance *inst, const struct scm_fp_list *list, int fds[2])
{
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = list && i < list->count ? files_add(inst, get_file(list->fp[i])) : -1;
		fds[i] = max(fd, -1);
	}
}

/** host_receive_files - see lodge-host.h */
long host_receive_files(struct lodge_instance *inst, int fd, void *buffer, unsigned long size,
			int fds[2], unsigned int ms)
{
	struct socket *sock = socket_of(inst, fd);
	struct sk_buff *skb;
	int err = 0;

	if (!sock || sock->sk->sk_family != AF_UNIX || sock->type != SOCK_SEQPACKET)
		return -ENOTSOCK;
	if (memory_touch(inst, buffer, size))
		return -ENOMEM;
	/* A message for the kernel has no room for descriptors: it is read as the socket has it. */
	sock->sk->sk_rcvtimeo = msecs_to_jiffies(ms);
	skb = skb_recv_datagram(sock->sk, 0, &err);
	if (!skb)
		return files_result(inst, err == -EAGAIN ? -ETIMEDOUT : err ?: -EPIPE);
	size = min_t(unsigned long, size, skb->len);
	err = skb_copy_bits(skb, 0, buffer, size);
	take_files(inst, UNIXCB(skb).fp, fds);
	consume_skb(skb);
	return err ?: size;
}
EXPORT_SYMBOL_GPL(lodge_receive_files);

/** host_socket - see lodge-host.h */
long host_socket(struct lodge_instance *inst, const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct socket *sock;
	struct file *file;
	int err;

	if (strscpy(name.sun_path, path, sizeof(name.sun_path)) < 0)
		return -ENAMETOOLONG;
	err = sock_create(AF_UNIX, SOCK_DGRAM, 0, &sock);
	if (err)
		return err;
	err = kernel_bind(sock, (struct sockaddr *)&name, sizeof(name));
	if (err) {
		sock_release(sock);
		return err;
	}
	file = sock_alloc_file(sock, O_CLOEXEC, NULL);
	return IS_ERR(file) ? PTR_ERR(file) : files_add(inst, file);
}
EXPORT_SYMBOL_GPL(lodge_socket);
