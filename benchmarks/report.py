"""The whole monthly report on the sample company, environment present.

The peer is what a team does with the same notebooks and nothing of ours around them: papermill,
`nbconvert --to html`, WeasyPrint on that page, chapter after chapter. It makes no summary, no
checks and no record, so the ratio flatters the peer.
"""

import json
import shutil
import tempfile
from pathlib import Path

from benchmarks.record import ROOT, Record, measure

PERIOD = {"as_of": "2026-10-31", "start": "2026-10-01", "end": "2026-11-01"}
CHAPTERS = ("churn", "risk", "clv", "data_quality")
GOAL = 1.2  # times the peer's CPU; the peer leaves summary, checks, record and contents out

PLAIN = """
import subprocess, sys, pathlib
out, chapters, period = pathlib.Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3].split(",")
bin = pathlib.Path(sys.executable).parent
flags = [word for pair in period for word in ("-p", *pair.split("=", 1))]
for name in chapters:
    made = out / f"{name}.ipynb"
    subprocess.run([bin / "papermill", f"{name}.ipynb", made, *flags, "--no-progress-bar"],
                   cwd="notebooks", check=True, capture_output=True)
    subprocess.run([bin / "jupyter", "nbconvert", "--to", "html", "--no-input", made],
                   check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "weasyprint", "-q", made.with_suffix(".html"),
                    made.with_suffix(".pdf")], check=True, capture_output=True)
"""


def run() -> list[Record]:
    """Make the sample, then the edition twice with ours and once the plain way."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(ROOT.parent / "csa.yml", root)
        measure(["-m", "csa", "sample", "--accounts", "2000", "--to", str(root / "sample")])
        env = {"CSA_WORKSPACE": str(root)}
        first = measure(["-m", "csa", "run", "monthly", "--period", "2026-10"], env=env)
        again = measure(["-m", "csa", "run", "monthly", "--period", "2026-09"], env=env)
        made = root / "reports" / "monthly" / "2026-10"
        stages = json.loads((made / "run.json").read_text("utf-8"))["stages"]
        script = root / "plain.py"
        script.write_text(PLAIN, "utf-8")
        period = ",".join(f"{name}={value}" for name, value in PERIOD.items())
        plain = measure([str(script), str(root), ",".join(CHAPTERS), period], env=env)
    spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in stages.items())
    return [
        Record(
            name="monthly report",
            size=f"2,000 accounts, {len(CHAPTERS)} chapters, HTML and PDF",
            ours=round(first.seconds_cpu, 2),
            unit="CPU s",
            peer=round(plain.seconds_cpu, 2),
            peer_name="papermill + nbconvert + WeasyPrint",
            ratio=round(plain.seconds_cpu / first.seconds_cpu, 2),
            goal=f"at least {GOAL} times cheaper",
            peak_mb=round(first.peak_mb),
            peer_peak_mb=round(plain.peak_mb),
            holds=plain.seconds_cpu >= GOAL * first.seconds_cpu,
            note=f"elapsed {first.seconds_wall:.1f} s, next period {again.seconds_wall:.1f} s, "
            f"peer {plain.seconds_wall:.1f} s; stages: {spent}",
        )
    ]
