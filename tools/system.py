"""Look for what the system must have; install it where that is allowed, else say how.

Pango draws the PDF. Without it everything works, but reports are HTML only.
"""

import ctypes
import os
import shutil
import subprocess
import sys

PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")
LIBRARIES = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")
ADVICE = f"""csa: Pango is missing, so reports will be HTML only. For the PDF run:
  Debian, Ubuntu:  sudo apt-get install -y {" ".join(PACKAGES)}
  macOS:           brew install pango
  conda:           conda install -c conda-forge pango"""


def pango_works() -> bool:
    """Load the libraries where their names are known; elsewhere ask WeasyPrint itself."""
    if sys.platform != "linux":
        probe = [sys.executable, "-c", "import weasyprint"]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    try:
        for name in LIBRARIES:
            ctypes.CDLL(name)
    except OSError:
        return False
    return True


def may_install() -> bool:
    """Only root on Debian, and never behind somebody's back elsewhere."""
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install() -> None:
    """Install the Debian packages; a failure is reported by the second look."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (
        ("update", "-qq"),
        ("install", "-y", "-qq", "--no-install-recommends", *PACKAGES),
    ):
        subprocess.run(("apt-get", *step), env=quiet, stdout=subprocess.DEVNULL, check=False)


def main() -> None:
    """Install or advise; never fail, because HTML needs nothing of this."""
    if pango_works():
        return
    if may_install():
        sys.stderr.write("csa: installing Pango for the PDF\n")
        install()
    if not pango_works():
        sys.stderr.write(ADVICE + "\n")


if __name__ == "__main__":
    main()
