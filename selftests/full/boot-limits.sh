#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A guest that wants more than it was given gets no more than that.
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

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

# The guest's memory is no file: a small /dev/shm or TMPDIR is no hindrance.
is "no file system has to hold the guest's memory" \
	"$(TMPDIR=/nosuch boot -- echo hi </dev/null)" hi
nothing_left "no process is left"
done_testing
