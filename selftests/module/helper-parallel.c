// SPDX-License-Identifier: GPL-2.0
/*
 * helper-parallel spin
 * helper-parallel pages PROCESSES MIB SECONDS
 *
 * spin: a child counts in user mode while this process is in the guest's kernel. "beside" if it has
 * got on during a call in which the guest's scheduler chose nobody else.
 *
 * pages: processes of two threads write and verify MIB each, which is more than there is: memory is
 * taken from one while another one runs. "right" if each has found what it wrote.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB	0x100000UL
#define PAGE	4096UL
#define WORDS	(PAGE / sizeof(long))

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static unsigned long switches(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		die("getrusage");
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

static void spin(void)
{
	volatile unsigned long *count;
	unsigned long switched, before;
	bool beside = false;
	char *buffer;
	int zero, i;
	pid_t pid;

	count = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	buffer = malloc(MIB);
	zero = open("/dev/zero", O_RDONLY);
	if (count == MAP_FAILED || !buffer || zero < 0)
		die("setup");
	pid = fork();
	if (!pid)
		for (;;)
			++*count;
	if (pid < 0)
		die("fork");
	for (i = 0; i < 3000 && !beside; i++) {
		switched = switches();
		before = *count;
		if (read(zero, buffer, MIB) != (ssize_t)MIB)
			die("/dev/zero");
		beside = *count != before && switches() == switched;
	}
	puts(beside ? "beside" : "alone");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

struct share {
	unsigned long *words, n, seed;
	time_t end;
};

static void *verify(void *data)
{
	struct share *share = data;
	unsigned long round, i, done = 0;

	for (i = 0; i < share->n; i++)
		share->words[i] = share->seed + i;
	/* One word of each page, and another one in the next round. */
	for (round = 0;; round++) {
		for (i = round % WORDS; i < share->n; i += WORDS, done++)
			if (share->words[i]++ != share->seed + i + round / WORDS)
				return "wrong";
		/* The fewer calls, the longer it runs beside the kernel. */
		if (done < 2048)
			continue;
		if (time(NULL) >= share->end)
			return NULL;
		done = 0;
	}
}

static int pages_of_one(unsigned long seed, unsigned long bytes, time_t end)
{
	struct share share[2];
	pthread_t thread;
	void *wrong;
	int i;

	for (i = 0; i < 2; i++) {
		/* What is in use all the time looks old to the guest, for nobody faults. */
		share[i].n = (i ? MIB : bytes) / sizeof(long);
		share[i].seed = (seed * 2 + i) << 40;
		share[i].end = end;
		share[i].words = mmap(NULL, share[i].n * sizeof(long), PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (share[i].words == MAP_FAILED)
			die("mmap");
	}
	if (pthread_create(&thread, NULL, verify, &share[1]))
		die("pthread_create");
	if (verify(&share[0]))
		return 1;
	pthread_join(thread, &wrong);
	return !!wrong;
}

static void pages(int n, unsigned long megabytes, int seconds)
{
	time_t end = time(NULL) + seconds;
	int i, status, wrong = 0;

	for (i = 0; i < n; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(pages_of_one(i + 1, megabytes * MIB, end));
		if (pid < 0)
			die("fork");
	}
	while (wait(&status) > 0)
		wrong |= status;
	if (wrong)
		printf("wrong: %x\n", wrong);
	else
		puts("right");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "spin"))
		spin();
	else if (argc == 5 && !strcmp(argv[1], "pages"))
		pages(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
	else
		return 2;
	return 0;
}
