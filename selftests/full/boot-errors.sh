#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whatever is wrong with how lodge boot is called, or with the machine, is said.
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

# shellcheck disable=SC2317 # called by refused
lodge() { as_user timeout -s KILL 60 "$dir/lodge" "$@"; }

refused "no --rootdir" 125 "--rootdir is needed" lodge boot -- true
refused "no command" 125 "no command to run" boot --
refused "an option that does not exist" 125 "lodge boot --help" boot --nosuch -- true
refused "a directory that is not there" 125 "--rootdir: /nosuch: No such file" \
	lodge boot --rootdir /nosuch -- true
refused "one that is not one" 125 "/etc/passwd: not a directory" \
	lodge boot --rootdir /etc/passwd -- true
as_user mkdir 'a,b' closed
refused "one that the kernel cannot be told" 125 "a comma, a quote or a blank" \
	lodge boot --rootdir 'a,b' -- true
as_user chmod 0 closed
in_module || refused "one that the user may not read" 125 "closed: Permission denied" \
	lodge boot --rootdir closed -- true
refused "a size that is not one" 125 "--memory: 12Q: not a size" boot -m 12Q -- true
refused "too little memory" 125 "needs 32M at least" boot -m 8M -- true
refused "more than there can be" 125 "256G at most" boot -m 1T -- true
refused "no size at all" 125 "--memory: max: not a size" boot -m max -- true
refused "a name with a slash" 125 "has a slash" boot --name a/b -- true
refused "a name with a dot in front" 125 "begins with '.'" boot --name .a -- true
refused "a variable without a name" 125 "not NAME=VALUE" boot -e =x -- true
refused "a kernel that is not there" 125 "/nosuch: No such file" boot --kernel /nosuch -- true
without="ended without a word" denied="ermission denied"
! in_module || without="not a guest kernel for --host=module" denied=$without
refused "a kernel that is not one" 125 "$without" boot --kernel /bin/true -- true
refused "a kernel that cannot be run" 125 "$denied" boot --kernel /etc/passwd -- true
refused "no kernel was built" 125 "'make guest' builds it" \
	as_user sh -c "cp $dir/lodge ./alone && ./alone boot --rootdir / -- true"
refused "no bubblewrap" 125 "install bubblewrap" \
	as_user env PATH=/nosuch "$dir/lodge" boot --rootdir / -- true
is "no bubblewrap, but --no-sandbox" \
	"$(as_user env PATH=/nosuch "$dir/lodge" boot --host "$guest_host" --append "$tag" --no-sandbox --rootdir / \
		-- echo hi </dev/null)" hi
refused "little memory is enough" 0 "" boot -m 32M -- true
refused "a command line that is too long" 125 "longer than" \
	boot -e "A=$(head -c 120000 /dev/zero | tr '\0' a)" -e "B=$(head -c 120000 /dev/zero | tr '\0' a)" \
	-e "C=$(head -c 120000 /dev/zero | tr '\0' a)" -e "D=$(head -c 120000 /dev/zero | tr '\0' a)" \
	-e "E=$(head -c 120000 /dev/zero | tr '\0' a)" -e "F=$(head -c 120000 /dev/zero | tr '\0' a)" \
	-e "G=$(head -c 120000 /dev/zero | tr '\0' a)" -e "H=$(head -c 120000 /dev/zero | tr '\0' a)" \
	-e "I=$(head -c 120000 /dev/zero | tr '\0' a)" -- true
refused "a host of no kind" 125 "--host: x: user or module" boot --host x -- true
refused "no guest kernel for this kernel" 125 "'make guest-module' builds it" \
	as_user sh -c "cp $dir/lodge ./alone && ./alone boot --host module --rootdir / -- true"
rm -f "$dir/guest/enter"
refused "nothing to start it with" 125 "'make guest-module' builds it" \
	boot --host module --kernel /bin/true -- true
cp /bin/true "$dir/guest/enter"
in_module || refused "a module, but nothing to load it into" 125 "lodge.ko is not loaded" \
	boot --host module --kernel /bin/true -- true
nothing_left "no process is left"
is "no file is left" "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -newer "$dir/guest/linux" \
	\( -name '*.uml' -o -name 'vm_file*' -o -name '.uml' \) 2>/dev/null)" ""
done_testing
