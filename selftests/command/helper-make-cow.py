#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""make-cow VERSION COWFILE BACKING WANTED SEED: writes a COW file as User-mode Linux of that
version did (3gaps: of 64 bits, before 2006), with sectors of its own chosen by SEED, and to WANTED
what the disk is then; prints how many bytes are in the COW file."""
import os
import random
import struct
import sys

SECTOR = 512


def up(value, step):
    return -(-value // step) * step


def header(version, name, mtime, size):
    name = name.encode()
    if version == "1":
        return struct.pack("<4sI256sIQI", b"MOOO", 1, name, mtime, size, SECTOR), SECTOR
    if version == "2":
        return struct.pack(">4sI4096sIQI", b"OOOM", 2, name, mtime, size, SECTOR), SECTOR
    if version == "3":
        return struct.pack(">4sIIQIII4096s", b"OOOM", 3, mtime, size, SECTOR, 4096, 0, name), 4096
    return struct.pack(">4sII4xQIII4096s4x", b"OOOM", 3, mtime, size, SECTOR, 4096, 0, name), 4096


def main():
    version, path, backing, wanted, seed = sys.argv[1:]
    stat = os.stat(backing)
    size, sectors = stat.st_size, -(-stat.st_size // SECTOR)
    head, align = header(version, os.path.realpath(backing), int(stat.st_mtime), size)
    old = version in "12"
    bitmap = len(head) if old else up(len(head), align)
    length = sectors // 8 if old else -(-sectors // 8)
    data = up(bitmap + length, align)
    with open(backing, "rb") as file:
        disk = bytearray(file.read())

    choose = random.Random(int(seed))
    bits = bytearray(length)
    changed = 0
    with open(path, "wb") as file:
        file.truncate(data + size)
        sector = 0
        while sector < length * 8:
            sector += int(choose.expovariate(1 / 40))
            for sector in range(sector, min(sector + choose.choice((1, 3, 8, 70)), length * 8)):
                at = sector * SECTOR
                content = choose.choice((bytes(SECTOR), choose.randbytes(SECTOR)))
                content = content[:max(size - at, 0)]
                if not content:
                    break
                bits[sector // 8] |= 1 << sector % 8
                disk[at:at + len(content)] = content
                changed += len(content)
                file.seek(data + at)
                file.write(content)
            sector += 1
        file.seek(0)
        file.write(head)
        file.seek(bitmap)
        file.write(bits)
    with open(wanted, "wb") as file:
        file.write(disk)
    print(changed)


main()
