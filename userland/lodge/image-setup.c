// SPDX-License-Identifier: GPL-2.0
#include "image-build.h"

#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

/*
 * What mmdebstrap runs when all packages are installed: as root, or as the root of a user
 * namespace, with the directory as $1. It makes Debian fit for a full guest, and the image of it.
 * mmdebstrap does its own tidying after that, so it is done here. The directory is mounted on
 * itself to be seen without what is mounted in it.
 */
const char image_setup_script[] =
"set -eu\n"
"export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
"export LC_ALL=C DEBIAN_FRONTEND=noninteractive\n"
"exec >&2 </dev/null\n"
"root=$1\n"
"echo '" IMAGE_SETTING_UP "'\n"
"echo '/dev/ubda / ext4 errors=remount-ro 0 1' >\"$root/etc/fstab\"\n"
"rm -f \"$root/etc/hostname\"\n"
"echo \"$LODGE_HOSTNAME\" >\"$root/etc/hostname\"\n"
"printf '%s\\t%s\\n' 127.0.0.1 localhost 127.0.1.1 \"$LODGE_HOSTNAME\" \\\n"
"	::1 'localhost ip6-localhost ip6-loopback' >\"$root/etc/hosts\"\n"
"mkdir -p \"$root/etc/systemd/network\"\n"
"printf '[Match]\\nName=vec*\\n\\n[Network]\\nDHCP=yes\\n' \\\n"
"	>\"$root/etc/systemd/network/80-lodge.network\"\n"
/* Else what waits for the network waits for minutes in a guest that has none. */
"mkdir -p \"$root/etc/systemd/system/systemd-networkd-wait-online.service.d\"\n"
"printf '[Service]\\nExecStart=\\nExecStart=%s --any --timeout=15\\n' \\\n"
"	/lib/systemd/systemd-networkd-wait-online \\\n"
"	>\"$root/etc/systemd/system/systemd-networkd-wait-online.service.d/lodge.conf\"\n"
/* Its consoles are tty0 and so on; systemd expects tty0 to be the one in front of tty1. */
"chroot \"$root\" systemctl -q disable getty@tty1.service\n"
"chroot \"$root\" systemctl -q enable getty@tty0.service systemd-networkd.service\n"
"if [ -e \"$root/lib/systemd/systemd-resolved\" ]; then\n"
"	chroot \"$root\" systemctl -q enable systemd-resolved.service\n"
"fi\n"
"case $LODGE_PASSWORD in\n"
"=*)	echo \"root:${LODGE_PASSWORD#=}\" | chroot \"$root\" chpasswd ;;\n"
"none)	chroot \"$root\" passwd -q -d root ;;\n"
"esac\n"
"if [ -n \"$LODGE_SCRIPT\" ]; then\n"
"	cp --remove-destination /etc/resolv.conf \"$root/etc/\" || :\n"
"	cat /proc/self/fd/" STRING(SCRIPT_FD) " >\"$root/lodge-script\"\n"
"	chmod 700 \"$root/lodge-script\"\n"
"	status=0\n"
"	chroot \"$root\" /lodge-script || status=$?\n"
"	rm -f \"$root/lodge-script\"\n"
"	[ $status = 0 ] || { echo \"E: --script: ended with status $status\"; exit 1; }\n"
"fi\n"
"chroot \"$root\" apt-get clean\n"
"find \"$root/var/lib/apt/lists\" -type f -delete\n"
"rm -f \"$root/etc/apt/apt.conf.d/00mmdebstrap\" \"$root/usr/sbin/policy-rc.d\"\n"
/* mmdebstrap's own stands there, unless dpkg's has been installed anew over it. */
"daemon=$root/sbin/start-stop-daemon\n"
"if [ -e \"$daemon.REAL\" ] && grep -q 'Fake start-stop-daemon' \"$daemon\"; then\n"
"	mv -f \"$daemon.REAL\" \"$daemon\"\n"
"fi\n"
"rm -f \"$daemon.REAL\"\n"
"rm -f \"$root/var/log/dpkg.log\" \"$root/var/log/alternatives.log\" \"$root/var/log/apt/\"*\n"
"rm -f \"$root/var/lib/dbus/machine-id\" \"$root/etc/resolv.conf\" \\\n"
"	\"$root/etc/.resolv.conf.systemd-resolved.bak\"\n"
"if [ -e \"$root/lib/systemd/systemd-resolved\" ]; then\n"
"	ln -s /run/systemd/resolve/stub-resolv.conf \"$root/etc/resolv.conf\"\n"
"fi\n"
": >\"$root/etc/machine-id\"\n"
"find \"$root/run\" \"$root/tmp\" -xdev -mindepth 1 ! -path \"$root/run/lock\" -delete\n"
"echo '" IMAGE_WRITING "'\n"
"mount --bind \"$root\" \"$root/mnt\"\n"
"status=0\n"
"mke2fs -q -F -t ext4 -m 1 -L root -d \"$root/mnt\" /proc/self/fd/" STRING(IMAGE_FD)
" ||\n"
"	status=$?\n"
/* A user's namespace can make no devices: what the kernel opens before /dev is mounted. */
"if [ $status = 0 ] && [ -f \"$root/mnt/dev/console\" ]; then\n"
"	printf '%s\\n' 'cd /dev' \\\n"
"		'rm console' 'mknod console c 5 1' 'sif console mode 020600' \\\n"
"		'rm null' 'mknod null c 1 3' 'sif null mode 020666' |\n"
"		debugfs -w -f - /proc/self/fd/" STRING(IMAGE_FD) " >/dev/null 2>&1 || status=$?\n"
"fi\n"
"umount \"$root/mnt\"\n"
"exit $status\n";
