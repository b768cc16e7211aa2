#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The same as disk-kill.sh, many more times.
ROUNDS=100 exec "$(dirname "$0")/disk-kill.sh"
