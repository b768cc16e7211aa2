#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# However a guest ends, and whoever ends it: the right status, nothing left.
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

# start COMMAND...: a guest in the background; returns when the command runs
start()
{
	: >out
	as_user "$dir/lodge" boot --host "$guest_host" --append "$tag" --rootdir / -- "$@" >out 2>err </dev/null &
	job=$!
	for ((i = 0; i < 600; i++)); do
		grep -q ready out && break
		sleep 0.1
	done
}

# pids of this test's processes whose name is $1
named() { pgrep -f -- "$tag" | while read -r pid; do [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$1" ] || echo "$pid"; done; }

# A shell started in the background ignores SIGINT, and so would its guest.
for signal in TERM HUP USR1; do
	start sh -c "trap 'echo got; exit 9' $signal; echo ready; while :; do sleep 0.1; done"
	kill -"$signal" "$(named lodge)"
	wait "$job"
	is "SIG$signal reaches the command" "$? $(tail -n 1 out)" "9 got"
done

start sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done'
lodge=$(named lodge)
for _ in 1 2 3; do kill -TERM "$lodge"; sleep 0.3; done
wait "$job"
is "the third SIGTERM ends a guest that does not listen" "$?" 143
nothing_left "and leaves nothing"

start sh -c 'echo ready; sleep 100'
kill -KILL "$(named lodge)"
wait "$job" 2>/dev/null
nothing_left "the launcher is killed: the guest goes with it"

without='ended without a word'
! in_module || without='one of its host threads was killed'

start sh -c 'echo ready; sleep 100'
# The guest's kernel is its oldest process that is not the sandbox's.
kill -KILL "$(named linux | sort -n | sed -n 1p)"
wait "$job"
is "the guest's kernel is killed: lodge says so" "$? $(grep -c "$without" err)" "125 1"
nothing_left "no process of the guest goes on without it"

start sh -c 'echo ready; sleep 100'
kill -KILL "$(named bwrap | sort -n | sed -n 1p)"
wait "$job"
is "the sandbox is killed: the same" "$? $(grep -c "$without" err)" "125 1"
nothing_left "and leaves nothing"

boot -- sh -c 'sleep 1000 & setsid sleep 1000 & exit 3' </dev/null
is "what the command leaves running goes with the guest" $? 3
nothing_left "and leaves nothing"
refused "a guest whose kernel panics" 125 "Kernel panic" \
	boot -- sh -c 'echo c >/proc/sysrq-trigger'
refused "a guest that powers off" 125 "ended without a word" boot -- sh -c 'echo o >/proc/sysrq-trigger; sleep 9'
nothing_left "and leaves nothing"
done_testing
