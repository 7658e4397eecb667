"""What kernels may see of the environment: an allow-list, so that no secret slips through."""

from collections.abc import Mapping, Sequence
from pathlib import Path

# what a kernel needs to start and to draw; no secret is called like one of these
ENVIRONMENT = frozenset(
    {
        *("CONDA_PREFIX", "VIRTUAL_ENV", "PATH", "PYTHONPATH", "PYTHONWARNINGS", "SYSTEMROOT"),
        *("HOME", "LOGNAME", "USER", "USERPROFILE", "TEMP", "TMP", "TMPDIR"),
        *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "TZ", "TZDIR"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH"),
        "SOURCE_DATE_EPOCH",
    }
)
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


def kernel_environment(
    environment: Mapping[str, str], *, workspace: Path, also: Sequence[str] = ()
) -> dict[str, str]:
    """Choose what kernels may see of the environment: no secret that no source asks for.

    Parameters
    ----------
    environment : mapping
        Usually `os.environ`.
    workspace : Path
        csa.yml, for `CSA_WORKSPACE`.
    also : sequence of str
        Names of variables that csa.yml's sources read.

    Returns
    -------
    dict of str
        The environment for `run_chapters`.
    """
    allowed = ENVIRONMENT | set(also)
    kept = {key: value for key, value in environment.items() if key in allowed}
    return {**kept, **ONE_THREAD, "CSA_WORKSPACE": str(workspace)}
