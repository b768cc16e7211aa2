# SPDX-License-Identifier: GPL-2.0
#
# Lodge. `make help` lists the targets.

MAKEFLAGS += --no-print-directory --no-builtin-rules
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:

# KERNEL: 6.1, 6.12 or debug; FLAVOUR: cloud or generic (not for debug)
KERNEL	?= 6.1
FLAVOUR	?= cloud
V	?= 0

build	:= build
config	:= $(build)/config
config-h := $(build)/include/generated/lodge-config.h
Q	:= $(if $(filter 1,$(V)),,@)

.PHONY: all
all: kmod tools

# --- configuration ----------------------------------------------------------
# .config is the user's choice and may be missing: then the defaults hold.
# build/config is that choice made complete.

# $(1): a program of kconfig-frontends and its arguments; $(2): the file
kconfig = scripts/setup build; CONFIG_=LODGE_ KCONFIG_CONFIG=$(2) $(1) Kconfig

.PHONY: menuconfig defconfig olddefconfig
menuconfig:
	$(Q)$(call kconfig,kconfig-mconf,.config)
defconfig:
	$(Q)$(call kconfig,kconfig-conf --alldefconfig,.config)
olddefconfig:
	$(Q)$(call kconfig,kconfig-conf --olddefconfig,.config)

$(config): Kconfig $(wildcard .config) $(build)/.config-state
	$(Q)mkdir -p $(@D)
	$(Q)if [ -f .config ]; then cp .config $@.tmp; else : >$@.tmp; fi
	$(Q)$(call kconfig,kconfig-conf --olddefconfig,$@.tmp) >/dev/null
	$(Q)mv $@.tmp $@; rm -f $@.tmp.old

# Changes when .config comes or goes, which a time stamp cannot say.
$(build)/.config-state: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)state=$(if $(wildcard .config),user,default); \
	[ "$$(cat $@ 2>/dev/null)" = $$state ] || echo $$state >$@

$(config-h): $(config)
	$(Q)mkdir -p $(@D)
	$(Q){ echo '/* Generated from Kconfig: do not edit */'; \
	sed -n 's/^\(LODGE_[A-Z0-9_]*\)=y$$/#define \1 1/p' $<; } >$@.tmp
	$(Q)cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@
	$(Q)touch $@

# --- the module -------------------------------------------------------------

cache	:= $(or $(LODGE_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/lodge)
series	= $(if $(filter debug,$(KERNEL)),debug,$(KERNEL)-$(FLAVOUR))
kernel	= $(cache)/kernels/$(series)
kmod-dir = $(build)/kmod-$(KERNEL)$(if $(filter cloud,$(FLAVOUR)),,-$(FLAVOUR))
kmod-sources = $(foreach dir,kmod kmod/compat kmod/full guest-core guest-mm \
	include/uapi/lodge,$(wildcard $(dir)/*.[chS] $(dir)/Kbuild))

.PHONY: kmod
kmod: $(kmod-dir)/lodge.ko

# A folder's time changes when a file comes or goes.
$(kmod-dir)/lodge.ko: $(kmod-sources) $(config-h) scripts/build-kmod \
		kmod/. guest-core/. guest-mm/. $(build)/.kernel-$(series)
	$(Q)echo "  KMOD    $@"
	$(Q)scripts/build-kmod $$(cat $(build)/.kernel-$(series)) $(@D)
	$(Q)touch $@

# Changes when the name of a kernel comes to stand for another one.
$(build)/.kernel-%: FORCE | $(cache)/kernels/%/vmlinuz
	$(Q)mkdir -p $(@D)
	$(Q)state=$$(realpath $(cache)/kernels/$*); \
	[ "$$(cat $@ 2>/dev/null)" = "$$state" ] || echo "$$state" >$@

# Its name stands for that of the checkout that was used last; which may be another one's by the
# time that make would delete it for an error.
.PRECIOUS: $(cache)/kernels/debug/vmlinuz
$(cache)/kernels/debug/vmlinuz: FORCE
	$(Q)scripts/setup debug-kernel
	$(Q)selftests/qemu/build-debug-kernel >/dev/null

$(cache)/kernels/6.%/vmlinuz:
	$(Q)scripts/setup build
	$(Q)scripts/fetch-kernel $(subst -, ,6.$*) >/dev/null

.PHONY: debug-kernel kernels
debug-kernel:
	$(Q)scripts/setup debug-kernel
	$(Q)selftests/qemu/build-debug-kernel
kernels:
	$(Q)REFRESH=1 scripts/fetch-kernel 6.1 $(FLAVOUR)
	$(Q)REFRESH=1 scripts/fetch-kernel 6.12 $(FLAVOUR)

# --- user space -------------------------------------------------------------

CFLAGS	?= -O2 -g
lodge-cflags := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter \
	-Wmissing-prototypes -Wstrict-prototypes -I. -Iinclude -Iinclude/uapi \
	-include $(config-h)

.PHONY: tools install
tools:
	$(Q)scripts/setup build
	$(Q)$(MAKE) -s -C userland/lodge O=$(abspath $(build))
install: tools
	$(Q)$(MAKE) -s -C userland/lodge O=$(abspath $(build)) install

include guest-linux/Makefile
include selftests/Makefile

# --- the rest ---------------------------------------------------------------

.PHONY: clean distclean help FORCE
clean:
	rm -rf $(build)
distclean: clean
	rm -f .config .config.old

help:
	@sed -n 's/^# HELP \{0,1\}//p' $(firstword $(MAKEFILE_LIST)) guest-linux/Makefile

# HELP Building
# HELP   make                 the module for KERNEL and the tools, in build/
# HELP   make kmod            the module only: build/kmod-KERNEL/lodge.ko
# HELP   make tools           the lodge command: build/lodge
# HELP   make install         the lodge command, manual pages, completion, units: /usr/local (PREFIX=)
# HELP   make menuconfig      choose subsystems, tiers and policies (also: defconfig, olddefconfig)
# HELP   make debug-kernel    build the kernel that KERNEL=debug stands for (once, kept in the cache)
# HELP   make kernels         fetch Debian's present kernels anew
# HELP   make clean, distclean
# HELP
# HELP Trying it
# HELP   make run             real programs in confined guests, in a virtual machine
# HELP   make run CMD='python3 x.py' MEMORY=64M
# HELP                        your own command in a guest; its output and exit status come back
# HELP   make vm              a shell in the virtual machine, module loaded
# HELP
# HELP Testing
# HELP   make check           everything below, ending in "N passed, N failed, N skipped"
# HELP   make check-unit      unit tests under AddressSanitizer and UBSan
# HELP   make check-full      full guests, on this machine (builds their kernel first)
# HELP   make check-6.1 check-6.12 check-debug
# HELP                        the kselftests in a machine with that kernel
# HELP   make check-long      what takes too long for make check
# HELP   make check-6.1 T=fork    only tests whose name contains "fork"
# HELP   make bench           instruction counts of confined guests
# HELP   make bench-guest     full guests beside User-mode Linux: instructions, time, memory; a verdict
# HELP   make lint            checkpatch --strict, sparse, shellcheck
# HELP
# HELP Variables
# HELP   KERNEL=6.1|6.12|debug    which kernel (6.1)
# HELP   FLAVOUR=cloud|generic    which of Debian's builds of it (cloud)
# HELP   LODGE_CACHE=DIR          kernels and the like (~/.cache/lodge)
# HELP   V=1                      show the commands
