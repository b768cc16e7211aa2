# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the tests of guests that start from a disk: small images with busybox, each
# of which does one thing. Sourced after full.sh.

PATH=$PATH:/usr/sbin:/sbin

# image FILE [MIB]: what standard input says is done as root on its console, before
# anything else; then it powers off unless that is a shell
image()
{
	local file=$1 mib=${2:-16} tree=$dir/tree tool

	rm -rf "$tree"
	mkdir -p "$tree"/{bin,sbin,dev,proc,sys,etc,tmp}
	cp /bin/busybox "$tree/bin/"
	for tool in sh cat cksum cp dd dmesg echo grep head kill ln ls mkdir mount poweroff printf ps \
		reboot rm sleep stty sync tail touch umount uname; do
		ln -s busybox "$tree/bin/$tool"
	done
	ln -s ../bin/busybox "$tree/sbin/init"
	cat >"$tree/task"
	cat >"$tree/etc/inittab" <<-'END'
		::sysinit:/bin/mount -t devtmpfs dev /dev
		::sysinit:/bin/mount -t proc proc /proc
		tty0::once:/bin/sh /start
		::ctrlaltdel:/bin/reboot
		::shutdown:/bin/umount -a -r
	END
	printf '%s\n' 'trap "" INT' '. /task' sync 'poweroff -f' >"$tree/start"
	rm -f "$file"
	truncate -s "${mib}M" "$file"
	mke2fs -q -t ext4 -d "$tree" "$file"
	[ "$(id -u)" != 0 ] || chown "$user" "$file"
}

# start [NAME] [OPTION]...: a guest with disks, until it ends
start()
{
	local name=()

	[[ $1 = -* ]] || { name=("$1"); shift; }
	as_user timeout -s KILL 60 "$dir/lodge" boot "${name[@]}" --host "$guest_host" --append "$tag" "$@" </dev/null
}

lodge() { as_user timeout -s KILL 60 "$dir/lodge" "$@"; }

# within IMAGE FILE: what a file in an image holds
within() { debugfs -R "cat $2" "$1" 2>/dev/null; }
