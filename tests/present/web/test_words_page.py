"""Words, where a recipe knows them: a tiny CLIP with made-up weights in place of the real one."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.clip import CORPUS, DIM, make
from steamdino import Snapshot
from steamdino.features import model_files
from steamdino.features.model_registry import models
from steamdino.pipeline import add, build


def test_a_sentence_finds_banners_in_the_api_and_on_the_page(
    tmp_path: Path, paint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Any]
) -> None:
    pytest.importorskip("torch", reason="the tiny model is PyTorch's")
    monkeypatch.setenv("STEAMDINO_CACHE", str(tmp_path / "cache"))
    model = replace(models()["clip-vitb32"], dim=DIM)
    monkeypatch.setitem(models(), model.name, model)
    made = make(tmp_path)
    folder = model_files.working_folder(model)
    for name in ("model.onnx", "text.onnx", "tokenizer.json"):
        shutil.copy(made.folder / name, folder / name)
    model_files.keep(model, folder, origin={"test": True})
    for n in range(12):
        paint(tmp_path / f"covers/{n:02}.png", n)
    add(tmp_path / "g", tmp_path / "covers")
    build(tmp_path / "g", "clip")

    expected = Snapshot.open(tmp_path / "g", words=True).text(CORPUS[0], 5)
    running = serve(tmp_path / "g")
    client = running.client
    found = client.get("/api/v1/text", params={"q": CORPUS[0], "k": 5}).json()
    assert [match["id"] for match in found["matches"]] == expected.ids
    assert found["query"]["kind"] == "words"
    assert client.get("/api/v1/info").json()["recipes"][0]["words"] is True
    page = client.get("/text", params={"q": CORPUS[0]}, headers={"accept": "text/html"})
    places = [page.text.find(f">{match.name}</span>") for match in expected]
    assert -1 not in places and places == sorted(places)
    # The search box leads there, whatever was typed.
    search = client.get("/", params={"q": CORPUS[0]}, headers={"accept": "text/html"})
    assert "/text?q=a%20red%20dragon" in search.text

    # One sentence at a time, outside the event loop, as for pictures.
    entered, released, inside = threading.Event(), threading.Event(), []
    snapshot = running.app.state.served.edition().snapshot
    encoder = snapshot._encoder._sentences

    def stalled(sentence: str) -> Any:
        inside.append(sentence)
        entered.set()
        assert released.wait(60)
        return encoder(sentence)

    snapshot._encoder._sentences = stalled
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(client.get, f"{path}?q=a+cat") for path in ("/api/v1/text", "/text", "/text")]
        assert entered.wait(30)
        assert client.get("/healthz", timeout=5).text == "ok\n"
        assert client.get("/api/v1/games/03/similar", timeout=5).status_code == 200
        assert (len(inside), any(one.done() for one in asked)) == (1, False)
        released.set()
        assert [one.result(60).status_code for one in asked] == [200] * 3
