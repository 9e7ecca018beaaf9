"""The child that unpacks a zip or gzip archive under limits; run as a script, knows nothing else of the product.

Argument: path. Standard output, one line of JSON each: first the files in it by number and name, or the fault; then, for
each line ``[number, target]`` of standard input, what became of that file: ``{}`` or the fault.
"""

import errno
import gzip
import json
import stat
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

MEMORY = 2**30
CPU_S = 1_200
MAX_MEMBERS = 1_000
MAX_UNPACKED = 16 * 2**30
MAX_RATIO = 200
_SMALL = 64 * 2**20  # up to here any ratio will do: a day's log of equal lines packs better than any attack
_CHUNK = 2**20
_NAME = 200
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def limit() -> None:
    """Bound this process's address space, CPU time and the size of what it writes, where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    bounds = ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_FSIZE, MAX_UNPACKED))
    for what, most in (*bounds, (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (most, most))


def name_of(member: zipfile.ZipInfo) -> str:
    """The name as it was meant: without the mark for UTF-8, Chinese Windows writes GBK."""
    name = member.orig_filename
    if not member.flag_bits & 0x800:
        raw = name.encode("cp437")
        for encoding in ("utf-8", "gb18030"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def members(file: zipfile.ZipFile, packed: int) -> dict[str, Any]:
    """Number and name of each file, or the fault."""
    every = file.infolist()
    names = [name_of(m) for m in every]
    lower = {name.lower() for name in names}
    if any(name.startswith("xl/workbook.") for name in lower) or {"mimetype", "content.xml"} <= lower:
        return {"fault": "workbook"}
    told = [
        (i, name[-_NAME:])
        for i, (m, name) in enumerate(zip(every, names, strict=True))
        if not name.endswith("/") and not stat.S_ISLNK(m.external_attr >> 16) and not any(x in name for x in _LITTER)
    ]
    unpacked = sum(m.file_size for m in every)
    if len(every) > MAX_MEMBERS or unpacked > MAX_UNPACKED or unpacked > max(_SMALL, MAX_RATIO * packed):
        return {"fault": "bomb"}
    return {"members": told} if told else {"fault": "empty"}


def unpack(file: zipfile.ZipFile, number: int, target: Path) -> dict[str, str]:
    """Write one file; never more bytes than its entry in the directory says, whatever follows there."""
    member = file.infolist()[number]
    if member.flag_bits & 1:
        return {"fault": "password"}
    return write(lambda: file.open(member), target, member.file_size, exactly=True)


def gunzip(path: Path, target: Path) -> dict[str, str]:
    """Write what a gzip file holds: it does not say before how much that is."""
    return write(lambda: gzip.open(path), target, min(MAX_UNPACKED, max(_SMALL, MAX_RATIO * path.stat().st_size)))


def write(opened: Callable[[], IO[bytes] | gzip.GzipFile], target: Path, most: int, *, exactly: bool = False) -> dict[str, str]:
    """Copy what is packed to `target`: no fault, or which. `most`: bytes that it may have, or that it has `exactly`."""
    try:
        with opened() as packed, target.open("xb") as out:
            while out.tell() <= most and (chunk := packed.read(_CHUNK)):
                out.write(chunk)
            if out.tell() > most and not exactly:
                return {"fault": "bomb"}
            if exactly and out.tell() != most:
                return {"fault": "damaged"}
    except NotImplementedError:
        return {"fault": "method"}
    except MemoryError:
        return {"fault": "bomb"}
    except OSError as error:
        return {"fault": {errno.ENOSPC: "disk", errno.EDQUOT: "disk", errno.EFBIG: "bomb"}.get(error.errno or 0, "damaged")}
    except Exception:  # noqa: BLE001 - whatever a hostile file provokes
        return {"fault": "damaged"}
    return {}


def main() -> None:
    """Say what is in it, then unpack what is asked for."""
    limit()
    path = Path(sys.argv[1])
    with path.open("rb") as begun:
        single = begun.read(2) == b"\x1f\x8b"
    file: zipfile.ZipFile | None = None
    try:
        if single:
            about: dict[str, Any] = {"members": [(0, path.name.removesuffix(".gz"))]}
        else:
            file = zipfile.ZipFile(path)
            about = members(file, path.stat().st_size)
    except MemoryError:
        about = {"fault": "bomb"}
    except Exception:  # noqa: BLE001 - whatever a hostile file provokes
        about = {"fault": "damaged"}
    sys.stdout.write(json.dumps(about) + "\n")
    sys.stdout.flush()
    for line in sys.stdin if "members" in about else ():
        number, target = json.loads(line)
        done = unpack(file, number, Path(target)) if file else gunzip(path, Path(target))
        sys.stdout.write(json.dumps(done) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
