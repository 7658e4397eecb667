"""File hygiene for commits: ends of lines and files, conflict marks, size."""

import sys
from pathlib import Path

LARGEST = 1_000_000  # bytes
MARKS = ("<<<<<<< ", ">>>>>>> ")


def faults(path: Path) -> list[str]:
    """Every fault of one file, with its line."""
    data = path.read_bytes()
    if len(data) > LARGEST:
        return [f"{path}: {len(data)} bytes; keep files under {LARGEST}"]
    text = data.decode("utf-8")
    found = []
    if text and not text.endswith("\n"):
        found.append(f"{path}: no newline at the end")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.endswith("\r"):
            found.append(f"{path}:{number}: carriage return")
        elif line != line.rstrip() and path.suffix != ".md":
            found.append(f"{path}:{number}: space at the end of the line")
        if line.startswith(MARKS):
            found.append(f"{path}:{number}: merge conflict mark")
    return found


def main() -> int:
    """Check the files named on the command line."""
    found = [fault for name in sys.argv[1:] for fault in faults(Path(name))]
    sys.stderr.writelines(line + "\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
