/* SPDX-License-Identifier: GPL-2.0 */
/* The runtime directory of full guests: who runs under which name, and how to reach him. */
#ifndef LODGE_RUNDIR_H
#define LODGE_RUNDIR_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct guests;

/* Files in a guest's directory, which is the working directory of who has entered it. */
#define RUNDIR_INSTANCE "instance"	/* of a guest in the kernel: its number there */
#define RUNDIR_LOCK "lock"
#define RUNDIR_MCONSOLE "mconsole"
#define RUNDIR_CONSOLES "consoles"
#define RUNDIR_CONSOLES_LIST RUNDIR_CONSOLES "/list"
#define RUNDIR_DEVICES "devices"
#define RUNDIR_HALTED "halted"
#define RUNDIR_LOG "log"
#define RUNDIR_LOG_BEFORE "log.1"
#define RUNDIR_MESSAGES "messages"
#define RUNDIR_PID "pid"
#define RUNDIR_MEMORY "memory.max"
#define RUNDIR_KILLED "killed"
#define RUNDIR_STATUS "status"
#define RUNDIR_UML "uml"	/* the kernel's; in a sandbox, a link into it */

bool rundir_claim(const char *guest);
void rundir_write(const char *file, unsigned long long number);
void rundir_keep(int status);
void rundir_release(void);
int rundir_open_root(void);

bool rundir_enter(const char *guest);
bool rundir_enter_ended(const char *guest);
bool rundir_forget(const char *guest);
void rundir_leave(void);
void full_guest_check_name(const char *guest);
void full_guest_enter(const char *guest);
bool rundir_runs(void);
bool rundir_exists(const char *guest);
FILE *rundir_open(const char *file);
unsigned long long rundir_number(const char *file);
void rundir_read(struct guests *guests);

#endif
