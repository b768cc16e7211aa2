#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Ten guests that one file describes, on a network of their own: up with one command, each reaches
# its neighbour, whatever happens to the others and to the switch; down with one command.
# shellcheck disable=SC2016,SC2317 # what the guests expand; functions that are called by others
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

lodge() { as_user timeout -s KILL 120 "$dir/lodge" "$@"; }

# What each does: a page of its own, and its neighbour's, again and again.
cat >"$dir/node" <<'END'
#!/bin/sh
pages=$(mktemp -d)
echo "page of $1" >"$pages/index.html"
busybox httpd -p 80 -h "$pages"
trap 'echo asked to end; exit 0' TERM
round=0
while :; do
	page=$(printf 'GET / HTTP/1.0\r\n\r\n' | busybox nc -w 2 "10.5.0.$(($2 % 10 + 1))" 80 | tail -n 1)
	if [ -n "$page" ]; then
		round=$((round + 1))
		echo "round $round: $page"
	fi
	sleep 0.5 &
	wait
done
END
chmod 755 "$dir/node"
# Its name is in the arguments of all who serve its guests.
ten=$tag.conf
cat >"$ten" <<END
# Ten alike.
[defaults]
append = $tag
host = $guest_host
rootdir = /
memory = 32M
net = switch=lan,address=10.5.0.%i/24

[node{1..10}]
command = $dir/node \\
	%n %i
END

rounds() { lodge logs "node$1" | sed -n 's/^round \([0-9]*\): .*/\1/p' | tail -n 1; }
talks() { lodge logs "node$1" | grep -q ": page of node$(($1 % 10 + 1))\$"; }
# goes_on N: its neighbour answers once more
goes_on()
{
	local before
	before=$(rounds "$1")
	more() { [ "0$(rounds "$1")" -gt "$2" ]; }
	eventually more "$1" "${before:-0}"
}
all() { local i; for i in 1 2 3 4 5 6 7 8 9 10; do eventually "$@" "$i" || return 1; done; }

is "one command" "$(lodge boot -f "$ten" | sort | xargs)" \
	"node10: up node1: up node2: up node3: up node4: up node5: up node6: up node7: up node8: up node9: up"
is "all are there" "$(lodge ls -q | wc -l) $(lodge ls -f "$ten" -q | xargs)" \
	"10 node1 node2 node3 node4 node5 node6 node7 node8 node9 node10"
is "each with its memory" "$(lodge ls -f "$ten" | awk 'NR > 1 { print $4 }' | sort -u)" 32M
check "each reaches its neighbour" all talks
is "there is one switch" "$(find "$XDG_RUNTIME_DIR/lodge" -name '.switch-*' -printf '%f\n')" .switch-lan
is "which is its user's only" "$(stat -c '%a %u' "$XDG_RUNTIME_DIR/lodge/.switch-lan")" "600 $(as_user id -u)"

# --- others go, come, and are not of it
lodge halt node3
is "one is halted" "$? $(lodge logs node3 | grep asked)" "0 asked to end"
check "others go on" goes_on 5
is "and is started again" "$(lodge boot -f "$ten" node3)" "node3: up"
check "it is reached again" goes_on 2
check "and reaches its neighbour" eventually talks 3
refused "who is on another switch reaches nobody" 1 "100% packet loss" \
	boot --net switch=other,address=10.5.0.77/24 -- busybox ping -c 2 -W 2 10.5.0.1
refused "who is on this one does" 0 " 0% packet loss" \
	boot --net switch=lan,address=10.5.0.77/24 -- busybox ping -c 2 -W 20 10.5.0.1
gone() { [ ! -e "$XDG_RUNTIME_DIR/lodge/.switch-$1" ]; }
check "a switch that nobody is on any more has ended" eventually gone other

switch_pid()
{
	for pid in $(left_over); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != lodge-switch ] || echo "$pid"
	done
}
is "the switch is one process" "$(switch_pid | wc -l)" 1

old=$(switch_pid)
kill -KILL "$old"
another() { [ "$(switch_pid | wc -l)" = 1 ] && [ "$(switch_pid)" != "$old" ]; }
check "a switch that is killed is replaced" eventually another
check "and everybody finds the way there" all goes_on
kill -TERM "$(switch_pid)"
check "its guests end a switch, nobody else" goes_on 1

# --- the end
lodge pause -f "$ten"
is "all are paused" $? 0
lodge resume -f "$ten"
check "and resumed" goes_on 7
lodge halt -f "$ten"
is "halt ends them all" "$? $(lodge ls -q 2>/dev/null | wc -l)" "0 0"
is "each was asked" "$(for i in 1 2 3 4 5 6 7 8 9 10; do lodge logs "node$i" | grep asked; done | sort | uniq -c | xargs)" \
	"10 asked to end"
check "the switch goes with them" eventually gone lan
lodge halt -f "$ten"
is "there is nobody to halt" $? 0
lodge rm -f "$ten"
is "they are forgotten" "$? $(lodge rm -f "$ten"; echo $?)" "0 0"

# --- killed at any point
as_user "$dir/lodge" boot -f "$ten" >out 2>&1 &
eventually grep -q up out
kill -KILL $!
# shellcheck disable=SC2046 # pids
kill -KILL $(left_over) 2>/dev/null
wait 2>/dev/null
# What was about to fork when the others were listed.
eventually test -z "$(left_over | xargs -r kill -KILL 2>/dev/null; left_over)"
nothing_left "all are killed: no process and no file is left"
done_testing
