#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A guest that wants more than it was given gets no more than that.
# shellcheck disable=SC2016,SC2094 # what the guest expands; output that another waits for
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"
# shellcheck source=image.sh
. "$top/selftests/full/image.sh"
install -m 755 "$top/build/selftests/full/helper-fork-bomb" "$dir/"
bomb=$dir/helper-fork-bomb

hog='x = []
while True:
    x.append(bytearray(1 << 20))'

# Most that the processes of the guest ever shared, in MiB: the guest's memory is one memfd.
watch()
{
	local most=0 pid now

	while [ ! -e stop ]; do
		for pid in $(pgrep -f -- "$tag"); do
			now=$(awk '/^RssShmem:/ { print int($2 / 1024) }' "/proc/$pid/status" 2>/dev/null)
			[ "${now:-0}" -le "$most" ] || most=$now
		done
		sleep 0.05
	done
	echo "$most" >most
}

watch &
watcher=$!
# shellcheck disable=SC2016 # for the guest's shell
out=$(boot -m 64M -- sh -c 'python3 -c "$1" 2>/dev/null; echo $?; echo alive' sh "$hog" </dev/null)
check "a hog is killed or refused, in the guest" [ "${out%%$'\n'*}" != 0 ]
is "and the guest lives on" "${out##*$'\n'}" alive

out=$(boot -m 64M -- sh -c 'head -c 200M /dev/zero >/full 2>&1; rm /full; echo alive' </dev/null)
is "a full file system is an error there" "${out##*$'\n'}" alive
touch stop
wait "$watcher"
check "the host gave no more than 64 MiB ($(cat most))" [ "$(cat most)" -le 64 ]
check "and not much less, so that was measured" [ "$(cat most)" -ge 40 ]

# --- processes

boot -n bomb --processes 150 -- sh -c '"$1"; echo alive' sh "$bomb" < <(
	eventually grep -q EAGAIN bomb.out; lodge ls >listed) >bomb.out
is "a fork bomb is told that there are no more processes" "$(cut -d ' ' -f 1 bomb.out | xargs)" \
	"EAGAIN alive"
forked=$(sed -n 's/EAGAIN //p' bomb.out)
check "when there are as many as it may have ($forked)" [ "${forked:-0}" -ge 80 -a "${forked:-0}" -le 150 ]
host=$(awk '/^bomb / { print $2 }' listed)
check "the host has no more than these and a few ($host)" [ "${host:-0}" -le $((forked + 40)) ]
check "which were counted at their most" [ "${host:-0}" -ge "${forked:-1}" ]

# The host may be the one that has no more.
few=$(($(ps -u "$(as_user id -u)" -L --no-headers | wc -l) + 100))
out=$(as_user prlimit --nproc=$few timeout -s KILL 60 "$dir/lodge" boot --host "$guest_host" --append "$tag" --rootdir / \
	-- sh -c '"$1" </dev/null; echo alive' sh "$bomb" </dev/null 2>&1)
check "a user who has no more processes: an error in the guest" grep -q '^ENOMEM [0-9]' <<<"$out"
is "which lives on" "${out##*$'\n'}" alive

# Each takes memory of the guest, and a little of the host's: figures of all its processes, in MiB.
# Who has all of the guest's memory is its kernel, or a thread of that: one memory.
pss()
{
	local pid

	for pid in $(pgrep -f -- "$tag"); do
		awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null
	done | awk '$1 < 10240 { sum += $1 } $1 > most { most = $1 } END { print int((sum + most) / 1024) }'
}
boot -n many -m 64M -- sh -c 'i=0; while [ $((i += 1)) -le 100 ]; do sleep 600 & done
	head -c 200M /dev/zero >/full 2>/dev/null; echo up; read -r _' < <(
	eventually grep -q up many.out; pss >most) >many.out 2>/dev/null
check "100 processes and a full file system: 64 MiB and 12 for lodge and the guest's kernel ($(cat most))" \
	[ "$(cat most)" -le 76 ]
check "most of which is there" [ "$(cat most)" -ge 40 ]

boot -n kind --nice 7 -- sh -c 'echo up; read -r _' < <(
	eventually grep -q up kind.out
	for pid in $(pgrep -f -- "$tag"); do ps -o ni=,comm= -p "$pid"; done >priority) >kind.out
is "--nice is for the whole guest" "$(awk '$2 == "linux" { print $1 }' priority | sort -u)" 7

# The guest's memory is no file: a small /dev/shm or TMPDIR is no hindrance.
is "no file system has to hold the guest's memory" \
	"$(TMPDIR=/nosuch boot -- echo hi </dev/null)" hi
nothing_left "no process is left"
done_testing
