#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Guests in the host's kernel, as lodge boot --host=module starts and ends them.
# shellcheck disable=SC2016,SC2317 # scripts of guests; functions that are commands of others
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=../lib/tap.sh
. "$top/selftests/lib/tap.sh"
lodge=$top/build/lodge
module=$top/build/guest/lodge-guest-$(uname -r).ko
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

boot=("$lodge" boot --host=module --rootdir /)
boot() { timeout -s KILL 120 "${boot[@]}" "$@" </dev/null; }
modules() { sed -n 's/^\(lodge_guest_[0-9]*\) .*/\1/p' /proc/modules | sort; }
no_module() { [ -z "$(modules)" ]; }
two_modules() { [ "$(modules | wc -l)" = 2 ]; }
unused() { grep -q '^lodge_guest_[0-9]* [0-9]* 0 ' /proc/modules; }

# refused TEXT WORDS COMMAND...: fails with lodge's own status, and says so
refused()
{
	local text=$1 words=$2 said status
	shift 2
	said=$("$@" 2>&1)
	status=$?
	is "$text" "$status: $(grep -o -m 1 -F -- "$words" <<<"$said" || echo "$said")" "125: $words"
}

# Each start takes seconds where the host's kernel is one that checks itself: one guest for all this.
echo kept >"$out/file"
boot -m 64M -- sh -c '
	echo "release $(uname -r | cut -d . -f 1,2)"
	echo "processes $(cat /proc/*/cmdline | tr -c "[:print:]" " ")"
	read -r _ n _ </proc/meminfo; echo "small $((n < 65536))"
	echo "sum $(sha256sum "$1")"
	echo changed >"$2/file"; rm -f /etc/passwd; echo "changed $(cat "$2/file")"
	i=0; while [ $i -lt 20 ]; do (echo "many $i" | cat | cat) & i=$((i + 1)); done; wait
	echo "python $(python3 -c "import zlib; print(zlib.crc32(bytes(5000000)))")"
	' sh "$lodge" "$out" >"$out/said"
is "the guest ends well" $? 0
said() { sed -n "s/^$1 //p" "$out/said"; }
is "its output: the kernel is the guest's own" "$(said release)" 6.12
is "so are its processes" "$(said processes | grep -c "$lodge") $(said processes | grep -c "$0")" "1 0"
is "and its memory" "$(said small)" 1
is "the host's files can be read" "$(said sum)" "$(sha256sum "$lodge")"
is "and changed, for itself" "$(said changed)" changed
is "while the host's stay what they were" "$(cat "$out/file")$(test -e /etc/passwd && echo there)" keptthere
is "many processes" "$(said many | sort -n | xargs)" "$(seq 0 19 | xargs)"
is "a real program" "$(said python)" "$(python3 -c 'import zlib; print(zlib.crc32(bytes(5000000)))')"
is "standard input, and an exit status" \
	"$(echo typed | timeout -s KILL 120 "${boot[@]}" -- sh -c 'cat; exit 7'; echo $?)" $'typed\n7'
boot -- sh -c 'kill -TERM $$'
is "the signal that ended it" $? 143
boot -- python3 -c 'import ctypes; ctypes.string_at(0)' 2>/dev/null
is "a fault is the program's own" $? 139
check "no module is left" eventually no_module

"${boot[@]}" -- sh -c 'echo one; exec sleep 600' >"$out/one" 2>&1 </dev/null &
first=$!
"${boot[@]}" -- sh -c 'echo two; exec sleep 600' >"$out/two" 2>&1 </dev/null &
second=$!
check "two guests at a time" eventually two_modules
check "the first runs" eventually grep -q one "$out/one"
check "the second runs" eventually grep -q two "$out/two"
kill -TERM $first
wait $first
is "one is ended by a signal" $? 143
is "the other goes on" "$(modules | wc -l)" 1
kill -KILL $second
wait $second 2>/dev/null
check "whose launcher is killed ends, too" eventually unused
is "a new one" "$(boot -- echo again)" again
check "has unloaded what was left" eventually no_module

"$lodge" boot shrinks -d --host=module -m 128M --rootdir / -- sh -c \
	'head -c 60M /dev/zero >/tmp/f; rm /tmp/f; echo full; exec sleep 600' >/dev/null
full() { "$lodge" logs shrinks | grep -q full; }
has() { "$lodge" stat --json shrinks | sed -n 's/.*"memory.current": *\([0-9]*\).*/\1/p'; }
check "a guest with 60 MiB" eventually full
before=$(has)
"$lodge" mconsole shrinks config mem=-90M >/dev/null
check "gives memory back ($before, $(has))" [ "$(has)" -lt $((before - 20000000)) ]
"$lodge" mconsole shrinks config mem=+90M >/dev/null
check "takes it again, and lives" quietly "$lodge" mconsole shrinks version
"$lodge" kill shrinks
"$lodge" rm shrinks
check "no module is left" eventually no_module

chmod 711 "$out"
install -d -o 65534 "$out/user"
refused "for root only" "needs root" setpriv --reuid 65534 --regid 65534 --clear-groups \
	env XDG_RUNTIME_DIR="$out/user" "$lodge" boot --host=module --rootdir / -- true
refused "a module that is none" "not a guest kernel for --host=module" \
	boot --kernel /bin/true -- true
head -c 100000 "$module" >"$out/cut.ko"
refused "half a module" "not a guest kernel for --host=module" boot --kernel "$out/cut.ko" -- true
refused "too little memory" "needs 32M at least" boot -m 8M -- true
check "nothing is left" no_module
done_testing
