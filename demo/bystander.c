// SPDX-License-Identifier: GPL-2.0
/*
 * bystander MIB STATE: a process outside every guest. It fills its memory, then sums
 * it up again and again, and keeps in the file STATE what it sees: rounds done, rounds
 * with another sum, page faults since it was filled, its RssAnon and VmSwap in kB,
 * and how many of its mappings are a guest's. SIGTERM ends it.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 3

static volatile sig_atomic_t ended;

static void end(int signal)
{
	ended = 1;
}

static unsigned long sum_up(const unsigned long *memory, size_t words)
{
	unsigned long sum = 0;
	size_t i;

	for (i = 0; i < words; i++)
		sum = (sum << 1 | sum >> 63) ^ memory[i];
	return sum;
}

static long page_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* Static, and read without stdio: looking must not cause page faults. */
static char text[1 << 17];

static void read_file(const char *path)
{
	size_t len = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = '\0';
	close(fd);
}

static long field(const char *name)
{
	const char *at = strstr(text, name);

	return at ? atol(at + strlen(name)) : -1;
}

static int pool_mappings(void)
{
	const char *at = text;
	int n = 0;

	read_file("/proc/self/maps");
	while ((at = strstr(at, "[lodge:"))) {
		at++;
		n++;
	}
	return n;
}

static void tell(const char *path, long rounds, long wrong, long faults)
{
	static char temporary[4096], line[256];
	long anon, swap;
	int fd, len;

	read_file("/proc/self/status");
	anon = field("RssAnon:");
	swap = field("VmSwap:");
	len = snprintf(line, sizeof(line),
		       "rounds=%ld wrong=%ld faults=%ld anon=%ld swap=%ld pool=%d\n",
		       rounds, wrong, faults, anon, swap, pool_mappings());
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, len) != len || close(fd) || rename(temporary, path))
		err(1, "%s", path);
}

int main(int argc, char **argv)
{
	const struct timespec rest = { .tv_nsec = 400000000 };
	struct sigaction action = { .sa_handler = end };
	long rounds = 0, wrong = 0, base = 0;
	unsigned long *memory, sum;
	size_t words, i;

	if (argc != 3)
		errx(1, "usage: bystander MIB STATE");
	words = strtoul(argv[1], NULL, 10) * (1 << 20) / sizeof(*memory);
	memory = mmap(NULL, words * sizeof(*memory), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "memory");
	for (i = 0; i < words; i++)
		memory[i] = i * 0x9e3779b97f4a7c15;
	sum = sum_up(memory, words);
	sigaction(SIGTERM, &action, NULL);
	while (!ended) {
		wrong += sum_up(memory, words) != sum;
		rounds++;
		/* The first rounds touch new pages of the program itself. */
		if (rounds <= WARM_UP)
			base = page_faults();
		tell(argv[2], rounds, wrong, page_faults() - base);
		nanosleep(&rest, NULL);
	}
	return wrong != 0;
}
