"""Asks a server over the fictional store one request of each operation of the API, for the document's examples.

    python docs/api_examples.py

It writes `src/steamdino/present/web/api_examples.json`. A test fails when the answers have another form by now.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TARGET = Path(__file__).parents[1] / "src/steamdino/present/web/api_examples.json"
PICTURE = "my-draft.png"
REQUESTS = {
    "serverInfo": ("/api/v1/info", {}),
    "findGames": ("/api/v1/games?q=neo&k=2", {}),
    "randomGame": ("/api/v1/games/random?tag=noir", {}),
    "getGame": ("/api/v1/games/neonoir", {"game_id": "neonoir"}),
    "similarGames": ("/api/v1/games/neonoir/similar?k=2&min_similarity=0.5", {"game_id": "neonoir"}),
    "similarToPicture": ("/api/v1/similar?k=2", {}),
    "similarToAddress": ("/api/v1/similar?url=https://pictures.example/cover.jpg&k=2", {}),
    "gamesMatchingWords": ("/api/v1/text?q=a red dragon&k=2", {}),
    "uniqueGames": ("/api/v1/unique?k=2", {}),
    "duplicateBanners": ("/api/v1/duplicates?k=2", {}),
    "explainMatch": ("/api/v1/explain?a=neonoir&b=hollow-avenue", {}),
    "auditDraft": ("/api/v1/audit?k=2&tag=noir", {}),
    "listChanges": ("/api/v1/changes?since=2000-01-01&until=2100-01-01&k=2", {}),
    "getBanner": ("/banners/300/neonoir", {"width": 300, "game_id": "neonoir"}),
    "legacyIndex": ("/index?index=3", {}),
    "legacyId": ("/id?index=3", {}),
    "legacyName": ("/name?index=3", {}),
    "legacyApp": ("/app?index=3", {}),
    "legacyMatches": ("/matches?index=3&n=3", {}),
    "legacySimilarApps": ("/similar_apps?index=3&n=2", {}),
    "legacyIndexFromId": ("/index_from_id?id=neonoir", {}),
    "legacyNameFromId": ("/name_from_id?id=neonoir", {}),
    "legacyAppFromId": ("/app_from_id?id=neonoir", {}),
    "legacySimilarAppsFromId": ("/similar_apps_from_id?id=neonoir&n=2", {}),
    "legacyIndexFromName": ("/index_from_name?name=Neonoir", {}),
    "legacyIdFromName": ("/id_from_name?name=Neonoir", {}),
    "legacyAppFromName": ("/app_from_name?name=Neonoir", {}),
    "legacySimilarAppsFromName": ("/similar_apps_from_name?name=Neonoir&n=2", {}),
}
"""The address of each request, and the values of its path."""
NOT_HERE = ("gamesMatchingWords", "getBanner")
"""Operations without an answer to show: a model that knows words is not part of the store, and a banner is no JSON."""
UPLOADS = ("similarToPicture", "auditDraft")
SHOWN = 3
"""Entries of a long list that an example shows."""
VOLATILE = re.compile(r"(?<=v=)[0-9a-f]{12}")


def recorded(gallery: Path) -> dict[str, Any]:
    """Return the example of each operation, as `openapi_document` reads them.

    Args:
        gallery: of the fictional store.
    """
    return asyncio.run(_recorded(gallery))


async def _recorded(gallery: Path) -> dict[str, Any]:
    import httpx2 as httpx
    from PIL import Image

    from steamdino import Snapshot
    from steamdino.present.web.app import create_app
    from steamdino.settings import Settings, WebSettings

    picture = Snapshot.open(gallery).game("neonoir").picture
    if picture is None:
        raise SystemExit(f"{gallery} is no gallery of the fictional store")
    file = io.BytesIO()
    with Image.open(picture) as image:
        image.crop((20, 30, 280, 420)).save(file, "PNG")
    app = create_app(
        Settings(gallery=gallery), WebSettings(requests_per_minute=0), fetch=lambda _: file.getvalue()
    )
    found = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://example") as client:
        for name, (address, path) in REQUESTS.items():
            query: dict[str, Any] = {}
            for key, value in parse_qsl(urlsplit(address).query):
                query[key] = [value] if key == "tag" else int(value) if value.isdecimal() else value
            found[name] = {"address": address, "path": path, "query": query, "upload": name in UPLOADS}
            if name in NOT_HERE:
                continue
            files = {"files": {"picture": (PICTURE, file.getvalue())}} if name in UPLOADS else {}
            response = await client.request("POST" if files else "GET", address, **files)  # type: ignore[arg-type]
            if response.status_code != 200:
                raise SystemExit(f"{address}: {response.status_code} {response.text}")
            found[name]["answer"] = json.loads(
                VOLATILE.sub("0123456789ab", json.dumps(_short(response.json())))
            )
    return found


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    return [_short(one) for one in value[:SHOWN]] if isinstance(value, list) else value


if __name__ == "__main__":
    import steamdino
    from steamdino.sample import draw_store

    with tempfile.TemporaryDirectory() as folder:
        draw_store(Path(folder) / "store")
        steamdino.add(Path(folder) / "gallery", Path(folder) / "store" / "catalogue.csv")
        steamdino.build(Path(folder) / "gallery")
        examples = recorded(Path(folder) / "gallery")
    TARGET.write_text(json.dumps(examples, ensure_ascii=False, indent=1) + "\n", "utf-8")
