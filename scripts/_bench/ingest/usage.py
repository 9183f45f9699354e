"""What processes use, as Linux tells it: CPU seconds and memory of a process and its children."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True)
class Usage:
    """Use of a process tree at a moment: CPU seconds since each began, resident MB."""

    cpu_s: float
    rss_mb: float
    root_rss_mb: float


def usage(*roots: int) -> Usage:
    """What the processes and all below them use; `root_rss_mb` is that of the first alone."""
    parents: dict[int, int] = {}
    cpu: dict[int, float] = {}
    memory: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # ended meanwhile
            pid = int(folder.name)
            parents[pid] = int(fields[1])
            cpu[pid] = (int(fields[11]) + int(fields[12])) / _TICKS
            memory[pid] = int(fields[21]) * _PAGE_MB
    tree = set(roots)
    while grown := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= grown
    found = tree & parents.keys()
    return Usage(sum(cpu[pid] for pid in found), sum(memory[pid] for pid in found), memory.get(roots[0], 0.0))
