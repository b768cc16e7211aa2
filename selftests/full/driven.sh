# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For tests of guests that change while they run: a shell in a guest over this machine's files,
# which is told what to do. Sourced after full.sh and image.sh.

# driven NAME [OPTION]...: start it, until it answers; its launcher is $job
driven()
{
	local name=$1
	shift
	rm -f "$dir/in"
	mkfifo "$dir/in"
	: >"$dir/out"
	told=0
	as_user "$dir/lodge" boot --host "$guest_host" --append "$tag" --rootdir / -n "$name" -C / "$@" -- sh \
		<"$dir/in" >"$dir/out" 2>"$dir/err" &
	job=$!
	exec 7>"$dir/in"
	tell true >/dev/null
}

# tell COMMAND: have it done in there; prints what it says
tell()
{
	local line

	told=$(($(grep -c '^end-of-answer$' "$dir/out") + 1))
	line=$(wc -l <"$dir/out")
	# In a group of its own, so that a command cannot read what comes next.
	printf '{ %s\n} </dev/null 2>&1; echo end-of-answer\n' "$1" >&7
	eventually answered && tail -n +$((line + 1)) "$dir/out" | grep -v '^end-of-answer$'
}

answered() { [ "$(grep -c '^end-of-answer$' "$dir/out")" -ge "$told" ]; }

# driven_end: let it go
driven_end()
{
	exec 7>&-
	wait "$job"
}
