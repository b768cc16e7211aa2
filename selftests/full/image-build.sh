#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lodge image build: what cannot work is refused at once, and leaves nothing.
# shellcheck source=full.sh
. "$(dirname "$0")/full.sh"

# As root, if root runs this: a user needs IDs of his own in /etc/subuid.
# shellcheck disable=SC2317 # called by refused
build() { timeout -s KILL 240 "$dir/lodge" image build --suite bookworm "$@"; }
export TMPDIR=$dir/tmp
mkdir "$dir/tmp"
chmod 1777 "$dir/tmp"
chmod 755 "$dir"
: >there

refused "no file" 1 "no FILE" build
refused "two" 1 "more than one FILE" build a b
refused "a file that is there" 1 "there: File exists" build there
refused "a directory that is not" 1 "nosuch/a: No such file" build nosuch/a
refused "a size that is not one" 1 "--size: 12Q: not a size" build --size 12Q a
refused "too small a size" 1 "from 64M to 16T" build --size 1M a
refused "a host name with a blank" 1 "--hostname: a b: ' ' cannot be there" build --hostname 'a b' a
refused "a suite that is a path" 1 "--suite: a/b: '/' cannot be there" build --suite a/b a
refused "a package that is an option" 1 "begins with '-'" build --packages=-x a
refused "a package with a quote" 1 "cannot be there" build --packages "a'b" a
refused "an empty password" 1 "--root-password: is empty" build --root-password '' a
refused "a password and none" 1 "exclude each other" build --root-password a --no-password a
refused "a script that is not there" 1 "--script: nosuch: No such file" build --script nosuch a
refused "no mmdebstrap" 1 "install the package mmdebstrap" env PATH=/nosuch "$dir/lodge" image \
	build --mirror file:///nosuch a
refused "a suite that apt does not know" 1 "name one with --mirror" \
	env PATH=/nosuch "$dir/lodge" image build a
refused "a mirror that does not answer" 1 "a: could not be built" \
	build --mirror "copy://$dir/nosuch" a
is "none of them left a file" "$(find . "$dir/tmp" -mindepth 1 ! -path './run*' | sort | xargs)" \
	./there
done_testing
