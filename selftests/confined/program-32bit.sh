#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A 32-bit program, which makes its calls by int 0x80, in a guest.
. "$(dirname "$0")/program.sh"

cat >"$work/code.c" <<'END'
/* Needs no library, so that none for 32 bits need be there. Exits with the number of what failed. */
#define PAGE 4096
#define MIB (1024 * 1024)

enum { EXIT = 1, FORK = 2, WAITPID = 7, EXECVE = 11, BRK = 45, OLD_MMAP = 90, MUNMAP = 91,
       MREMAP = 163, MMAP2 = 192, MADVISE = 219 };

static long call(long n, long a, long b, long c, long d, long e, long f)
{
	struct { long n, f; } s = { n, f };
	long result;

	asm volatile("push %%ebp\n\tmov 4(%%eax), %%ebp\n\tmov (%%eax), %%eax\n\tint $0x80\n\tpop %%ebp"
		     : "=a" (result) : "a" (&s), "b" (a), "c" (b), "d" (c), "S" (d), "D" (e) : "memory");
	return result;
}

static void fail(int n) { call(EXIT, n, 0, 0, 0, 0, 0); for (;;) ; }
static int bad(long r) { return (unsigned long)r > -4096UL; }

static void fill(unsigned *p, unsigned size, unsigned seed)
{
	unsigned i;
	for (i = 0; i < size / 4; i++)
		p[i] = i % 1024 < 200 ? (seed + i) * 2654435761u : seed + i / 1024;
}

static int filled(unsigned *p, unsigned size, unsigned seed)
{
	unsigned i;
	for (i = 0; i < size / 4; i++)
		if (p[i] != (i % 1024 < 200 ? (seed + i) * 2654435761u : seed + i / 1024))
			return 0;
	return 1;
}

static int zero(unsigned *p, unsigned size)
{
	unsigned i;
	for (i = 0; i < size / 4; i++)
		if (p[i])
			return 0;
	return 1;
}

void run(long *stack)
{
	long argc = stack[0], pid, status, i;
	char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
	char *again[] = { argv[0], "again", 0 };
	struct { long a[6]; } old = { { 0, MIB, 3, 0x22, -1, 0 } };
	char *p, *q, *top;

	p = (char *)call(MMAP2, 0, 3 * MIB, 3, 0x22, -1, 0);
	if (bad((long)p)) fail(2);
	fill((unsigned *)p, 3 * MIB, 1);
	if (!filled((unsigned *)p, 3 * MIB, 1)) fail(3);
	q = (char *)call(OLD_MMAP, (long)&old, 0, 0, 0, 0, 0);
	if (bad((long)q)) fail(4);
	fill((unsigned *)q, MIB, 2);
	q = (char *)call(MREMAP, (long)q, MIB, 2 * MIB, 1, 0, 0);
	if (bad((long)q)) fail(5);
	if (!filled((unsigned *)q, MIB, 2) || !zero((unsigned *)(q + MIB), MIB)) fail(6);
	if (call(MADVISE, (long)q, MIB, 4, 0, 0, 0)) fail(7);
	if (!zero((unsigned *)q, MIB)) fail(8);
	top = (char *)call(BRK, 0, 0, 0, 0, 0, 0);
	if (call(BRK, (long)top + MIB, 0, 0, 0, 0, 0) != (long)top + MIB) fail(9);
	top = (char *)(((long)top + PAGE - 1) & -PAGE);
	fill((unsigned *)top, MIB - PAGE, 3);
	for (i = 0; i < 4; i++) {
		pid = call(FORK, 0, 0, 0, 0, 0, 0);
		if (bad(pid)) fail(10);
		if (!pid) {
			if (!filled((unsigned *)p, 3 * MIB, 1)) fail(11);
			fill((unsigned *)p, MIB, 4);
			if (!filled((unsigned *)p, MIB, 4)) fail(12);
			if (argc == 1 && i == 3) {
				call(EXECVE, (long)argv[0], (long)again, (long)envp, 0, 0, 0);
				fail(13);
			}
			fail(0);
		}
		if (call(WAITPID, pid, (long)&status, 0, 0, 0, 0) != pid || status) fail(14);
	}
	if (!filled((unsigned *)p, 3 * MIB, 1) || !filled((unsigned *)top, MIB - PAGE, 3)) fail(15);
	if (call(MUNMAP, (long)p + MIB, MIB, 0, 0, 0, 0)) fail(16);
	if ((char *)call(MMAP2, (long)p + MIB, MIB, 3, 0x32, -1, 0) != p + MIB) fail(17);
	if (!zero((unsigned *)(p + MIB), MIB) || !filled((unsigned *)p, MIB, 1)) fail(18);
	fail(0);
}

asm(".globl _start\n_start:\n\tmov %esp, %eax\n\tpush %eax\n\tcall run\n");
END
if ! gcc -m32 -O1 -nostdlib -static -fno-stack-protector -fno-builtin -fno-pic -no-pie \
	-o "$work/program" "$work/code.c" 2>"$work/errors"; then
	echo "1..0 # SKIP gcc makes no 32-bit programs: $(head -n 1 "$work/errors")"
	exit 0
fi
"$work/program"
status=$?
if [ $status = 126 ]; then
	echo "1..0 # SKIP the kernel runs no 32-bit programs"
	exit 0
fi
is "on the host" $status 0
guest 32bit 3M none
inside "$work/program"
is "in the guest" $? 0
the_end
done_testing
