/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The border between a guest kernel that is a module and lodge.ko.
 *
 * Both sides include this file, each with its own kernel's headers around it, so there are
 * no types here but the compiler's. Errors are negative errno values, which are the same on both
 * sides. Unless it says otherwise, a function is called by who has the token (the guest's
 * virtual CPU), on a stack of the guest's, and may sleep. Workers run beside it: they may call what
 * says so.
 */
#ifndef LODGE_BORDER_H
#define LODGE_BORDER_H

struct lodge_instance;
struct lodge_thread;

/* Bits of the guest's pending word. */
#define LODGE_IRQ_IO	0
#define LODGE_IRQ_TIMER	1
#define LODGE_IRQ_WORKER	2	/* lodge_worker_done() has something */
#define LODGE_IRQ_RESCHED	3	/* a loose thread has trapped, and waits to be chosen */
#define LODGE_IRQ_WINDOW	4	/* the size of a terminal has changed */

/* Why a thread has come from user mode. */
enum lodge_trap {
	LODGE_TRAP_SYSCALL,
	LODGE_TRAP_FAULT,	/* cr2, error_code and trap_no say where */
	LODGE_TRAP_EXCEPTION,	/* signal and code say which */
	LODGE_TRAP_INTERRUPT,	/* to look at the pending word */
};

/* Registers of a program as struct user_regs_struct has them. */
#define LODGE_REGS	27

/**
 * struct lodge_user - a guest thread as it goes to user mode, and as it comes back
 * @thread: where the guest keeps the host thread; NULL in there: it has none yet
 * @space: of its address space
 * @pgd: the guest's page table of it, for lodge_guest_ops.lookup
 * @regs: its registers
 * @trap: enum lodge_trap; this and what follows is filled in on the way back
 * @signal: of an exception
 * @code: its si_code
 * @cr2: address of a fault
 * @error_code: the processor's
 * @trap_no: the exception's number
 */
struct lodge_user {
	struct lodge_thread **thread;
	int space;
	void *pgd;
	unsigned long *regs;
	int trap, signal, code;
	unsigned long cr2, error_code, trap_no;
};

/* What lodge_guest_ops.lookup finds: a guest-physical address, or with it these bits. */
#define LODGE_PTE_READ	1UL
#define LODGE_PTE_WRITE	2UL

/**
 * struct lodge_memory - a guest's memory
 * @base: where it begins, for the guest's kernel; a multiple of 4 MiB
 * @size: bytes of guest-physical memory; a page is there, and zeroes, once it is touched, but not
 *	as a stack: a stack's pages have to be touched before
 * @end: end of the room for the guest's vmalloc that follows
 */
struct lodge_memory {
	unsigned long base, size, end;
};

/**
 * struct lodge_guest_ops - what lodge.ko calls in a guest kernel
 * @size: of this structure, so that modules of different builds do not meet
 * @stack_size: of a guest's kernel stacks: the first one is the second that there is room for in
 *	its memory; the room before it stays free
 * @start: boot; does not come back. On the first stack.
 * @lookup: the page at an address of a program: LODGE_PTE_ bits and its guest-physical
 *	    address, or 0. By who has the token, on any stack; must not sleep.
 * @pending: the guest's pending word
 * @enabled: not 0 while its kernel may be interrupted; 0 from then on until it goes on
 * @interrupt: clear what is in the pending word, and see to it. In the middle of whatever the
 *	guest's kernel did.
 * @data, @data_end: its variables, which begin each boot as they are when the module is loaded
 * @bss, @bss_end: those that begin it as zeroes
 */
struct lodge_guest_ops {
	unsigned long size;
	unsigned long stack_size;
	void (*start)(struct lodge_instance *host, const struct lodge_memory *memory, int argc,
		      char **argv);
	unsigned long (*lookup)(void *pgd, unsigned long address);
	unsigned long *pending;
	int *enabled;
	void (*interrupt)(void);
	char *data, *data_end, *bss, *bss_end;
};

/* ---- the life of a guest ---- */

/* Why a guest has ended. */
enum lodge_end {
	LODGE_END_HALT,		/* it has powered off; code: its exit code */
	LODGE_END_REBOOT,
	LODGE_END_PANIC,
	LODGE_END_KILLED,	/* by who is outside */
};

/**
 * lodge_end - end the guest
 * @how: enum lodge_end
 * @code: for LODGE_END_HALT
 * @reason: in words, or NULL
 *
 * The first reason counts. Does not return, but is not declared so: objtool, which knows by name
 * what does not return, would miss the end of the caller.
 */
void lodge_end(struct lodge_instance *host, int how, int code, const char *reason);

/* ---- threads and traps ---- */

/**
 * lodge_user_run - go to user mode, and come back with the next trap
 * @user: the thread
 *
 * Returns on the same stack, maybe on another thread of the host's. Gives it a host thread if it
 * has none; its floating-point registers are then as after exec, as they are when @user->space is
 * another than before.
 *
 * Return: 0, or -ENOMEM, -EAGAIN: the host has no thread for it.
 */
int lodge_user_run(struct lodge_instance *host, struct lodge_user *user);

/**
 * lodge_user_loose - a thread that is preempted on its way to user mode goes there all the same
 * @user: the running guest thread, as for lodge_user_run(), which it is called with some time later
 *
 * From now on, and until lodge_user_run() comes back, the guest's kernel does something else while
 * the program runs; what it takes from the program's address space has to be gone from the host's
 * (lodge_space_unmap()) before it is used for something else. The program's next trap waits until
 * the thread is run. If the running host thread is its own, it goes when the guest's kernel leaves
 * that: see lodge_thread_leave().
 *
 * Return: 1; or 0: it has to wait, for it is new in this address space, or the host has but one CPU
 * for this guest.
 */
int lodge_user_loose(struct lodge_instance *host, struct lodge_user *user);

/**
 * lodge_user_catch - the guest's kernel wants a thread's registers
 * @user: the running guest thread
 *
 * Return: 0: they are there; or 1: it is loose, and has to be run, which ends soon, by a trap.
 */
int lodge_user_catch(struct lodge_instance *host, struct lodge_user *user);

/**
 * lodge_thread_leave - if the running host thread has something to do in user mode, leave it
 * @thread: on which the guest's kernel goes on then; or NULL
 */
void lodge_thread_leave(struct lodge_instance *host, struct lodge_thread *thread);

/** lodge_users_stop - no program runs any more, but the one whose kernel stack we are on */
void lodge_users_stop(struct lodge_instance *host);

/**
 * lodge_thread_clone - a host thread like another, floating-point registers included
 * @parent: host thread of the guest thread that forks
 * @child: where to put it
 *
 * Return: 0 or an error of clone().
 */
int lodge_thread_clone(struct lodge_instance *host, struct lodge_thread *parent,
		       struct lodge_thread **child);

/**
 * lodge_thread_release - its guest thread is no more
 * @thread: host thread; it ends by itself
 */
void lodge_thread_release(struct lodge_instance *host, struct lodge_thread *thread);

/**
 * lodge_fp_save, lodge_fp_load - floating-point registers of a thread in user mode's format
 * @thread: host thread
 * @area: XSAVE area of x87, SSE and AVX
 * @size: its size in bytes, at least 832
 */
void lodge_fp_save(struct lodge_instance *host, struct lodge_thread *thread, void *area,
		   unsigned long size);
void lodge_fp_load(struct lodge_instance *host, struct lodge_thread *thread, void *area,
		   unsigned long size);

/* ---- workers: threads of the host's that run code of the guest's beside its CPU ---- */

/**
 * struct lodge_job - something to do, at the beginning of what it is about
 * @next: whoever has it
 */
struct lodge_job {
	struct lodge_job *next;
};

/**
 * lodge_worker_start - a host thread that does jobs
 * @work: does one, to its end; it may sleep, in what a worker may call, and must not touch what the
 *	  guest's CPU changes meanwhile
 * @stack: top of a stack for it, as large as those of the guest's threads; the guest's, which it
 *	   may have back after lodge_thread_release(): that comes when all jobs are done
 * @worker: where to put it
 *
 * Return: 0 or an error of clone().
 */
int lodge_worker_start(struct lodge_instance *host, void (*work)(struct lodge_job *job),
		       unsigned long stack, struct lodge_thread **worker);

/** lodge_worker_give - a worker does a job after those that it has; does not sleep */
void lodge_worker_give(struct lodge_thread *worker, struct lodge_job *job);
/** lodge_worker_done - Return: the jobs that were done, the first one first: the guest's again */
struct lodge_job *lodge_worker_done(struct lodge_instance *host);

/* ---- address spaces ---- */

/** lodge_space_new - Return: the number of a new address space, above 1, or -ENOMEM */
int lodge_space_new(struct lodge_instance *host);
/** lodge_space_free - nobody is in it any more */
void lodge_space_free(struct lodge_instance *host, int space);
/**
 * lodge_space_map - a page that a program is about to need
 * @space: number of its address space
 * @address: of the page
 * @pte: what lodge_guest_ops.lookup says of it now; 0: nothing is mapped
 *
 * Return: 0 if it is mapped so; 1 if not, or if lodge_space_unmap() has to come first, after which
 * a fault can map it as well.
 */
int lodge_space_map(struct lodge_instance *host, int space, unsigned long address,
		    unsigned long pte);
/** lodge_space_unmap - what is mapped in a range has to be looked up again */
void lodge_space_unmap(struct lodge_instance *host, int space, unsigned long address,
		       unsigned long length);

/* ---- memory of the guest's kernel ---- */

/**
 * lodge_kernel_map - map guest-physical memory in the room for vmalloc
 * @address: where
 * @physical: guest-physical address
 * @length: bytes
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int lodge_kernel_map(struct lodge_instance *host, unsigned long address, unsigned long physical,
		     unsigned long length);
int lodge_kernel_unmap(struct lodge_instance *host, unsigned long address, unsigned long length);
/* Pages of guest-physical memory are the host's again until they are touched; or -EINVAL. */
long lodge_memory_drop(struct lodge_instance *host, unsigned long address, unsigned long length);

/* ---- time and interrupts ---- */

/** lodge_clock - Return: nanoseconds since the host booted */
long long lodge_clock(void);
/** lodge_clock_real - Return: nanoseconds since 1970 */
long long lodge_clock_real(void);
/**
 * lodge_timer - set LODGE_IRQ_TIMER once or, with an interval, again and again
 * @first: nanoseconds from now; 0: never
 * @interval: nanoseconds, or 0
 */
void lodge_timer(struct lodge_instance *host, unsigned long long first,
		 unsigned long long interval);
/** lodge_idle - sleep until the pending word is not 0 */
void lodge_idle(struct lodge_instance *host);
/** lodge_relax - let others run on this CPU if it is time, and end if the guest has to */
void lodge_relax(struct lodge_instance *host);
/** lodge_cpu_khz - Return: how fast the processor counts */
unsigned long lodge_cpu_khz(void);
/** lodge_random - random bytes of the host's */
void lodge_random(void *buffer, unsigned long length);

/* ---- files: the descriptors are the guest's, not the host's ---- */

#define LODGE_O_READ	1
#define LODGE_O_WRITE	2
#define LODGE_O_CREATE	4
#define LODGE_O_EXCL	8
#define LODGE_O_TRUNC	16
#define LODGE_O_APPEND	32

long lodge_open(struct lodge_instance *host, const char *path, int flags, int mode);
void lodge_close(struct lodge_instance *host, int fd);
/* @fd becomes @old, which is closed. */
long lodge_replace(struct lodge_instance *host, int old, int fd);
long lodge_dup(struct lodge_instance *host, int fd);
/* @offset: a position, or -1: the file's own. With a position, workers may call these. */
long lodge_read(struct lodge_instance *host, int fd, void *buffer, unsigned long length,
		long long offset);
long lodge_write(struct lodge_instance *host, int fd, const void *buffer, unsigned long length,
		 long long offset);
long lodge_seek(struct lodge_instance *host, int fd, long long offset);
/* What a range is from now on: @hole: a hole; or else zeroes, with room. Workers may call this. */
long lodge_clear(struct lodge_instance *host, int fd, int hole, long long offset, long long length);
long lodge_set_blocking(struct lodge_instance *host, int fd, int blocking);
long lodge_is_terminal(struct lodge_instance *host, int fd);
/* From now on, what goes through a terminal goes as it is: no echo, no line ends, no signals. */
long lodge_terminal_raw(struct lodge_instance *host, int fd);
long lodge_window_size(struct lodge_instance *host, int fd, unsigned short *rows,
		       unsigned short *columns);
/* To the host's log, a line of the guest's. */
void lodge_log(struct lodge_instance *host, const char *text, unsigned long length);

/**
 * struct lodge_stat - of a file of the host's
 */
struct lodge_stat {
	unsigned long long ino, size, blocks;
	unsigned int mode, nlink, uid, gid, block_size;
	unsigned int major, minor;		/* of the device that it is */
	unsigned int dev_major, dev_minor;	/* of the one that it is on */
	long long atime, mtime, ctime, btime;	/* seconds */
	unsigned int atime_ns, mtime_ns, ctime_ns, btime_ns;
};

/* Of @fd, unless that is negative: then of @path; @follow: of what a link there leads to. */
long lodge_stat(struct lodge_instance *host, const char *path, int fd, int follow,
		struct lodge_stat *st);
/* @mode: as access() has it */
long lodge_access(struct lodge_instance *host, const char *path, int mode);

/* ---- sockets: receiving waits, or does not, as lodge_set_blocking() has it ---- */

/**
 * struct lodge_part - a part of a packet; as struct iovec has it
 */
struct lodge_part {
	void *base;
	unsigned long length;
};

/**
 * struct lodge_packet - what is sent, or where to put what is received
 * @parts: of it
 * @n: how many there are
 * @name: who it is for or from, a struct sockaddr; NULL: the other end, or who cares
 * @name_length: bytes of that; of what is received, the room, and then what is there
 */
struct lodge_packet {
	struct lodge_part *parts;
	unsigned long n;
	void *name;
	int name_length;
};

/*
 * Return: bytes that were sent or received, or an error: -ENOTSOCK, -EAGAIN, -EPIPE...
 * @ms: how long to wait for room at the other end
 */
long lodge_send(struct lodge_instance *host, int fd, const struct lodge_packet *packet,
		unsigned int ms);
long lodge_receive(struct lodge_instance *host, int fd, struct lodge_packet *packet);
/**
 * lodge_receive_files - receive a packet with descriptors
 * @fd: a Unix packet socket
 * @buffer: where to put it
 * @size: room; what is longer is cut
 * @fds: set to the first two descriptors that come with it; -1: none
 * @ms: how long to wait
 *
 * Return: as lodge_receive(); -ETIMEDOUT, -EPIPE: nobody is there.
 */
long lodge_receive_files(struct lodge_instance *host, int fd, void *buffer, unsigned long size,
			 int fds[2], unsigned int ms);
/** lodge_socket - Return: a Unix datagram socket with a name; or an error */
long lodge_socket(struct lodge_instance *host, const char *path);

/* ---- events ---- */

#define LODGE_POLL_IN	1
#define LODGE_POLL_OUT	4

/**
 * lodge_watch - tell of what becomes possible on a descriptor: LODGE_IRQ_IO is set
 * @events: LODGE_POLL_ bits; 0: no more
 * @data: what lodge_events() is to say
 *
 * Return: 0, -EBADF, -ENOMEM.
 */
long lodge_watch(struct lodge_instance *host, int fd, int events, void *data);

struct lodge_event {
	void *data;
	int events;
};

/** lodge_events - Return: how many of what has happened were written to @events */
long lodge_events(struct lodge_instance *host, struct lodge_event *events, int n);

/* ---- directories of the host: paths as the host thread sees them ---- */

/**
 * struct lodge_entry - of a directory; the next one follows LODGE_ENTRY_SIZE(@length) bytes later
 * @next: position of what is behind it
 * @type: as readdir() has it
 * @length: of the name, which has a NUL behind it
 */
struct lodge_entry {
	unsigned long long next, ino;
	unsigned int type, length;
	char name[];
};

#define LODGE_ENTRY_SIZE(length)	((sizeof(struct lodge_entry) + (length) + 1 + 7) & ~7UL)

/**
 * lodge_read_directory - the entries behind a position
 * @fd: an open directory
 * @offset: position; 0: the beginning
 * @buffer: where to put them
 * @size: room, at least LODGE_ENTRY_SIZE(255)
 *
 * Return: bytes of entries, 0 at the end, or an error.
 */
long lodge_read_directory(struct lodge_instance *host, int fd, unsigned long long offset,
			  void *buffer, unsigned long size);
long lodge_read_link(struct lodge_instance *host, const char *path, char *buffer, int size);
/* Workers may call this. */
long lodge_sync(struct lodge_instance *host, int fd, int data_only);

struct lodge_statfs {
	long block_size, name_length;
	unsigned long long blocks, free, available, files, files_free;
};

long lodge_statfs(struct lodge_instance *host, const char *path, struct lodge_statfs *st);

/* ---- changing names of the host: with the rights of the host thread ---- */

long lodge_make_directory(struct lodge_instance *host, const char *path, int mode);
/* @mode: with a type as mknod() has it */
long lodge_make_node(struct lodge_instance *host, const char *path, int mode, unsigned int major,
		     unsigned int minor);
long lodge_make_link(struct lodge_instance *host, const char *path, const char *target);
/* @path becomes one more name of @old. */
long lodge_add_name(struct lodge_instance *host, const char *path, const char *old);
long lodge_remove(struct lodge_instance *host, const char *path, int is_directory);
/* @flags: as renameat2() has them */
long lodge_rename(struct lodge_instance *host, const char *old, const char *new,
		  unsigned int flags);

#define LODGE_SET_MODE	1
#define LODGE_SET_UID	2
#define LODGE_SET_GID	4
#define LODGE_SET_SIZE	8
#define LODGE_SET_ATIME	16
#define LODGE_SET_MTIME	32

/**
 * struct lodge_attributes - of a file
 * @set: LODGE_SET_ bits: which are meant
 */
struct lodge_attributes {
	unsigned int set;
	unsigned int mode, uid, gid;
	unsigned int atime_ns, mtime_ns;
	long long size, atime, mtime;
};

/* Of @fd, unless that is negative: then of what @path leads to. */
long lodge_set_attributes(struct lodge_instance *host, const char *path, int fd,
			  const struct lodge_attributes *attributes);

/* ---- modules ---- */

/**
 * lodge_register - a guest module is loaded
 * @number: of the instance that it is for
 * @ops: what lodge.ko calls
 * @module: the host's struct module of it
 *
 * Called by the module's init function, by nobody with a token. The module is in use from then on,
 * until the instance is closed.
 *
 * Return: 0, -ENOENT if there is no such instance, -EBUSY if it has a module, -EINVAL if @ops are
 * another version's.
 */
int lodge_register(unsigned int number, const struct lodge_guest_ops *ops, void *module);

#endif
