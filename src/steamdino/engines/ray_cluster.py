"""The engine for clusters: actors of Ray read, decode and encode; this process hands out work and takes the results.

Ray's own datasets are not used: pending banners come from this process's database, one page at a time, and what is
encoded must be committed while the rest waits. Each actor has a piece of work and one more waiting, so neither this
process nor Ray's object store holds more than a few hundred vectors, however many banners there are.

Nodes and processes may be lost at any time. Their work is handed out again, and an actor is asked for in their place,
which starts as soon as a node has room for it.
"""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from steamdino.engines.cores import cores
from steamdino.engines.engine import Batch, EngineSettings
from steamdino.engines.lost_work import Piece, Work
from steamdino.engines.ray_worker import RayWorker, Started
from steamdino.errors import EngineError, MissingExtraError, UsageError
from steamdino.gallery.vectors import Pending
from steamdino.version import __version__

PIECE = 32
"""Banners that an actor gets at a time: a tenth of a second or more of work, and what the loss of an actor costs."""

AHEAD = 2
"""Pieces that an actor has, so that it need not wait for the next one."""

LOSSES = 5
"""Actors that may end in a row, besides one in each place, before the cluster is given up."""

KNOCK = 5.0
"""Seconds in which a cluster's port must accept a connection."""

PATIENCE = 120.0
"""Seconds after which a cluster that has started no actor is given up."""


@dataclass(slots=True, eq=False)
class _Actor:
    """One actor: its handle, the reference of its start until it has started, and the pieces that it has."""

    handle: Any
    starting: Any
    pieces: list[Piece] = field(default_factory=list)

    def has_room(self, piece: Piece, level: int) -> bool:
        """Whether it may get a piece beside as many as the level says."""
        if self.starting is not None or len(self.pieces) != level:
            return False
        return not level or not (piece.alone or self.pieces[0].alone)


class RayEngine:
    """Encodes on the nodes of a Ray cluster. They must see the pictures under the same addresses as this machine.

    Attributes:
        inference_precision: the precision in use, the same on all nodes.
        concurrency: how many pictures are in the models at the same time.
    """

    def __init__(self, settings: EngineSettings) -> None:
        """Connect to the cluster, or start one on this machine, and start the first actor.

        Raises:
            MissingExtraError: Ray is not installed.
            UsageError: the address or the device is none for Ray.
            EngineError: the cluster does not answer, has no free core or GPU, or cannot encode under the recipe.
        """
        if settings.device not in ("cpu", "cuda"):
            raise UsageError(f"the engine 'ray' has no device {settings.device!r}; use cpu or cuda")
        self._ray = _library()
        _connect(self._ray, settings.address)
        self._needs = {"num_cpus": 1, "num_gpus": int(settings.device == "cuda")}
        self._settings = replace(settings, cores=1, threads=settings.threads or 1)
        self._losses = 0
        first = self._actor()
        if not self._ray.wait([first.starting], timeout=PATIENCE)[0]:
            raise EngineError(self._no_room())
        try:
            started = self._started(first)
        except _LostError:
            raise EngineError(
                "the first process of the Ray cluster ended while it loaded the model"
            ) from None
        self.inference_precision = started.precision
        # "auto" may mean another precision on another node, and then other vectors.
        self._settings = replace(self._settings, inference_precision=started.precision)
        count = settings.actors or self._room()
        self._actors = [first, *(self._actor() for _ in range(count - 1))]
        self.concurrency = count * started.concurrency

    def encode(self, banners: Iterable[Pending]) -> Generator[Batch, None, None]:
        """Encode banners on all actors.

        Yields:
            the results in any order.

        Raises:
            EngineError: actors end again and again, or none can be started for a while.
        """
        work = Work(banners, PIECE)
        running: dict[Any, tuple[_Actor, Piece]] = {}
        heard = time.monotonic()
        try:
            while True:
                self._hand_out(work, running)
                if not running and work.peek() is None:
                    return
                starting = {one.starting: one for one in self._actors if one.starting is not None}
                done, _ = self._ray.wait([*running, *starting], num_returns=1, timeout=1.0)
                if done or running:
                    heard = time.monotonic()
                elif time.monotonic() - heard > PATIENCE:
                    raise EngineError(self._no_room())
                for reference in done:
                    if reference in starting:
                        self._settle(starting[reference])
                        continue
                    actor, piece = running.pop(reference)
                    try:
                        batch: Batch = self._get(reference)
                    except _LostError:
                        self._replace(actor)
                        if failure := work.lose(piece):
                            yield Batch((), np.empty((0, self._settings.recipe.dim), np.float32), (failure,))
                        continue
                    self._losses = 0
                    actor.pieces.remove(piece)
                    yield batch
        finally:
            for reference, (actor, _) in running.items():
                actor.pieces.clear()
                with suppress(Exception):  # of an actor that is gone
                    self._ray.cancel(reference)

    def _hand_out(self, work: Work, running: dict[Any, tuple[_Actor, Piece]]) -> None:
        """Give each actor what it has room for, the least busy ones first."""
        for level in range(AHEAD):
            for actor in self._actors:
                piece = work.peek()
                if piece is None:
                    return
                if actor.has_room(piece, level):
                    piece = work.take()
                    running[actor.handle.encode.remote(piece.banners)] = actor, piece
                    actor.pieces.append(piece)

    def _actor(self) -> _Actor:
        handle = self._ray.remote(RayWorker).options(**self._needs).remote(self._settings)
        return _Actor(handle, handle.start.remote())

    def _replace(self, actor: _Actor) -> None:
        """Ask for an actor in the place of one that ended, unless that was done already.

        Raises:
            EngineError: actors end, and nothing is encoded.
        """
        if actor not in self._actors:
            return
        self._losses += 1
        if self._losses > LOSSES + len(self._actors):
            raise EngineError(
                "the processes of the Ray cluster end before they have encoded anything; look at the memory of its"
                " nodes, and at Ray's logs there"
            )
        self._actors[self._actors.index(actor)] = self._actor()

    def _settle(self, actor: _Actor) -> None:
        """Take note that an actor has started, or ended before it had."""
        try:
            self._started(actor)
        except _LostError:
            self._replace(actor)

    def _started(self, actor: _Actor) -> Started:
        started: Started = self._get(actor.starting)
        actor.starting = None
        if started.refusal:
            raise EngineError(f"a node of the Ray cluster cannot encode: {started.refusal}")
        if started.version != __version__:
            raise EngineError(
                f"a node of the Ray cluster has steam-dino {started.version}, and this machine"
                f" {__version__}; install the same version on all nodes"
            )
        return started

    def _get(self, reference: Any) -> Any:
        """The result of a call that is done.

        Raises:
            _LostError: the process or the node that had it ended.
        """
        exceptions = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except exceptions.RayTaskError as error:  # an error of our own code, with the traceback of the node
            raise error.as_instanceof_cause() from None
        except exceptions.RayError as error:
            # Ray keeps the error, whose frames would keep this engine and its actors.
            error.__traceback__ = None
            raise _LostError from None

    def _room(self) -> int:
        kind = "GPU" if self._needs["num_gpus"] else "CPU"
        return max(1, int(self._ray.cluster_resources().get(kind, 0)))

    def _no_room(self) -> str:
        kind = "GPU" if self._needs["num_gpus"] else "core"
        return f"the Ray cluster has had no free {kind} for {PATIENCE:.0f} s; see: ray status"


class _LostError(Exception):
    """A process or a node ended, and what it was doing is lost."""


def _library() -> Any:
    # Ray reports how it is used to its makers unless told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # From here on Ray leaves the variables that name GPUs alone, and does not warn that it will.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise MissingExtraError("the engine 'ray'", "ray") from None
    return ray


def _connect(ray: Any, address: str) -> None:
    """Connect to a cluster unless this process has a connection. Ray closes it when the process ends."""
    if ray.is_initialized():
        return
    address = address or os.environ.get("RAY_ADDRESS", "")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say is in the errors, too
            if address:
                _check_port(address)
                ray.init(address, **quiet)
            else:
                ray.init(num_cpus=cores(), include_dashboard=False, **quiet)
    except ValueError as error:
        raise UsageError(
            f"--ray-address is {address!r}; it must be auto, HOST:PORT or ray://HOST:PORT ({_first_line(error)})"
        ) from None
    except (ConnectionError, RuntimeError, OSError) as error:
        where = f"at {address!r}" if address else "on this machine"
        raise EngineError(
            f"no Ray cluster answers {where} ({_first_line(error)}); see: ray status --address HOST:PORT"
        ) from None


def _check_port(address: str) -> None:
    """Knock at a cluster's port: Ray itself tries for two minutes.

    Raises:
        OSError: nobody listens there.
        ValueError: it is no address.
    """
    parts = urlsplit(address if "://" in address else f"//{address}")
    if parts.scheme not in ("", "ray"):
        raise ValueError(f"{parts.scheme}:// is not one of Ray's")
    if address not in ("auto", "local"):
        if not (parts.hostname and parts.port):
            raise ValueError("a host and a port are missing")
        socket.create_connection((parts.hostname, parts.port), timeout=KNOCK).close()


def _first_line(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.strip().partition("\n")[0].rstrip(".")
