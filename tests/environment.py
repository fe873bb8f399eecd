"""The environment of tests and of their processes: nothing of the caller's but what programs need in order to run."""

from __future__ import annotations

from collections.abc import MutableMapping

KEPT = frozenset(
    [
        # Where programs, modules, libraries and temporary files are.
        *("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP"),
        # Without these, Windows starts no programs and opens no sockets.
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS"),
        # Which processors and how many threads to use.
        *("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"),
        # Set by mutmut for the code that it has changed.
        "MUTANT_UNDER_TEST",
    ]
)
KEPT_PREFIXES = ("PYTEST_", "OPENBLAS_", "NVPL_")
"""Of pytest and its plugins, and of libraries of linear algebra, which some processors need told which they are."""
ADDED = ("HOME", "USERPROFILE", "LANG")
CLEANED = "PYTEST_CLEANED"
"""A variable with the names that were left. Libraries that tests load set others."""


def clean(environ: MutableMapping[str, str], home: str) -> None:
    """Removes all that a test must not depend on, and sets a home and a locale."""
    for name in list(environ):
        if name.upper() not in KEPT and not name.startswith(KEPT_PREFIXES):
            del environ[name]
    environ.update(HOME=home, USERPROFILE=home, LANG="C.UTF-8")
