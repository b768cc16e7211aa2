#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of the lodge command against a tree without the module (fake-tree.py); prints TAP.

    command.py [PATH-OF-LODGE] [TEST]...

What only the module can do is tested in selftests/confined/command-*.sh.
"""

import shutil
import signal
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position,unused-import
import cases_itself  # noqa: E402,F401
import cases_settings  # noqa: E402,F401
import cases_run  # noqa: E402,F401
import cases_swap  # noqa: E402,F401
import cases_show  # noqa: E402,F401
from harness import (ARGUMENTS, TESTS, WORK, cannot_run, guests, lodge,  # noqa: E402
                     on_time, run_test, start_tree)


def report(number, name, problem, skipped):
    print(f"{'not ' if problem else ''}ok {number} {name}{' # SKIP ' + skipped if skipped else ''}")
    for line in (problem or "").splitlines():
        print("# " + line)
    sys.stdout.flush()


def main():
    print("TAP version 13")
    reason = cannot_run()
    if reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    tests = [function for function in TESTS if not ARGUMENTS or function.__name__ in ARGUMENTS]
    print(f"1..{len(tests)}")
    failed = 0
    tree = start_tree()
    signal.signal(signal.SIGALRM, on_time)
    try:
        for number, function in enumerate(tests, 1):
            problem = skipped = None
            try:
                skipped = run_test(function)
            except Exception as error:  # pylint: disable=broad-exception-caught
                problem = f"{type(error).__name__}: {error}"
                failed += 1
            report(number, "command-" + function.__name__.replace("_", "-"), problem, skipped)
            if problem:
                lodge("destroy", "--kill", *guests())
    finally:
        tree.terminate()
        tree.wait()
        shutil.rmtree(WORK, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
