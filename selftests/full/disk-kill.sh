#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# SIGKILL at any moment: what a guest has been told is on its disk is in the COW file.
# shellcheck disable=SC2016,SC2317 # what the guest expands; functions that are commands of others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"
# In a machine that is emulated, once each way.
if [ "$guest_host" = user ]; then default=4; else default=2; fi
rounds=${ROUNDS:-$default}
files=16

# Each file says in its first line which one it is, and the sum of the rest.
image base.img 64 <<END
i=\$(cat /count 2>/dev/null || echo 0)
while :; do
	i=\$((i + 1))
	head -c \$((i * 7919 % 60000 + 1)) /dev/urandom >/data
	{ echo "\$i \$(/bin/busybox md5sum </data)"; cat /data; } >/new
	/bin/busybox mv /new /f\$((i % $files)); echo \$i >/count; sync
	echo "done \$i"
done
END

# check_file IMAGE N: the file that was written N-th, or a later one in its place, is whole
check_file()
{
	local i sum rest

	debugfs -R "dump /f$(($2 % files)) dumped" "$1" 2>/dev/null
	read -r i sum rest < <(head -n 1 dumped)
	[ "${i:-0}" -ge "$2" ] && [ "$(tail -n +2 dumped | md5sum)" = "$sum  $rest" ]
}

last() { lodge logs kill 2>/dev/null | tr -d '\r' | sed -n 's/^done //p' | tail -n 1; }
beyond() { [ "$(last)" -gt "$1" ] 2>/dev/null; }

before=0
for ((round = 1; round <= rounds; round++)); do
	start kill --root base.img --cow kill.cow --detach >out 2>&1 || break
	eventually beyond $((before + RANDOM % 5)) || break
	sleep "0.$((RANDOM % 1000))"
	if [ $((round % 2)) = 0 ]; then
		lodge kill kill
	else
		# The launcher, and with it all.
		said=$(last)
		for pid in $(left_over); do
			[ "$(readlink "/proc/$pid/exe")" != "$dir/lodge" ] || kill -KILL "$pid"
		done
		gone() { [ -z "$(left_over)" ]; }
		eventually gone
	fi
	new=$(last)
	before=${new:-$said}
	rm -f kill.img
	lodge image cow merge kill.cow kill.img
	e2fsck -fp kill.img >fsck.out 2>&1
	# 1: the journal was replayed. Anything else would not have been repaired without asking.
	if [ $? -gt 1 ] || ! e2fsck -fn kill.img >>fsck.out 2>&1; then
		sed 's/^/# /' fsck.out
		break
	fi
	bad=
	for ((i = before; i > before - files && i > 0; i--)); do
		check_file kill.img "$i" || bad+=" $i"
	done
	[ -z "$bad" ] || { echo "# said to be written, and is not: $bad of $before"; break; }
	lodge rm kill 2>/dev/null
done
is "killed in $rounds rounds, with $before files written" "$round" "$((rounds + 1))"
check "something was written" [ "$before" -gt "$rounds" ]
nothing_left "no process and no file is left"
done_testing
