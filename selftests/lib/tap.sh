# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# TAP output for tests that are shell scripts. Sourced.
tests=0
failed=0

# result STATUS TEXT: one line of TAP
result()
{
	tests=$((tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tests - $2"
	else
		failed=$((failed + 1))
		echo "not ok $tests - $2"
	fi
}

# check TEXT COMMAND...: the command succeeds
check()
{
	local text=$1
	shift
	if "$@"; then result 0 "$text"; else result 1 "$text"; fi
}

# On a debug kernel everything takes eight times as long.
debug_kernel() { [ -e /proc/lockdep_stats ]; }

# quietly COMMAND...: for check, whose own output must be seen
quietly() { "$@" >/dev/null 2>&1; }

# is TEXT GOT WANTED: two strings are the same
is()
{
	if [ "$2" = "$3" ]; then
		result 0 "$1"
	else
		result 1 "$1"
		printf '%s\n' "got:    $2" "wanted: $3" | sed 's/^/#   /'
	fi
}

# pause SECONDS: sleep(1) is a process each time, which is dear on a kernel that checks itself
exec {never}<> <(:)
pause() { read -r -t "$1" -u "$never"; }

# eventually COMMAND...: it succeeds within a minute, which a loaded machine may need
eventually()
{
	local i
	for ((i = 0; i < 600; i++)); do
		"$@" && return 0
		pause 0.1
	done
	return 1
}

# patiently COMMAND...: the same for what takes minutes by itself
patiently() { eventually "$@" || eventually "$@" || eventually "$@" || eventually "$@"; }

done_testing()
{
	echo "1..$tests"
	[ "$failed" = 0 ]
	exit
}

echo "TAP version 13"
