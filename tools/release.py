"""Build and check a release: wheel, sdist, list of components (SBOM) and checksums, in ``dist/``.

    make release

Everything comes from a clean clone of the last commit. It is built twice, in two folders, and both must give the same
bytes; files carry the time of the commit. Then each of both files is installed into an empty environment and tried, see
`try_install`. ``--no-try`` leaves that out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from try_install import Environment

ROOT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent
SBOM, SUMS = "sbom.cdx.json", "SHA256SUMS"


def call(*command: str | Path, folder: Path = ROOT, **environ: str) -> str:
    """Run a command and return what it prints; end with its output if it fails."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def tool(name: str) -> Path:
    """A program of the environment that runs this script."""
    return TOOLS / name


def check_version() -> str:
    """Return the version that the package states, for which the changelog must have a dated section."""
    version = str(runpy.run_path(str(ROOT / "src/steamdino/version.py"))["__version__"])
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        sys.exit(f'CHANGELOG.md has no section "## [{version}] - YYYY-MM-DD"; date it, or change version.py')
    return version


def build(folder: Path, time: str) -> list[Path]:
    """Build in a new clone, and return the wheel, which is built from the sdist, and the sdist."""
    call("git", "clone", "--quiet", "--no-hardlinks", ROOT, folder)
    call(
        tool("python"),
        "-m",
        "build",
        "--no-isolation",
        folder,
        SOURCE_DATE_EPOCH=time,
        PYTHONHASHSEED=folder.name[-1],
    )
    return sorted((folder / "dist").iterdir())  # the wheel is first


def check(files: list[Path], source: Path) -> None:
    """Check what is in the files, and what they say of themselves."""
    wheel, sdist = files
    print(call(tool("twine"), "check", "--strict", *files).strip())

    print(call(tool("check-wheel-contents"), wheel).strip())
    # Authors are reached by the project's issues, not by mail.
    print(call(tool("pyroma"), "--min", "10", "--skip-tests", "AuthorEmail", sdist, folder=source).strip())


def write_sbom(python: Path, target: Path, version: str) -> None:
    """List all components of an environment as CycloneDX."""
    project = ("--pyproject", ROOT / "pyproject.toml", "--mc-type", "application")
    call(tool("cyclonedx-py"), "environment", "--output-reproducible", *project, "-o", target, python)
    listed = json.loads(target.read_text("utf-8"))
    listed["metadata"]["component"]["version"] = version  # pyproject.toml leaves it to version.py
    target.write_text(json.dumps(listed, indent=2) + "\n", "utf-8")


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Build and check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-try", action="store_true", help="do not install the files")
    parser.add_argument("--extras", default="all", help="extras to try, separated by commas")
    options = parser.parse_args()
    version = check_version()
    if call("git", "status", "--porcelain", "--untracked-files=no").strip():
        print("The working tree has changes that are not in the last commit; they are left out.")
    time = call("git", "log", "-1", "--format=%ct").strip()
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    with tempfile.TemporaryDirectory() as scratch:
        first, second = (build(Path(scratch, name), time) for name in ("clone1", "another/place/clone2"))
        for one, other in zip(first, second, strict=True):
            if digest(one) != digest(other):
                sys.exit(f"two builds of {one.name} differ: compare them with diffoscope")
        print(f"Two builds of {version} gave the same bytes.")
        check(first, Path(scratch, "clone1"))
        files = [Path(shutil.copy(one, dist)) for one in first]
    with tempfile.TemporaryDirectory() as scratch:
        for file in files if not options.no_try else files[:1]:
            environment = Environment.make(Path(scratch, file.name.replace(".", "-")), file)
            if file.suffix == ".whl":  # before anything else is installed
                write_sbom(environment.python, dist / SBOM, version)
            if not options.no_try:
                environment.try_program()
                environment.try_extras(options.extras if file.suffix == ".whl" else "web")
        if not options.no_try:
            # Not in the same environment: what it needs besides belongs to an extra.
            environment = Environment.make(Path(scratch, "notebook"), files[0])
            environment.try_notebook(ROOT / "notebooks" / "match_steam_banners.ipynb")
    listed = [*files, dist / SBOM]
    (dist / SUMS).write_text("".join(f"{digest(one)}  {one.name}\n" for one in listed), "utf-8")
    print((dist / SUMS).read_text("utf-8"), end="")


if __name__ == "__main__":
    main()
