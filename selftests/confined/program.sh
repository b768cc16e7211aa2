# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the tests with real programs: a guest with a swap file, and programs run in it.
# Sourced; program.sh itself is not executable and no test.
. "$(dirname "${BASH_SOURCE[0]}")/tree.sh"

scratch=/var/tmp/scratch
work=$(mktemp -d)

# guest NAME MAX SWAP [STORE]: make it; $guest is its directory
guest()
{
	guest=$tree/test-$1
	swap_file=
	mkdir "$guest" || return 1
	echo "$2" >"$guest/memory.max" || return 1
	[ -z "${4:-}" ] || echo "$4" >"$guest/memory.zswap.max"
	[ "$3" != none ] || return 0
	swap_file=$scratch/test-$1.swap
	truncate -s "$3" "$swap_file" && echo "$swap_file" >"$guest/memory.swap.file"
}

# inside COMMAND...: run it in the guest
inside()
{
	# shellcheck disable=SC2016 # for the inner shell
	bash -c 'echo 0 >"$0/procs" && exec "$@"' "$guest" "$@"
}

# figure NAME: of memory.stat
figure() { value "$1" memory.stat; }

# value NAME FILE: of a file of the guest's that has many
value()
{
	local name value

	while read -r name value; do
		[ "$name" != "$1" ] || echo "$value"
	done <"$guest/$2"
}

zero()
{
	local name value n=0

	for name in current zswap.current swap.current; do
		read -r value <"$guest/memory.$name" && [ "$value" = 0 ] || return 1
	done
	while read -r name value; do
		case $name in
		anon|zswap|zswapped|same_filled|swapped|frames_cached|metadata)
			[ "$value" = 0 ] || return 1
			n=$((n + 1))
			;;
		esac
	done <"$guest/memory.stat"
	[ $n = 7 ]
}

# the_end: the guest was pressed, killed nobody, is empty, and goes
the_end()
{
	echo "# peak $(cat "$guest/memory.peak"), evicted $(figure pgsteal), major faults $(figure pgmajfault)"
	check "pages were evicted" test "$(figure pgsteal)" -gt 0
	is "nobody was killed" "$(value oom_kill memory.events)" 0
	check "the limit was kept" test "$(cat "$guest/memory.peak")" -le "$(cat "$guest/memory.max")"
	check "all figures are zero" eventually zero
	check "the guest is removed" rmdir "$guest"
	rm -rf "$work" ${swap_file:+"$swap_file"}
}
