# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the tests of full guests, which run on this machine: TAP output, and
# lodge as a user without privileges, whoever runs the tests. Sourced.
# With LODGE_TEST_HOST=module they are about guests in the kernel, which are root's.
# LODGE_TEST_KERNEL is another guest kernel than the one that was built last.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../lib/tap.sh
. "$top/selftests/lib/tap.sh"
user=65534
export guest_host=${LODGE_TEST_HOST:-user}
[ "$guest_host" = user ] || user=0

# Root's home and checkout may be closed to that user: it gets copies.
dir=$(mktemp -d "${TMPDIR:-/tmp}/lodge-full.XXXXXX")
mkdir "$dir/guest" "$dir/user" "$dir/user/run"
cp "$top/build/lodge" "$dir/"
cp "${LODGE_TEST_KERNEL:-$top/build/guest/linux}" "$dir/guest/linux"
cp "$top/build/guest/initramfs.cpio" "$dir/guest/"
[ "$guest_host" = user ] ||
	cp "$top/build/guest/enter" "$top/build/guest/lodge-guest-$(uname -r).ko" "$dir/guest/"
chmod -R a+rX "$dir"
[ "$(id -u)" != 0 ] || chown "$user" "$dir/user" "$dir/user/run"
cd "$dir/user" || exit 1

in_module() { [ "$guest_host" = module ]; }

# A word in the arguments of every process of this test's guests.
tag=lodge_test=$$.

# Nor does it see guests of others.
export XDG_RUNTIME_DIR=$dir/user/run

# as_user COMMAND...
as_user()
{
	if [ "$(id -u)" = 0 ] && [ "$user" != 0 ]; then
		setpriv --reuid "$user" --regid "$user" --clear-groups \
			env HOME="$dir/user" "$@"
	else
		"$@"
	fi
}

# boot [OPTION]... -- COMMAND...: over all files of this machine
boot()
{
	as_user timeout -s KILL 60 "$dir/lodge" boot --host "$guest_host" --append "$tag" --rootdir / "$@"
}

left_over() { pgrep -f -- "$tag" | grep -vx $$ | xargs; }

# nothing_left TEXT: no process of a guest is there, and no file
nothing_left()
{
	local i

	for ((i = 0; i < 600; i++)); do
		[ -n "$(left_over)" ] || break
		pause 0.1
	done
	# What a launcher that was killed could not remove, the next one who looks does.
	as_user "$dir/lodge" ls >/dev/null 2>&1
	is "$1" "$(left_over)$(find "$XDG_RUNTIME_DIR/lodge" -mindepth 1 2>/dev/null)" ""
}

clean_up()
{
	local pid

	for pid in $(left_over); do kill -KILL "$pid" 2>/dev/null; done
	cd / && rm -rf --one-file-system "$dir"
}
trap clean_up EXIT

# refused TEXT STATUS WORDS COMMAND...: fails with that status, and says so
refused()
{
	local text=$1 status=$2 words=$3 out got
	shift 3
	out=$("$@" 2>&1 </dev/null)
	got=$?
	if [ "$got" = "$status" ] && [[ $out = *"$words"* ]]; then
		result 0 "$text"
	else
		result 1 "$text"
		printf '%s\n' "got:    $got: $out" "wanted: $status: $words" | sed 's/^/#   /'
	fi
}
