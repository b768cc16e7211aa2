#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 48 shell jobs at a time in a guest in the host's kernel, for ten minutes and beside programs of
# the host's: each looks at what it computes and at what it wrote, and all of them get on.
# JOBS_SECONDS is another time.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=../lib/tap.sh
. "$top/selftests/lib/tap.sh"
lodge=$top/build/lodge
jobs=48 seconds=${JOBS_SECONDS:-600}
out=$(mktemp -d)
hogs=()
trap 'kill "${hogs[@]}" 2>/dev/null; rm -rf "$out"' EXIT

# shellcheck disable=SC2317 # for check
no_module() { ! grep -q "^lodge_guest_" /proc/modules; }

cat >"$out/jobs" <<'END'
job()
{
	first=$1 n=0
	want=$((201 * first + 20100))
	while [ $n = 0 ] || [ "$(date +%s)" -lt "$end" ]; do
		sum=$(seq $first $((first + 200)) | sort -rn | awk '{ s += $1 } END { print s }')
		seq $first $((first + 200)) | md5sum >/tmp/job.$first
		again=$(seq $first $((first + 200)) | md5sum)
		if [ "$sum" != $want ] || [ "$(cat /tmp/job.$first)" != "$again" ]; then
			echo "job $first: wrong in round $n: $sum, $again"
			exit 1
		fi
		n=$((n + 1))
	done
	echo "job $first: right $n"
}
end=$(($(date +%s) + $1))
i=0
while [ $i -lt $2 ]; do
	job $i &
	i=$((i + 1))
done
wait
END

# Two programs that want all of the host's CPUs.
for _ in 1 2; do
	(while :; do :; done) &
	hogs+=($!)
done
timeout -s KILL $((seconds * 4 + 300)) "$lodge" boot --host=module -m 256M --rootdir / -- \
	sh "$out/jobs" "$seconds" "$jobs" >"$out/said" 2>"$out/errors" </dev/null
result $? "the guest comes to its end"
is "every job was right all the time" "$(grep -vc ': right [1-9]' "$out/said")" 0
is "and got on" "$(grep -c ': right [1-9]' "$out/said")" "$jobs"
echo "# rounds: $(sed 's/.* //' "$out/said" | sort -n | sed -n '1p;$p' | xargs)"
is "without a complaint" "$(cat "$out/errors")" ""
check "the programs outside ran on" kill -0 "${hogs[@]}"
check "no module is left" eventually no_module
done_testing
