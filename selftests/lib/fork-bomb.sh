# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# bomb: a program for python3 -c that forks until it is refused, says whether that was for EAGAIN
# and how often it could, and waits for a line. Sourced; a text, for guests that see no checkout.

bomb='import os, sys, time
pids = []
try:
    while True:
        pid = os.fork()
        if not pid:
            time.sleep(600)
        pids.append(pid)
except OSError as error:
    print(error.errno == 11, len(pids), flush=True)
sys.stdin.readline()'
