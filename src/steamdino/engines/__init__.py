"""Engines turn pending banners into vectors: where and how that is computed.

A new engine is one module with a class of the protocol `engine.Engine`, and one entry in `ENGINES`.
"""

from __future__ import annotations

from pkgutil import resolve_name

from steamdino.engines.engine import Batch, Engine, EngineSettings, Failure
from steamdino.errors import UsageError

__all__ = ["ENGINES", "Batch", "Engine", "EngineSettings", "Failure", "start_engine"]

ENGINES = {
    "local": "steamdino.engines.local:LocalEngine",
    "ray": "steamdino.engines.ray_cluster:RayEngine",
}
"""Where each engine's class is, by the engine's name. It is imported when the engine is started."""


def start_engine(name: str, settings: EngineSettings) -> Engine:
    """Start an engine: load its model, or connect to what has one.

    Raises:
        UsageError: there is no engine of that name, or it cannot do what the settings say.
        RecipeError, ModelError, MissingExtraError: as `features.encoder.Encoder` raises them.
        EngineError: the cluster cannot be reached or used.
    """
    if name not in ENGINES:
        raise UsageError(f"there is no engine {name!r}; there are: {', '.join(ENGINES)}")
    engine: Engine = resolve_name(ENGINES[name])(settings)
    return engine
