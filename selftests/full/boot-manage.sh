#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Full guests by name: seen, asked, halted, paused, killed, from outside.
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

# shellcheck disable=SC2317 # called by refused
lodge() { as_user timeout -s KILL 60 "$dir/lodge" "$@"; }

# start NAME COMMAND...: in the background; returns when it says "ready"
start()
{
	local name=$1
	shift
	: >"out.$name"
	as_user "$dir/lodge" boot --host "$guest_host" --append "$tag" --rootdir / -n "$name" -- "$@" \
		>"out.$name" 2>"err.$name" </dev/null &
	job=$!
	for ((i = 0; i < 600; i++)); do
		grep -q ready "out.$name" && break
		sleep 0.1
	done
}

count() { wc -l <out.web; }

ticks='trap "echo bye; exit 6" TERM; echo ready; while :; do echo tick; sleep 0.1; done'
start web sh -c "$ticks"
is "lodge ls has its name" "$(lodge ls -q)" web
is "its memory's limit" "$(lodge ls | awk '$1 == "web" { print $4 }')" 256M
check "its memory, in use and below the limit" \
	[ "$(lodge ls --json | sed -n 's/.*"memory.current": \([0-9]*\),/\1/p')" -gt 1000000 ]
is "lodge stat has the same" \
	"$(lodge stat web | awk '$1 == "kind" || $1 == "memory.max" { print $2 }' | xargs)" "full 256M"
is "and as JSON" "$(lodge stat --json web | sed -n 's/.*"memory.max": \([0-9]*\),.*/\1/p')" 268435456
is "and without a name" "$(lodge stat | awk '$1 == "kind" || NF == 1 { print $NF }' | xargs)" "web full"
refused "lodge stat: no such guest" 1 "" lodge stat wob
is "the console is the user's own" \
	"$(stat -c '%a %u' "$XDG_RUNTIME_DIR/lodge/web/mconsole")" "600 $(as_user id -u)"
is "and its directory" "$(stat -c %a "$XDG_RUNTIME_DIR/lodge/web")" 700
refused "the name is taken" 125 "there is a full guest of this name already" \
	boot -n web -- true
refused "a name that is nearly right" 1 "did you mean 'web'" lodge halt wob
refused "a guest that is not there" 1 "no such full guest" lodge kill database
refused "no name" 1 "no guest named" lodge pause

check "mconsole: version" grep -q '^Linux web [0-9.]* .* x86_64$' <<<"$(lodge mconsole web version)"
check "mconsole: an answer of several packets" \
	grep -q '^VmallocTotal:' <<<"$(lodge mconsole web proc meminfo)"
is "mconsole: a file, and nothing else" "$(lodge mconsole web proc sys/kernel/ostype)" Linux
check "mconsole: one of many" grep -q 'task:kthreadd' <<<"$(lodge mconsole web sysrq t)"
check "mconsole: of processes and of networks" \
	[ "$(lodge mconsole web proc 1/status | grep -c '^Name:.init$') $(lodge mconsole web proc net/dev | grep -c '^ *lo:')" = "1 1" ]
refused "mconsole: what cannot be read there" 1 "Only a process can read this" lodge mconsole web proc net
is "mconsole: how much memory" "$(lodge mconsole web config mem)" 268435456
is "mconsole: a word in its log" "$(lodge mconsole web log hello)$?" 0
refused "mconsole: no such command" 1 "Unknown command" lodge mconsole web frobnicate
refused "mconsole: no command" 1 "no command" lodge mconsole web
refused "mconsole: a command that is too long" 1 "fewer than 512 bytes" \
	lodge mconsole web "$(printf '%0600d' 0)"
is "uml_mconsole works unchanged" \
	"$(as_user timeout 20 uml_mconsole "$XDG_RUNTIME_DIR/lodge/web/mconsole" version 2>/dev/null |
		cut -d ' ' -f 1-3)" "OK Linux web"

# Noise on the socket is the sender's problem.
python3 - "$XDG_RUNTIME_DIR/lodge/web/mconsole" <<'END'
import os, socket, sys
for client in (None, b"\0lodge-test-%d" % os.getpid()):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if client:
        s.bind(client)
    for data in (b"", b"x", os.urandom(500), os.urandom(5000)):
        s.sendto(data, sys.argv[1])
END
# Who asks, and does not listen, is not waited for.
python3 - "$XDG_RUNTIME_DIR/lodge/web/mconsole" <<'END'
import os, socket, struct, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(b"\0lodge-test-%d" % os.getpid())
command = b"sysrq t"
s.sendto(struct.pack("III", 0xcafebabe, 2, len(command)) + command.ljust(512, b"\0"), sys.argv[1])
time.sleep(1)
END
check "it still answers after rubbish" grep -q '^Linux web' <<<"$(lodge mconsole web version)"

lodge pause web
sleep 0.3
before=$(count)
sleep 0.5
is "paused: nothing moves" "$(count)" "$before"
refused "a paused one cannot shut down" 1 "is paused: resume it first" lodge halt web
lodge resume web
sleep 0.5
check "resumed: it does" [ "$(count)" -gt "$before" ]

start other sh -c "echo ready; sleep 100"
other=$job
is "two guests" "$(lodge ls -q | xargs)" "other web"
lodge kill other
is "kill ends one" "$? $(lodge ls -q | xargs)" "0 web"
wait "$other"
is "its launcher says so" "$? $(sed 's/.*: //' err.other)" "137 ended by lodge kill"

lodge halt web
is "halt asks the command, and waits" "$? $(tail -n 1 out.web)" "0 bye"
is "nobody is there" "$(lodge ls -q 2>/dev/null)" ""

start web sh -c "$ticks"
kill -KILL "$(pgrep -f -- "$tag" | while read -r pid; do
	[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != lodge ] || echo "$pid"
done)"
wait "$job" 2>/dev/null
for ((i = 0; i < 600; i++)); do [ -n "$(left_over)" ] || break; sleep 0.1; done
is "the launcher was killed: its name is free" "$(boot -n web -- echo again </dev/null)" again
nothing_left "no process and no file is left"

mkdir evil
chmod 777 evil
ln -s /etc evil/lodge
refused "a runtime directory of somebody else's" 125 "not a directory that only you can write to" \
	as_user env XDG_RUNTIME_DIR="$PWD/evil" "$dir/lodge" boot --rootdir / -- true
done_testing
