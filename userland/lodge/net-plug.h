/* SPDX-License-Identifier: GPL-2.0 */
/* An interface for a guest that runs. */
#ifndef LODGE_NET_PLUG_H
#define LODGE_NET_PLUG_H

struct device_message;
struct net;

int net_plug(struct net *net, const char *guest, const struct device_message *message,
	     const int *passed, int *told, const char **why);

#endif
