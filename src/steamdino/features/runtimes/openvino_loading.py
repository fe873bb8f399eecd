"""Loads models with OpenVINO: one at a time, compiled by an earlier process if possible, and without usage reports."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Any

from steamdino.features.runtimes import compiled_cache

LOADING = threading.RLock()
"""Held while a model is loaded, and while the first of them runs for the first time; see `set_up`."""

_SET_UP = threading.Event()


def compiled(made_from: tuple[str, ...] | None, config: dict[str, str], adapt: Callable[[], Any]) -> Any:
    """Load a compiled model from the cache, or compile it and cache it.

    Args:
        made_from: what the graph depends on; None not to cache it.
        config: of the compilation.
        adapt: makes the graph.
    """
    with without_telemetry():
        import openvino as ov
    core = ov.Core()
    if made_from is None:
        return core.compile_model(adapt(), "CPU", config)
    cpu = (core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES"))
    key = compiled_cache.key_of(ov.get_version(), *map(str, cpu), repr(config), *made_from)
    if (stored := compiled_cache.load(key)) is not None:
        with suppress(RuntimeError):  # the only type that OpenVINO raises
            return core.import_model(BytesIO(stored), "CPU", config)
    made = core.compile_model(adapt(), "CPU", config)
    exported = BytesIO()
    made.export_model(exported)  # what it returns without a stream depends on OpenVINO's version
    compiled_cache.store(key, exported.getvalue())
    return made


def set_up(run: Callable[[], object]) -> None:
    """Run a model once, if it is the first of this process, before threads run it.

    OpenVINO's bindings set up their use of NumPy at the first call, and two threads that make it at the same time
    deadlock: one holds Python's lock, the other what it guards. The caller holds `LOADING`.
    """
    if not _SET_UP.is_set():
        run()
        _SET_UP.set()


@contextmanager
def without_telemetry() -> Iterator[None]:
    """Turn off OpenVINO's usage reports by keeping their module from being imported.

    OpenVINO's tools import `openvino_telemetry` if they can and work without it if they cannot. None in `sys.modules`
    is Python's documented way to make an import fail. One thread at a time, since all threads share `sys.modules`.
    """
    absent = object()
    with LOADING:
        before = sys.modules.get("openvino_telemetry", absent)
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
        try:
            yield
        finally:
            if before is absent:
                del sys.modules["openvino_telemetry"]
            else:
                sys.modules["openvino_telemetry"] = before  # type: ignore[assignment]
