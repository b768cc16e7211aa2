# SPDX-License-Identifier: GPL-2.0
"""What full guests are compared with, and how each one is started: the columns of the tables.

A new column is a class or an object here; the counting, the clock and the report find it by
its name. What all of them need lies in one folder, see gather().
"""
import os
import shutil
import subprocess

MEMORY = "256M"
DEBIAN = "/usr/bin/linux.uml"


def stock_registers(folder):
    """User-mode Linux starts no process where the CPU has more registers than it knows of."""
    with open("/proc/cpuinfo", encoding="utf-8") as cpus:
        if " amx_tile" in cpus.read():
            return {"LD_PRELOAD": os.path.join(folder, "xstate.so")}
    return {}


class Uml:
    """A User-mode Linux that is started by itself; its console is standard output."""

    # It needs lodge.ko, and so another kernel than this machine's.
    in_kernel = False

    def __init__(self, name, title, kernel):
        self.name, self.title, self.kernel, self.folder = name, title, kernel, None
        self.count = 0

    def use(self, folder):
        """What gather() made is there."""
        self.folder = folder
        return self

    def file(self, name):
        return os.path.join(self.folder, name)

    def environment(self):
        # libc's rseq area is one more thing that kills the processes of an unpatched one.
        return {**os.environ, "GLIBC_TUNABLES": "glibc.pthread.rseq=0", **stock_registers(self.folder)}

    def _kernel(self, *arguments):
        self.count += 1
        return [self.file(self.kernel), f"mem={MEMORY}", "con=null", "ssl=null", "quiet", "console=tty0",
                f"uml_dir={self.file('uml')}/", f"umid={self.name}-{os.getpid()}-{self.count}", *arguments]

    def alone(self, *arguments):
        """The kernel with the benchmark's own init."""
        # Without a root, the kernel would add one behind what is for init.
        return self._kernel("con0=null,fd:1", f"initrd={self.file('bench.cpio')}", "root=/dev/ubda", "--", *arguments)

    def starts(self):
        """Ways to start a guest that says init,STAMP and ends, by name."""
        return {"alone": self.alone()}

    def program(self, *command):
        """The small guest runs a program of its own files."""
        return self.alone(*command)

    def host_program(self, *command):
        """A guest runs a program over files of the host."""
        return self.alone("host", self.file("root"), *command)

    def idle(self):
        """It says init,STAMP and does nothing."""
        return self.alone("idle")

    def system(self, _name, image, cow):
        """A machine with a disk; its console is on standard input and output."""
        disk = f"{cow},{image}" if cow else image
        return self._kernel("con0=fd:0,fd:1", f"ubd0={disk}", "root=/dev/ubda", "rw")


class Lodge(Uml):
    """lodge boot; more options make another column of it."""

    def __init__(self, name, title, *options):
        super().__init__(name, title, "guest/linux")
        self.options = list(options)

    def environment(self):
        return {**os.environ, "XDG_RUNTIME_DIR": self.file("run")}

    def _boot(self, *arguments):
        return [self.file("lodge"), "boot", *self.options, "--memory", MEMORY, *arguments]

    def starts(self):
        return {"boot": self.program("/ops", "-", "stamp"), "alone": self.alone()}

    def program(self, *command):
        return self._boot("--rootdir", self.file("root"), "--", *command)

    host_program = program

    def idle(self):
        return self._boot("--rootdir", self.file("root"), "--", "/ops", "-", "idle")

    def system(self, name, image, cow):
        return self._boot("--name", name, "--root", image, *(["--cow", cow] if cow else []))


class Module(Lodge):
    """The guest's kernel in the host's."""

    in_kernel = True

    def __init__(self, name, title):
        super().__init__(name, title, "--host=module")

    def starts(self):
        return {"boot": self.program("/ops", "-", "stamp")}


COLUMNS = [
    Uml("uml-6.1", "UML 6.1 (Debian)", "debian-linux"),
    Uml("uml-6.12", "UML 6.12", "stock-linux"),
    Lodge("lodge", "lodge boot"),
    Module("module", "lodge boot --host=module"),
]


def named(names):
    """The columns of a list of names with commas, all if it is empty."""
    wanted = names.split(",") if names else [c.name for c in COLUMNS]
    known = {c.name: c for c in COLUMNS}
    for name in wanted:
        if name not in known:
            raise SystemExit(f"bench-guest: {name}: not one of {', '.join(known)}")
    return [known[name] for name in wanted]


def gather(build, folder):
    """Copies of all that guests are started with, on a file system of nobody else's."""
    programs = os.path.join(build, "selftests/bench")
    for name in ("root", "guest", "uml", "run", "initramfs"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    for source, target in (
            (f"{programs}/ops", "ops"), (f"{programs}/nothing", "nothing"), (f"{programs}/xstate.so", "xstate.so"),
            (f"{programs}/ops", "root/ops"), (f"{programs}/nothing", "root/nothing"),
            (f"{programs}/guest-init", "initramfs/init"), (f"{programs}/ops", "initramfs/ops"),
            (f"{programs}/nothing", "initramfs/nothing"), (f"{build}/lodge", "lodge"),
            (f"{build}/guest/linux", "guest/linux"), (f"{build}/guest/initramfs.cpio", "guest/initramfs.cpio"),
            (f"{build}/guest/stock-linux", "stock-linux"), (DEBIAN, "debian-linux")):
        shutil.copy(source, os.path.join(folder, target))
    module = f"lodge-guest-{os.uname().release}.ko"
    if os.path.exists(f"{build}/guest/{module}"):
        for name in (module, "enter"):
            shutil.copy(f"{build}/guest/{name}", os.path.join(folder, "guest"))
    with open(os.path.join(folder, "bench.cpio"), "wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], input=b"init\nops\nnothing\n",
                       stdout=out, cwd=os.path.join(folder, "initramfs"), check=True)
