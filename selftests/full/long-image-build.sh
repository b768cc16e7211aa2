#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lodge image build: an image that was not finished is not there, one that is has
# a sound file system with Debian in it, which boots.
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

# As root, if root runs this: a user needs IDs of his own in /etc/subuid.
build() { timeout -s KILL 1200 "$dir/lodge" image build --suite bookworm "$@"; }
debug() { debugfs -R "$1" "$dir/debian.img" 2>/dev/null; }
mode_of() { debug "stat $1" | sed -n 's/.*Mode: *\([0-7]*\).*/\1/p'; }
export TMPDIR=$dir/tmp
mkdir "$dir/tmp"
chmod 1777 "$dir/tmp"
chmod 755 "$dir"

# Whether packages can be had from here.
reachable()
{
	local lists=$dir/lists

	mkdir -p "$lists/partial"
	timeout 30 apt-get -qq -o Dir::State::Lists="$lists" -o Acquire::Retries=0 \
		--error-on=any update >/dev/null 2>&1
}

mode=
if [ "$(id -u)" != 0 ] && ! grep -q "^$(id -un):" /etc/subuid 2>/dev/null; then
	mode="no IDs of this user in /etc/subuid"
elif ! reachable; then
	mode="no Debian mirror is reachable"
fi
if [ -n "$mode" ]; then
	echo "ok $((tests += 1)) - an image is built # SKIP $mode"
	done_testing
fi

# Ended from outside, when it is at work, which its temporary directory tells.
"$dir/lodge" image build early.img >/dev/null 2>&1 &
pid=$!
# shellcheck disable=SC2317 # called by eventually
at_work() { compgen -G "$dir/tmp/lodge-image.*/mmdebstrap.*/var/lib/dpkg/info/base-files.list" >/dev/null; }
# shellcheck disable=SC2317
tidied() { ! compgen -G "$dir/tmp/*" >/dev/null; }
check "an image is begun" patiently at_work
kill -TERM $pid
wait $pid
is "SIGTERM: its status" $? 143
is "SIGTERM: nothing is left" "$(find . "$dir/tmp" -xdev -name '*early*' -o -name '.lodge*' -o -name 'lodge-image*')" ""

"$dir/lodge" image build early.img >/dev/null 2>&1 &
pid=$!
check "another is begun" patiently at_work
kill -KILL $pid
wait $pid 2>/dev/null
check "SIGKILL: mmdebstrap tidies up" patiently tidied
is "SIGKILL: there is no file" "$(find . -name '*early*' -o -name '.lodge*')" ""

cat >script <<'END'
#!/bin/sh
touch /srv/made-by-script
dpkg-query -W -f '${Package}\n' >/srv/packages
END
chmod 700 script
if ! build --size 1G --packages nano --hostname web --root-password secret --script script \
	"$dir/debian.img" >log 2>&1; then
	sed 's/^/# /' log
	result 1 "an image is built"
	done_testing
fi
result 0 "an image is built"
is "nothing was mounted here" "$(grep "$dir" /proc/mounts)" ""
is "nothing is left beside it" "$(find "$dir/tmp" -xdev -mindepth 1)$(find "$dir" -name '.lodge*')" ""
check "its file system is sound" quietly e2fsck -fn "$dir/debian.img"
is "what lodge says of it" "$("$dir/lodge" image info "$dir/debian.img" |
	sed -n 's/^\(type\|size\|content\|label\) *//p' | xargs)" "raw 1G ext4 root"
is "it is sparse" "$(($(stat -c %b "$dir/debian.img") < 1200000))" 1
is "its host name" "$(debug 'cat /etc/hostname')" web
is "its root" "$(debug 'cat /etc/fstab' | cut -d ' ' -f 1-3)" "/dev/ubda / ext4"
is "the machine has no identity yet" "$(debug 'stat /etc/machine-id' | grep -m 1 -o 'Size: [0-9]*')" "Size: 0"
check "a login on tty0" grep -q getty@.service \
	<<<"$(debug 'stat /etc/systemd/system/getty.target.wants/getty@tty0.service')"
is "none on tty1" "$(debug 'ls /etc/systemd/system/getty.target.wants' | grep -c tty1)" 0
check "the network comes up by DHCP" grep -q DHCP=yes \
	<<<"$(debug 'cat /etc/systemd/network/80-lodge.network')"
is "root has a password" "$(debug 'cat /etc/shadow' | grep -c '^root:\$')" 1
is "the owner of its files" "$(debug 'stat /etc/shadow' | grep -o 'User: *0 ')" "$(printf 'User:     0 ')"
is "their mode" "$(mode_of /etc/shadow) $(mode_of /tmp)" "0640 01777"
check "/dev/console is one" grep -q "Type: character special" <<<"$(debug 'stat /dev/console')"
check "the script was run in it" grep -q "Inode:" <<<"$(debug 'stat /srv/made-by-script')"
is "it is not left there" "$(debug 'ls /' | grep -c lodge-script)" 0
debug 'cat /srv/packages' >packages
check "the package asked for" grep -qx nano packages
is "no kernel" "$(grep -c '^linux-image' packages)" 0
is "nothing of mmdebstrap's" "$(debug 'ls /usr/sbin' | grep -c -e policy-rc -e REAL)" 0
is "no lists of packages" "$(debug 'ls /var/lib/apt/lists' | grep -c Packages)" 0

# It boots: with the kernel alone, over a COW file of the user who runs it.
as_user "$dir/lodge" image cow create web.cow "$dir/debian.img"
as_user "$dir/guest/linux" ubd0=web.cow,"$dir/debian.img" root=/dev/ubda rw mem=256M \
	con=null con0=null,fd:1 uml_dir="$dir/user/" umid=web "$tag" >console 2>&1 </dev/null &
check "a full guest boots from it to a login" patiently grep -q 'web login:' console
is "every unit is well" "$(grep -c -e FAILED -e emergency console)" 0
refused "its disk is in use" 1 "in use by a guest" as_user "$dir/lodge" image cow merge web.cow out
for pid in $(left_over); do kill -KILL "$pid" 2>/dev/null; done
# shellcheck disable=SC2317 # called by eventually
ended() { [ -z "$(left_over)" ]; }
check "it is killed" patiently ended
check "killed, its COW file is whole" as_user "$dir/lodge" image cow merge web.cow out
# 1: it had something to bring in order, the journal's.
# shellcheck disable=SC2317 # called by check
recovers() { e2fsck -fp out >/dev/null 2>&1; [ $? -le 1 ] && quietly e2fsck -fn out; }
check "with a file system that recovers" recovers
done_testing
