/* SPDX-License-Identifier: GPL-2.0 */
/* Guests, from outside: made, configured and read through the control tree. */
#ifndef LODGE_TEST_GUEST_H
#define LODGE_TEST_GUEST_H

#include <stdbool.h>
#include <sys/types.h>

#define GUEST_TREE	"/sys/fs/lodge"
#define GUEST_PREFIX	"test-"	/* of the names of all guests that are made here */
#define SCRATCH		"/var/tmp/scratch"

struct guest {
	char name[64];
};

/** guest_tree_mount() - mount the control tree if it is not; false: there is none */
bool guest_tree_mount(void);

/** guest_make() - a guest with memory.max of @max bytes; checks that it worked */
void guest_make(struct guest *guest, const char *name, unsigned long max);

/** guest_is_here() - does the case run in a guest? */
bool guest_is_here(void);

/** guest_here() - the guest that this process is in */
struct guest *guest_here(void);

/** guest_enter() - bind the running process; 0 or an errno */
int guest_enter(struct guest *guest);

/** guest_child() - a process in the guest that runs @run(@arg); what it owned stays the host's */
pid_t guest_child(struct guest *guest, void (*run)(void *arg), void *arg);

/** guest_exec() - the same, but runs a program, so that all of its memory is the guest's */
pid_t guest_exec(struct guest *guest, char *const argv[]);

/** guest_write() - write to a file of the guest; 0 or an errno */
int guest_write(struct guest *guest, const char *file, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** guest_read() - content of a file, less its last newline, until the next call */
const char *guest_read(struct guest *guest, const char *file);

/** guest_figure() - a file that holds a number; ~0UL for `max` */
unsigned long guest_figure(struct guest *guest, const char *file);

/** guest_stat() - a line of memory.stat */
unsigned long guest_stat(struct guest *guest, const char *name);

/** guest_event() - a line of memory.events */
unsigned long guest_event(struct guest *guest, const char *name);

/** guest_swap() - make a file of @size bytes and let the guest swap to it; 0 or an errno */
int guest_swap(struct guest *guest, unsigned long size);

/** guest_kill() - kill all its processes; false if some would not go */
bool guest_kill(struct guest *guest);

/** guest_has_processes() - does procs list any? */
bool guest_has_processes(struct guest *guest);

/** guest_clean() - are all levels exactly zero, and was the limit kept?  Says what is wrong. */
bool guest_clean(struct guest *guest);

/** guest_remove() - rmdir, and its swap file; 0 or an errno */
int guest_remove(struct guest *guest);

/** guest_remove_all() - remove what guests are left; Return: how many there were */
unsigned int guest_remove_all(void);

/** guest_end() - check that nothing is left in it, and remove it */
void guest_end(struct guest *guest);

#endif /* LODGE_TEST_GUEST_H */
