"""What a program needs of a host, read from its file: an ELF file names its processor and its C library."""

import mmap
import struct

# What `uname -m` says of processors, by their numbers in ELF files.
MACHINES = {3: "i686", 21: "ppc64le", 22: "s390x", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
INTERPRETER, VERSIONS_NEEDED = 3, 0x6FFFFFFE


def describe_program(path):
    """What the table of a mismatch says of the program."""
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return {"system": "not a program of Linux", "machine": "?", "libc": "?"}
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return describe_elf(data)


def describe_elf(data):
    (machine,) = struct.unpack_from("<H", data, 18)
    facts = {"system": "Linux", "machine": MACHINES.get(machine, f"{machine}"), "libc": "?"}
    if data[4] == 2:  # of 64 bits
        try:
            facts["libc"] = needed_library(data)
        except (struct.error, IndexError):
            pass  # it has no more than its start
    return facts


def needed_library(data):
    """The C library, with the least version that will do."""
    (programs,), (sections,) = struct.unpack_from("<Q", data, 0x20), struct.unpack_from("<Q", data, 0x28)
    program_size, program_count, section_size, section_count = struct.unpack_from("<4H", data, 0x36)
    interpreter = None
    for start in range(programs, programs + program_size * program_count, program_size):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, start)
        if kind == INTERPRETER:
            interpreter = data[offset : offset + size].rstrip(b"\0").decode()
    if interpreter is None:
        return "none needed"
    if "musl" in interpreter:
        return "musl"
    headers = [
        struct.unpack_from("<IIQQQQII", data, start)
        for start in range(sections, sections + section_size * section_count, section_size)
    ]
    needed = [name for header in headers if header[1] == VERSIONS_NEEDED for name in versions(data, header, headers)]
    numbers = [name[6:] for name in needed if name.startswith("GLIBC_") and name[6:7].isdigit()]
    return "glibc " + max(numbers, key=lambda number: [int(part) for part in number.split(".")]) if numbers else "glibc"


def versions(data, header, headers):
    """The names of versions of libraries that a section says are needed."""
    offset, names = header[4], headers[header[6]][4]
    while True:
        _, count, _, auxiliary, following = struct.unpack_from("<HHIII", data, offset)
        entry = offset + auxiliary
        for _ in range(count):
            _, _, _, name, further = struct.unpack_from("<IHHII", data, entry)
            yield data[names + name : data.find(b"\0", names + name)].decode()
            entry += further
        if not following:
            return
        offset += following
