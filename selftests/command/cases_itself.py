# SPDX-License-Identifier: GPL-2.0
"""Tests of lodge itself, and of what comes with the command."""

import os
import re
import subprocess

from harness import HERE, LODGE, WORK, expect, lodge, same, test


@test
def help_of_every_command():
    listing = expect(lodge("--help")).out
    commands = re.findall(r"^  (\w+) ", listing, re.M)
    same(commands, ["run", "boot", "create", "destroy", "set", "ls", "ps", "stat", "top", "halt", "kill",
                    "pause", "resume", "console", "logs", "rm", "mconsole", "disk", "net", "backup",
                    "image",
                    "version"])
    for command in commands:
        expect(lodge(command, "--help"), out=rf"^Usage: lodge {command}\b")
        expect(lodge("help", command), out=rf"^Usage: lodge {command}\b")
    expect(lodge(), status=1, out="Usage")


@test
def unknown_commands_and_options():
    expect(lodge("rnu"), status=1, err="^lodge: rnu: not a command of lodge: did you mean 'run'")
    expect(lodge("frobnicate"), status=1, err="Try 'lodge --help'")
    expect(lodge("ls", "--frob"), status=1, err="lodge: ls: .*--frob")
    expect(lodge("run", "--frob"), status=125, err="Try 'lodge run --help'")


@test
def version():
    expect(lodge("version"), out=r"^lodge +[0-9.]+$")
    expect(lodge("version"), out=r"^module +0\.0-fake$")
    expect(lodge("--version"), out=r"^subsystems +memory$")
    expect(lodge("--version"), out=r"^policies +tl clock$")


@test
def no_module():
    if os.path.exists("/sys/fs/lodge"):
        return "the module is loaded"
    env = {"LODGE_ROOT": ""}
    expect(lodge("version", env=env), out=r"^module +none: the module is not loaded")
    expect(lodge("ls", "-q", env=env), out="^$", err="insmod lodge.ko")
    expect(lodge("stat", "--json", env=env), out=r"^\[\n\]$", err="insmod lodge.ko")
    expect(lodge("ps", env=env), out=r"^PID +GUEST +POOL +COMMAND\n$", err="insmod lodge.ko")
    expect(lodge("run", "true", env=env), status=125, err="insmod lodge.ko")
    expect(lodge("ls", env={"LODGE_ROOT": "/nowhere"}), status=1, err="/nowhere .*not a directory")
    return None


@test
def full_disk():
    with open("/dev/full", "w", encoding="ascii") as full:
        for args, status in ((["--help"], 1), (["ls", "--help"], 1), (["run", "--help"], 125),
                             (["ls"], 1)):
            done = subprocess.run([LODGE, *args], stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False)
            same((args, done.returncode), (args, status))
            assert "No space left" in done.stderr, done.stderr


@test
def manual_pages():
    pages = HERE.parent.parent / "Documentation" / "man"
    for command in re.findall(r"^  (\w+) ", expect(lodge("--help")).out, re.M):
        page = (pages / f"lodge-{command}.1").read_text()
        assert f"lodge-{command} 1" in (pages / "lodge.1").read_text(), command
        for option in re.findall(r"--([a-z-]+) ", expect(lodge(command, "--help")).out):
            assert f"Fl -{option}" in page, (command, option)
        for option in re.findall(r"Fl -([a-z-]+)", page):
            assert f"--{option}" in lodge(command, "--help").out or \
                option in ("owner", "join"), (command, option)
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *map(str, pages.glob("lodge*.1"))],
                          capture_output=True, text=True, check=False)
    same(lint.stdout + lint.stderr, "")


@test
def completion():
    lodge("create", "web")
    lodge("create", "db")
    (WORK / "bin").mkdir(exist_ok=True)
    (WORK / "bin" / "lodge").unlink(missing_ok=True)
    (WORK / "bin" / "lodge").symlink_to(LODGE)
    source = HERE.parent.parent / "userland" / "lodge" / "completion" / "lodge.bash"
    for words, found in ((["cr"], ["create"]),
                         (["destroy", ""], ["db", "web"]),
                         (["stat", "--json", "w"], ["web"]),
                         (["run", "--join", "d"], ["db"]),
                         (["run", "--zs"], ["--zswap-max"]),
                         (["set", "web", "memory.m"], ["memory.max=", "memory.min="]),
                         (["set", "web", "proc"], []),
                         (["set", "web", "memory.cur"], []),
                         (["top", "--sort", "f"], ["faults"]),
                         (["ls", "--j"], ["--json"]),
                         (["disk", ""], ["add", "ls", "remove"]),
                         (["net", "a"], ["add"]),
                         (["run", "-m", "64M", "mkfif"], ["mkfifo"]),
                         (["boot", "--rootd"], ["--rootdir"]),
                         (["boot", "--rootdir", "/dev/sh"], ["/dev/shm"]),
                         (["boot", "--rootdir", "/", "-e", "A=B", "mkfif"], ["mkfifo"]),
                         (["image", "cow", "m"], ["merge"]),
                         (["image", "build", "--su"], ["--suite"]),
                         (["help", "ver"], ["version"])):
        script = (f". {source}; COMP_WORDS=(lodge \"$@\"); COMP_CWORD=$#; _lodge; "
                  'printf "%s\\n" "${COMPREPLY[@]}" | sort -u')
        done = subprocess.run(["bash", "-c", script, "bash", *words], text=True, capture_output=True,
                              env={**os.environ, "PATH": f"{WORK}/bin:{os.environ['PATH']}"},
                              check=True)
        same((words, done.stdout.split()), (words, found))
    lodge("destroy", "web", "db")
