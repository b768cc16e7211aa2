#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whatever is wrong with a file that describes guests is said: file, line, guest, key, reason.
# shellcheck disable=SC2119,SC2317 # what is called by refused
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

lodge() { as_user timeout -s KILL 60 "$dir/lodge" "$@"; }

# wrong TEXT WORDS: the file on standard input is refused, and nothing is started
wrong()
{
	cat >a.conf
	refused "$1" 125 "lodge: a.conf$2" lodge boot -f a.conf
}

guest=$'[web]\nrootdir = /\ncommand = true\n'

refused "no such file" 125 "lodge: nosuch.conf: No such file" lodge boot -f nosuch.conf
refused "a directory" 125 "lodge: /etc: cannot be read: Is a directory" lodge boot -f /etc
wrong "nothing in it" ": describes no guest" </dev/null
wrong "comments only" ": describes no guest" <<<$'# a\n  ; b\n\n'
wrong "a line that is none" ":4: rootdir: neither [NAME] nor KEY = VALUE" <<<$'# a\n\n[web]\nrootdir'
wrong "a key before all sections" ":1: memory = 3: stands before the first [NAME]" <<<$'memory = 3\n[web]'
wrong "a section without an end" ":1: [web: not [NAME]" <<<'[web'
wrong "something behind a section" ":1: [web] x: not [NAME]" <<<'[web] x'
wrong "no text" ":2: holds a zero byte" < <(printf '[web]\na\0b\n')
wrong "a name that is none" ":1: we b: name: has a character other than" <<<$'[we b]\nrootdir=/'
wrong "a name with a slash" ":1: a/b: name: has a slash" <<<'[a/b]'
wrong "no name" ":1: : a guest's name cannot be empty" <<<'[]'
wrong "two guests of a name" ":4: web: is in line 1 already" <<<"${guest}[web]"
wrong "two sections of defaults" ":2: [defaults] is in line 1 already" <<<$'[defaults]\n[defaults]\n[web]'
wrong "a range without an end" ":1: [web{1}]: not NAME{FIRST..LAST}" <<<'[web{1}]'
wrong "a range of no numbers" ":1: [web{a..c}]: not NAME{FIRST..LAST}" <<<'[web{a..c}]'
wrong "a range the wrong way round" ":1: [web{3..1}]: the last is before the first" <<<'[web{3..1}]'
wrong "a range that is too long" ":1: [web{1..5000}]: more than 1000 guests" <<<'[web{1..5000}]'
wrong "a guest of a range, and once more" ":4: web2: is in line 1 already" \
	<<<$'[web{1..3}]\nrootdir=/\ncommand=true\n[web2]'

wrong "a key that is nearly right" ":4: web: memry: no such key: did you mean 'memory'?" <<<"${guest}memry = 64M"
wrong "a key that is none" ":4: web: frobnicate: no such key: see lodge.conf(5)" <<<"${guest}frobnicate = 1"
wrong "an option that is no key" ":4: web: detach: no such key" <<<"${guest}detach = yes"
wrong "a size that is not one" ":4: web: memory: 12Q: not a size" <<<"${guest}memory = 12Q"
wrong "a size that is too small" ":4: web: memory: 8M: a full guest needs 32M" <<<"${guest}memory = 8M"
wrong "one key twice" ":5: web: memory: is in line 4 already" <<<"${guest}memory = 64M"$'\nmemory = 65M'
wrong "two commands" ":4: web: command: is in line 3 already" <<<"${guest}command = false"
wrong "no command" ":1: web: command is needed" <<<$'[web]\nrootdir = /'
wrong "an open quote" ":3: web: command: sh -c 'x: a quote has no end" <<<$'[web]\nrootdir = /\ncommand = sh -c \'x'
wrong "no files" ":1: web: root or --rootdir is needed" <<<$'[web]\ncommand = true'
wrong "files of both kinds" ":2: web: rootdir and --root exclude each other" <<<"${guest}root = x.img"
wrong "neither yes nor no" ":4: web: no-sandbox: maybe: neither yes nor no" <<<"${guest}no-sandbox = maybe"
wrong "a network that is none" ":4: web: net lan: no network is called 'lan'" <<<"${guest}net = lan"
wrong "one of two networks" ":5: web: net lan: no network is called" <<<"${guest}net = user"$'\nnet = lan'
wrong "a switch without a name" ":4: web: net switch: switch=NAME is needed" <<<"${guest}net = switch"
wrong "a switch with a path for a name" ":4: web: net switch=../x: a switch's name has" <<<"${guest}net = switch=../x"
wrong "a port that is none" ":4: web: publish 80: not [ADDRESS:]HOSTPORT" <<<"${guest}publish = 80"
wrong "a variable without a name" ":4: web: env: =x: not NAME=VALUE" <<<"${guest}env = =x"
wrong "a share that is not there" ":4: web: share: nosuch: No such file" <<<"${guest}share = nosuch"
wrong "a number that it has not" ":4: web: chdir: %i: only a guest of" <<<"${guest}chdir = /%i"
wrong "a percent sign" ":4: web: chdir: %x: there are %n" <<<"${guest}chdir = /%x"
wrong "what is wrong in the defaults" ":2: web: memory: 1: a full guest needs" \
	<<<$'[defaults]\nmemory = 1\n'"$guest"

alike=$'[web{1..2}]\nrootdir = /\ncommand = true\n'
wrong "one port of two guests" ":4: web2: publish: 8080:80: is that of web1 already" <<<"${alike}publish = 8080:80"
wrong "one address of two guests" ":4: web2: net: switch=a,address=10.0.0.1/8: is that of web1" \
	<<<"${alike}net = switch=a,address=10.0.0.1/8"
wrong "one disk of two guests" ":4: web2: disk: a.img: is that of web1" <<<"${alike}disk = a.img"
wrong "one COW file of two guests" ":3: web2: cow: a.cow: is that of web1" \
	<<<$'[web{1..2}]\nroot = a.img\ncow = a.cow'
wrong "one image of two guests" ":2: web2: root: a.img: is that of web1" <<<$'[web{1..2}]\nroot = a.img'

# What is found out only when a guest is started.
wrong "an image that is not there" ":3: web: root: nosuch.img: No such file" <<<$'[web]\n\nroot = nosuch.img'
wrong "a disk that is not there" ":4: web: disk: nosuch.img: No such file" <<<"${guest}disk = nosuch.img"
wrong "a kernel that is not there" ":4: web: kernel: /nosuch: No such file" <<<"${guest}kernel = /nosuch"
wrong "a directory that is not there" ":2: web: rootdir: /nosuch: No such file" \
	<<<$'[web]\nrootdir = /nosuch\ncommand = true'
wrong "a command that is not there" ":3: web: command: nosuch: command not found" \
	<<<$'[web]\nrootdir = /\ncommand = nosuch\nappend = '"$tag"
wrong "a switch that is not there" ":4: web: net vde=nosuch: no switch there" <<<"${guest}net = vde=nosuch"

cat >two.conf <<'END'
[one]
rootdir = /
command = true
memory = 1
[two]
rootdir = /
command = true
net = lan
END
lodge boot -f two.conf >out 2>&1
check "all errors of all guests at once" test "$(grep -c 'two.conf:[48]: ' out)" = 2
refused "a guest that is not in the file" 125 "won: two.conf has no such guest: did you mean 'one'?" \
	lodge boot -f two.conf won
refused "an option beside the file" 125 "what a guest is stands in the file" lodge boot -f two.conf -m 64M
refused "an option behind the names" 125 "what a guest is stands in the file" \
	lodge boot -f two.conf one --memory 64M
refused "--foreground without a file" 125 "--foreground is for guests of a --file" \
	lodge boot --foreground --rootdir / -- true
refused "halt: no such file" 1 "nosuch.conf: No such file" lodge halt -f nosuch.conf
refused "halt: a file and names" 1 "either a file or names" lodge halt -f two.conf one
refused "halt: none of them runs" 0 "" lodge halt -f two.conf

# One fails, the others stay.
some=some$tag.conf
cat >"$some" <<END
[defaults]
append = $tag
rootdir = /
memory = 32M
command = sleep 1000
[good]
[bad]
command = nosuch
[also-good]
END
lodge boot -f "$some" >out 2>err
is "one fails: that is the exit status" $? 125
is "who is up is said" "$(sort out | xargs)" "also-good: up good: up"
check "and who is not, and why" grep -qx "lodge: $some:8: bad: command: nosuch: command not found" err
check "and how many" grep -qx "lodge: $some: 1 of 3 guests did not come up" err
is "the others stay" "$(lodge ls -q -f "$some" | xargs)" "good also-good"
sed -i 's/nosuch/sleep 1000/' "$some"
is "once more: what is missing is started" "$(lodge boot -f "$some" | sort | xargs)" \
	"also-good: runs already bad: up good: runs already"
lodge kill -f "$some"
is "all are killed" "$? $(lodge ls -q -f "$some")" "0 "
lodge rm -f "$some"
sed -i 's/^command = sleep 1000$/command = nosuch/' "$some"
refused "in the foreground all come up or none does" 125 "3 of 3 guests did not come up" \
	lodge boot -f "$some" --foreground
lodge rm -f "$some"
nothing_left "no process and no file is left"
done_testing
