#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# gdb debugs a program in a guest as on the host: breakpoints, variables, memory, a core dump.
. "$(dirname "$0")/program.sh"

if ! command -v gdb >/dev/null; then
	echo "1..0 # SKIP no gdb here"
	exit 0
fi
cat >"$work/code.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int total;
static char *heap;

static int __attribute__((noinline)) step(int n)
{
	total += n;
	return total;
}

int main(void)
{
	int i, last = 0;

	heap = malloc(3 << 20);
	memset(heap, 'h', 3 << 20);
	for (i = 0; i < 5; i++)
		last = step(i);
	printf("total %d last %d heap %c\n", total, last, heap[1 << 20]);
	return 0;
}
END
gcc -g -O1 -o "$work/program" "$work/code.c" || exit 1
cat >"$work/commands" <<'END'
set confirm off
set pagination off
break step if n == 3
run
print n
print total
set variable total = 1000
set variable heap[1 << 20] = 'X'
x/4c heap
finish
delete
continue
END
cd "$work" || exit 1
gdb_says() { grep -E '^(\$|total|Value)|h.*h.*h.*h' "$1" | sed 's/0x[0-9a-f]*/ADDRESS/g'; }
gdb -nx -batch -x commands program >host.all 2>&1 </dev/null
gdb_says host.all >host
check "on the host" grep -q '^total 1007 last 1007 heap X$' host
guest gdb 24M 256M
inside gdb -nx -batch -x commands program >guest.all 2>&1 </dev/null
gdb_says guest.all >guest.said
check "in the guest" cmp host guest.said
cmp -s host guest.said || sed 's/^/# /' guest.all
cd /
echo 8M >"$guest/memory.reclaim" 2>/dev/null
check "all figures are zero" eventually zero
check "the guest is removed" rmdir "$guest"
rm -rf "$work"
done_testing
