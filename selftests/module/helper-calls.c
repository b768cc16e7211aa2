// SPDX-License-Identifier: GPL-2.0
/*
 * What programs ask of a kernel and of the processor, and what they get: one line each. The lines
 * are the same on every Linux, whoever runs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <immintrin.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void say(const char *what, long value)
{
	printf("%s: %ld\n", what, value);
	fflush(stdout);
}

/* 0 or -errno. */
static long fails(long ret)
{
	return ret < 0 ? -errno : 0;
}

static int child(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

/* ---- memory ---- */

static char *pages(size_t n, int prot)
{
	return mmap(NULL, n * 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void memory(void)
{
	char *p = pages(64, PROT_READ | PROT_WRITE), *q;
	long sum = 0;
	int i;

	for (i = 0; i < 64; i++)
		sum += p[i * 4096];
	say("fresh memory", sum);
	memset(p, 7, 64 * 4096);
	madvise(p, 32 * 4096, MADV_DONTNEED);
	say("dropped", p[0] + 10 * p[33 * 4096]);
	q = mremap(p, 64 * 4096, 128 * 4096, MREMAP_MAYMOVE);
	say("moved", q[63 * 4096] + 10 * q[64 * 4096]);
	say("unmap the middle", fails(munmap(q + 10 * 4096, 4096)));
	say("overlap", fails((long)mmap(q, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
					MAP_FIXED_NOREPLACE, -1, 0)));
	say("grow the heap", (char *)sbrk(1 << 20) + (1 << 20) == (char *)sbrk(0));
	say("bad address", fails(syscall(SYS_write, 1, 16, 1)));
}

static sigjmp_buf back;
static volatile int caught_code;
static void *volatile caught_at;

static void jump(int sig, siginfo_t *info, void *context)
{
	caught_code = info->si_code;
	caught_at = info->si_addr;
	siglongjmp(back, sig);
}

static void handle(int sig, int flags)
{
	struct sigaction action = { .sa_sigaction = jump, .sa_flags = SA_SIGINFO | flags };

	sigaction(sig, &action, NULL);
}

#define FAULT(what, base, statement) do {					\
	int sig = sigsetjmp(back, 1);						\
	if (!sig) {								\
		statement;							\
	}									\
	printf("%s: signal %d code %d at %ld\n", what, sig, caught_code,	\
	       (long)((char *)caught_at - (char *)(base)));			\
	caught_code = 0;							\
	caught_at = (void *)(base);						\
} while (0)

static void faults(void)
{
	char *p = pages(4, PROT_READ | PROT_WRITE), *file;
	int fd = memfd_create("file", 0);

	handle(SIGSEGV, 0);
	handle(SIGBUS, 0);
	handle(SIGFPE, 0);
	handle(SIGILL, 0);
	handle(SIGTRAP, 0);
	FAULT("null", 0, *(volatile int *)0 = 1);
	FAULT("unmapped", 0, *(volatile int *)0x10000 = 1);
	mprotect(p, 4096, PROT_READ);
	FAULT("read-only", p, p[5] = 1);
	mprotect(p, 4096, PROT_NONE);
	FAULT("no access", p, (void)*(volatile char *)(p + 9));
	mprotect(p, 4096, PROT_READ | PROT_WRITE);
	FAULT("again", p, p[5] = 1);
	FAULT("not canonical", 0, *(volatile int *)0x8000000000000000 = 1);
	ftruncate(fd, 4096);
	file = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	FAULT("behind the end", file, file[4096] = 1);
	FAULT("undefined", caught_at, asm volatile("ud2"));
	FAULT("breakpoint", caught_at, asm volatile("int3"));
	FAULT("privileged", caught_at, asm volatile("hlt"));
	FAULT("division", caught_at,
	      asm volatile("idivl %0" : : "m" (*(int *)p), "a" (1), "d" (0)));
}

/* ---- processes ---- */

static void processes(void)
{
	char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *own = pages(16, PROT_READ | PROT_WRITE), *args[] = { "true", NULL };
	volatile int vforked = 0;
	pid_t pid;
	int i;

	memset(own, 1, 16 * 4096);
	pid = fork();
	if (!pid) {
		own[0] = 2;
		shared[0] = own[0] + own[4096];
		_exit(33);
	}
	say("exit", child(pid));
	say("copy on write", own[0] * 10 + shared[0]);
	pid = fork();
	if (!pid)
		for (;;)
			;
	kill(pid, SIGKILL);
	say("killed", child(pid));
	pid = vfork();
	if (!pid) {
		vforked = 5;
		_exit(0);
	}
	say("vfork", child(pid) + vforked);
	say("spawn", posix_spawn(&pid, "/bin/true", NULL, NULL, args, environ));
	say("spawned", child(pid));
	pid = fork();
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "exit $((40 + 2))", NULL);
		_exit(1);
	}
	say("exec", child(pid));
	for (i = 0; i < 50; i++)
		if (!fork())
			_exit(0);
	for (i = 0; wait(NULL) > 0; i++)
		;
	say("many", i);
	say("no child", fails(wait(NULL)));
	pid = fork();
	if (!pid) {
		raise(SIGSTOP);
		_exit(3);
	}
	waitpid(pid, &i, WUNTRACED);
	say("stopped", i);
	kill(pid, SIGCONT);
	say("continued", child(pid));
}

/* ---- signals and registers ---- */

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	__m128d zero = _mm_setzero_pd();

	/* What an interrupted computation has in there must come back. */
	asm volatile("movapd %0, %%xmm0; movapd %0, %%xmm7; movapd %0, %%xmm15; fninit; fldz"
		     : : "x" (zero) : "xmm0", "xmm7", "xmm15");
	ticks++;
}

static double work(double from, int turns)
{
	volatile double sum = from;
	int i;

	for (i = 1; i < turns; i++)
		sum += 1.0 / i - (double)(1.0L / (i + (long double)from));
	return sum;
}

static void *thread(void *arg)
{
	double *result = arg;

	*result = work(*result, 300000);
	return NULL;
}

static void registers(void)
{
	struct itimerval timer = { { 0, 3000 }, { 0, 3000 } };
	double results[4] = { 1, 2, 3, 4 };
	pthread_t threads[4];
	double alone, interrupted;
	int i;

	alone = work(1, 300000);
	signal(SIGALRM, tick);
	setitimer(ITIMER_REAL, &timer, NULL);
	do
		interrupted = work(1, 300000);
	while (ticks < 20);
	say("computing under signals", alone == interrupted);
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, thread, &results[i]);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	say("in threads", results[0] == alone && results[3] == work(4, 300000));
	memset(&timer, 0, sizeof(timer));
	setitimer(ITIMER_REAL, &timer, NULL);
}

__attribute__((target("avx"))) static bool avx_stays(void)
{
	__m256 ones = _mm256_set1_ps(1.0f), sum = ones;
	float out[8];
	int i, seen = ticks;

	while (ticks < seen + 10)
		asm volatile("vaddps %1, %0, %0; vsubps %1, %0, %0" : "+x" (sum) : "x" (ones));
	_mm256_storeu_ps(out, sum);
	for (i = 0; i < 8; i++)
		if (out[i] != 1.0f)
			return false;
	return true;
}

static void wide_registers(void)
{
	struct itimerval timer = { { 0, 3000 }, { 0, 3000 } };

	if (!__builtin_cpu_supports("avx"))
		return;
	setitimer(ITIMER_REAL, &timer, NULL);
	say("AVX under signals", avx_stays());
	memset(&timer, 0, sizeof(timer));
	setitimer(ITIMER_REAL, &timer, NULL);
}

static char other_stack[65536];

static void on_stack(int sig)
{
	char here;

	say("on another stack", &here >= other_stack && &here < other_stack + sizeof(other_stack));
}

static void signals(void)
{
	stack_t stack = { .ss_sp = other_stack, .ss_size = sizeof(other_stack) };
	struct sigaction action = { .sa_handler = on_stack, .sa_flags = SA_ONSTACK };
	struct timespec short_time = { 0, 20000000 };
	sigset_t set;
	int sig;

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	say("nothing pending", fails(sigtimedwait(&set, NULL, &short_time)));
	kill(getpid(), SIGUSR2);
	sigwait(&set, &sig);
	say("waited for", sig);
	signal(SIGPIPE, SIG_IGN);
}

/* ---- waiting ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *player(void *arg)
{
	long me = (long)arg;
	int i;

	for (i = 0; i < 200; i++) {
		pthread_mutex_lock(&lock);
		while (turn % 2 != me)
			pthread_cond_wait(&changed, &lock);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void waiting(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 9 };
	struct itimerspec soon = { .it_value.tv_nsec = 10000000 };
	int pair[2], ends[2], ep = epoll_create1(0), timer, counter = eventfd(3, 0);
	struct timespec before, after, nap = { 0, 30000000 };
	pthread_t players[2];
	uint64_t n = 0;
	char text[8];
	pid_t pid;
	long i;

	pipe(ends);
	say("nothing yet", poll(&(struct pollfd){ ends[0], POLLIN, 0 }, 1, 10));
	pid = fork();
	if (!pid) {
		usleep(20000);
		write(ends[1], "pipe", 4);
		_exit(0);
	}
	say("a pipe", read(ends[0], text, 8));
	child(pid);
	close(ends[0]);
	say("that is closed", fails(write(ends[1], "x", 1)));
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	send(pair[0], "packet", 6, 0);
	say("a socket", recv(pair[1], text, 8, 0));
	say("an event", read(counter, &n, 8) + n);
	timer = timerfd_create(CLOCK_MONOTONIC, 0);
	timerfd_settime(timer, 0, &soon, NULL);
	epoll_ctl(ep, EPOLL_CTL_ADD, timer, &event);
	event.data.u32 = 0;
	say("a timer", epoll_wait(ep, &event, 1, 5000) * 10 + event.data.u32);
	clock_gettime(CLOCK_MONOTONIC, &before);
	nanosleep(&nap, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	say("slept long enough", (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec -
	    before.tv_nsec >= 30000000);
	for (i = 0; i < 2; i++)
		pthread_create(&players[i], NULL, player, (void *)i);
	for (i = 0; i < 2; i++)
		pthread_join(players[i], NULL);
	say("taking turns", turn);
}

/* ---- files ---- */

static void files(void)
{
	char name[] = "/tmp/callsXXXXXX", text[16] = "";
	int fd = mkstemp(name), other;
	struct stat st;

	say("write", write(fd, "0123456789", 10));
	say("read at", pread(fd, text, 4, 3) + text[0]);
	fstat(fd, &st);
	say("size", st.st_size);
	say("link", fails(link(name, "/tmp/calls-link")));
	say("there already", fails(link(name, "/tmp/calls-link")));
	fstat(fd, &st);
	say("links", st.st_nlink);
	say("rename", fails(rename("/tmp/calls-link", "/tmp/calls-other")));
	say("gone", fails(open("/tmp/calls-link", O_RDONLY)));
	other = open("/tmp/calls-other", O_RDWR | O_APPEND);
	write(other, "more", 4);
	fstat(fd, &st);
	say("longer", st.st_size);
	say("not a directory", fails(mkdir("/tmp/calls-other/x", 0700)));
	unlink("/tmp/calls-other");
	unlink(name);
	say("of the host", fails(access("/bin/sh", X_OK)));
}

/* Paths are copied a page at a time. */
static void paths(void)
{
	char *at = pages(2, PROT_READ | PROT_WRITE), *end = at + 2 * 4096;

	memset(at, '/', 2 * 4096);
	say("path without an end", fails(access(at, F_OK)));
	munmap(at + 4096, 4096);
	say("path into nowhere", fails(access(at + 4090, F_OK)));
	mmap(at + 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	     -1, 0);
	memcpy(at + 4096 - 4, "/dev/null", 10);
	say("path over two pages", fails(access(at + 4096 - 4, W_OK)));
	memcpy(end - 10, "/dev/null", 10);
	say("path up to the end", fails(access(end - 10, W_OK)));
	memset(at, '/', 4095);
	at[4095] = '\0';
	say("the longest path", fails(access(at, F_OK)));
	munmap(at, 2 * 4096);
}

int main(void)
{
	memory();
	faults();
	processes();
	signals();
	registers();
	wide_registers();
	waiting();
	files();
	paths();
	say("no such call", fails(syscall(999)));
	say("nor such a number", fails(syscall(-1)));
	return 0;
}
