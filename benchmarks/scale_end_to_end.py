"""All that a user does with a gallery of a million games, each step once and as the real command."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scale_made import MORE, Made, World, bytes_of, most_files
from scale_program import MeasureError, Program, Run
from scale_serving import ask_everything

ASKED = 200
"""Requests of each kind to the server."""


def run(world: World, steps: list[str] | None, json_file: Path | None) -> int:
    """Do the steps that are left, or the named ones again, and print a line for each; return the exit code.

    Args:
        world: the folder; a later run goes on where this one ends.
        steps: names of steps; None for all that are left.
        json_file: where all figures are written, too.
    """
    made = Made(world, Program.here())
    world.check_space(1)
    known = _steps(made)
    for name in steps or ():
        if name not in known:
            raise SystemExit(f"there is no step {name!r}; choose of: {', '.join(known)}")
    record_file = made.folder / "end_to_end.json"
    records: dict[str, Any] = json.loads(record_file.read_text("utf-8")) if record_file.exists() else {}
    for name in steps or [step for step in known if "failed" in records.get(step, {"failed": ""})]:
        try:
            records[name] = known[name]()
        except MeasureError as error:
            records[name] = {"failed": str(error)}
        print(json.dumps({"step": name, **records[name]}), flush=True)
        part = record_file.with_suffix(".part")
        part.write_text(json.dumps(records, indent=1) + "\n", "utf-8")
        part.rename(record_file)
    if json_file:
        whole = {**world.facts, "steps": {step: records.get(step) for step in known}}
        json_file.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    return int(any("failed" in record for record in records.values()))


def _steps(made: Made) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return what each step does, in order.

    What makes the gallery is kept with it, so that `scale.py` and `scale_curve.py` need not make it again.
    """
    site, page, arrays = (made.folder / name for name in ("site", "map", "arrays"))

    def shown(
        work: Callable[[], dict[str, float]], *outputs: Path, fresh: bool = True
    ) -> Callable[[], dict[str, Any]]:
        def step() -> dict[str, Any]:
            for output in outputs:
                if fresh and output.is_dir():
                    shutil.rmtree(output)
            figures: dict[str, Any] = dict(work())
            there = [output for output in outputs if output.exists()]
            figures["bytes"] = sum(map(bytes_of, there))
            if folders := [output for output in there if output.is_dir()]:
                figures["most files in a folder"] = max(map(most_files, folders))
            return figures

        return step

    def command(*arguments: str | Path, accepted: tuple[int, ...] = (0,)) -> Callable[[], dict[str, float]]:
        return lambda: made.command(*arguments, accepted=accepted).figures

    def kept(name: str, work: Callable[[], Run]) -> Callable[[], dict[str, float]]:
        return lambda: made.once(name, work, again=True)

    def snapshot(step: Callable[[], dict[str, float]]) -> Callable[[], dict[str, Any]]:
        return lambda: step() | {"bytes": bytes_of(made.snapshot())}

    database = made.gallery / "gallery.sqlite"
    return {
        "pictures": lambda: _pictures(made.world),
        "add": shown(kept("add", made.add), database),
        "encode": shown(kept("encode", made.encode), database),
        "build": snapshot(kept("build", made.build)),
        "info": shown(command("info")),
        "similar": shown(command("similar", "730", "--no-pictures")),
        "name": shown(command("similar", made.world.catalogue.names[0], "--no-pictures")),
        "serve": lambda: _serve(made),
        "unique": shown(command("unique", "--format", "ids")),
        "duplicates": shown(command("duplicates", "--format", "json")),
        "check": shown(command("check", "--format", "json", accepted=(0, 1))),
        "export-npy": shown(command("export", "npy", "-k", "100", "-o", arrays), arrays),
        "export-site": shown(command("export", "site", "-o", site), site),
        "map": shown(command("map", "--html", page), page, fresh=False),
        "add-more": shown(kept("add more", lambda: made.add(made.world.games + MORE)), database),
        "encode-more": shown(kept("encode more", made.encode), database),
        "build-more": snapshot(kept("build more", made.build)),
    }


def _pictures(world: World) -> dict[str, Any]:
    started = time.perf_counter()
    world.write_table(world.folder / "games.csv", world.games)
    pictures = world.folder / "pictures"
    return {"seconds": round(time.perf_counter() - started, 2), "bytes": bytes_of(pictures)}


def _serve(made: Made) -> dict[str, Any]:
    """Start two workers, and ask them for each kind of answer."""
    started = time.perf_counter()
    with made.program.serving(made.gallery, 2) as server:
        figures: dict[str, Any] = {"seconds": round(time.perf_counter() - started, 2)}
        asked = {
            "similar": [
                f"/api/v1/games/{10 * (1 + row * made.world.games // ASKED)}/similar" for row in range(ASKED)
            ],
            "names": made.world.typed[:ASKED],
            "unique": ["/api/v1/unique"] * 2,
        }
        for kind, paths in asked.items():
            answers = [server.get(path) for path in paths]
            if failed := [status for status, *_ in answers if status != 200]:
                raise MeasureError(f"{len(failed)} of {len(paths)} requests for {kind} got {failed[0]}")
            figures[f"{kind}, median ms"] = round(
                sorted(took for _, took, *_ in answers)[len(answers) // 2], 2
            )
        figures["requests of each kind"] = ask_everything(server, made)
        figures["megabytes"] = round(server.megabytes(), 1)
    return figures
