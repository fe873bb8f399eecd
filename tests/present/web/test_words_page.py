"""Words, where a recipe knows them: a tiny CLIP with made-up weights in place of the real one."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fakes.clip import CORPUS, gallery_of_words
from steamdino import Snapshot


@pytest.mark.slow
def test_a_sentence_finds_banners_in_the_api_and_on_the_page(
    tmp_path: Path, paint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Any]
) -> None:
    pytest.importorskip("torch", reason="the tiny model is PyTorch's")
    gallery_of_words(tmp_path, paint, monkeypatch)

    expected = Snapshot.open(tmp_path / "g", words=True).text(CORPUS[0], 5)
    running = serve(tmp_path / "g")
    client = running.client
    found = client.get("/api/v1/text", params={"q": CORPUS[0], "k": 5}).json()
    assert [match["id"] for match in found["matches"]] == expected.ids
    assert found["query"]["kind"] == "words"
    for name, least in (
        ("min_similarity", expected[2].similarity),
        ("min_percentile", expected[2].percentile),
    ):
        asked = {"q": CORPUS[0], "k": 5, name: least}
        kept = client.get("/api/v1/text", params=asked).json()["matches"]
        assert [match["id"] for match in kept] == expected.ids[:3]
        assert client.get("/text", params=asked).text.count('class="go"') == 3
    assert client.get("/api/v1/info").json()["recipes"][0]["words"] is True
    page = client.get("/text", params={"q": CORPUS[0]}, headers={"accept": "text/html"})
    linked = re.findall(r'href="/games/(\w+)["?]', page.text)
    assert set(linked) >= set(expected.ids)
    assert linked[0] == expected.ids[0]
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
