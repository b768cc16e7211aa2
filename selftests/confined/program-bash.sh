#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A storm of pipelines in a guest.
. "$(dirname "$0")/program.sh"

cat >"$work/storm" <<'END'
line()
{
	seq "$1" "$(($1 + 300))" | awk '{ print $1 * 7 % 1009, $1 }' | sort -n | uniq |
		sed "s/^/$1: /" | tac | md5sum
}
for round in 1 2; do
	for i in 1 2 3 4; do
		line $((round * 1000 + i)) &
	done | sort
	wait
done
x=$(for i in {1..1000}; do echo "line $i of a list that is kept in a variable"; done)
for i in 1 2 3 4; do
	echo "$x" | (read -r first; echo "$first"; wc -c) | tr '\n' ' '
done
data=
for i in {1..1500}; do
	data+="$i:$((i * i)),"
done
echo "${#data} $(echo "$data" | md5sum)"
END
bash "$work/storm" >"$work/host"
check "on the host" test -s "$work/host"
guest bash 4M 128M
inside bash "$work/storm" >"$work/guest"
result $? "in the guest"
check "the same output" cmp "$work/host" "$work/guest"
the_end
done_testing
