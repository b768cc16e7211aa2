/* SPDX-License-Identifier: GPL-2.0 */
/* A full guest in the host's kernel: what lodge.ko keeps of it, and its module. */
#ifndef LODGE_INSTANCE_H
#define LODGE_INSTANCE_H

/* The environment variable that tells the program `enter` which descriptor it is. */
#define INSTANCE_VARIABLE "LODGE_INSTANCE"

/**
 * struct instance - a guest in the kernel
 * @fd: an open /dev/lodge
 * @number: what lodge.ko calls it
 * @reason: why it has ended, in words, once instance_close() has asked; empty: none
 */
struct instance {
	int fd;
	unsigned int number;
	char reason[160];
};

char *instance_module(const char *given);
void instance_open(struct instance *instance, const char *guest, const char *module);
void instance_windows(int fd);
void instance_close(struct instance *instance, const char *guest);

#endif
