#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
ROUNDS=1000 exec "$(dirname "$0")/control-storm.sh"
