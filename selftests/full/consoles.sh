# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the tests of consoles: a guest with a shell at each of them, and somebody who is there.
# Sourced after image.sh.

cp "$top/selftests/full/helper-console.py" "$dir/"

# shells FILE: an image with a shell on every console and serial line, which does what it reads
shells()
{
	image "$1" <<-'END'
		mkdir -p /dev/pts
		mount -t devpts pts /dev/pts
		at()
		{
			busybox setsid sh -c 'echo "hello from $0"
				while read -r line; do eval "$line"; done' $1 </dev/$1 >/dev/$1 2>&1 &
		}
		for word in $(cat /proc/cmdline); do
			n=${word%%=*}
			case $word in
			con0=*)		;;
			con*=fd:*)	at tty${n#con} ;;
			ssl*=fd:*)	at ttyS${n#ssl} ;;
			esac
		done
		echo "hello from tty0"
		while read -r line; do eval "$line"; done
	END
}

# somebody MODE [ARGUMENT]...: at a console, who does what standard input says
somebody() { as_user timeout -s KILL 120 python3 "$dir/helper-console.py" "$@"; }

# place NAME CONSOLE: where it is
place() { lodge console --list "$1" | awk -v id="$2" '$1 == id { print $3 }'; }
