"""Uses every operation of the client that was generated into the current folder, and prints their names.

    python use_client.py ADDRESS WORDS_ADDRESS PICTURE SHA256

It runs in the generator's own environment, so it imports nothing of steam-dino.
"""

import io
import json
import re
import sys
from pathlib import Path

from client import Client, models
from client.api.analysis import audit_draft, explain_match
from client.api.banners import get_banner, get_earlier_banner
from client.api.games import find_games, get_game, random_game, server_info
from client.api.legacy import (
    legacy_app,
    legacy_app_from_id,
    legacy_app_from_name,
    legacy_id,
    legacy_id_from_name,
    legacy_index,
    legacy_index_from_id,
    legacy_index_from_name,
    legacy_matches,
    legacy_name,
    legacy_name_from_id,
    legacy_similar_apps,
    legacy_similar_apps_from_id,
    legacy_similar_apps_from_name,
)
from client.api.lists import changes_feed, duplicate_banners, list_changes, unique_games
from client.api.matches import games_matching_words, similar_games, similar_to_address, similar_to_picture
from client.api.service import health, metrics, readiness, robots
from client.types import File

ADDRESS, WORDS, PICTURE, SHA256 = sys.argv[1:]
QUERY = "neonoir"
client = Client(base_url=ADDRESS, timeout=60)
used = []


def good(operation, *arguments, at=client, **options):
    """Calls an operation and returns what the client made of its answer, which must be a 200."""
    name = operation.__name__.rpartition(".")[2]
    response = operation.sync_detailed(*arguments, client=at, **options)
    assert response.status_code == 200, (name, response)
    assert response.parsed is not None, name
    assert not isinstance(response.parsed, models.Problem), name
    used.append(re.sub("_(.)", lambda found: found[1].upper(), name))
    return response.parsed


def refused(operation, *arguments, status, kind, **options):
    """Calls an operation that must be answered with a problem of a kind."""
    response = operation.sync_detailed(*arguments, client=client, **options)
    assert response.status_code == status, response
    assert isinstance(response.parsed, models.Problem), response
    assert response.parsed.type_ == f"urn:problem-type:steam-dino:{kind}", response.parsed
    assert response.parsed.status == status and response.parsed.detail


def upload(data=None):
    """A picture as the client sends it."""
    return File(io.BytesIO(data or Path(PICTURE).read_bytes()), "draft.png", "image/png")


info = good(server_info)
assert info.games > 400 and info.recipes[0].edition
assert good(find_games, q="neo", k=3).games[0].id == QUERY
assert good(random_game, tag=["noir"]).id
assert good(get_game, QUERY).name == "Neonoir"

first = good(similar_games, QUERY, k=5, min_similarity=0.2)
assert first.query.game.id == QUERY and len(first.matches) == 5
second = good(similar_games, QUERY, k=5, min_similarity=0.2, offset=5, edition=first.edition)
assert [match.rank for match in (*first.matches, *second.matches)] == list(range(1, 11))
assert f"edition={first.edition}" in first.next_
found = good(similar_to_picture, body=models.SimilarToPictureBody(upload()), k=1)
assert found.matches[0].id == QUERY and found.query.kind == models.QueryKind.PICTURE
assert good(similar_to_address, url_query="http://pictures.example/x.png", k=1).matches[0].id == QUERY
if WORDS == ADDRESS:  # no model that knows words is there
    refused(games_matching_words, q="a cat", status=400, kind="invalid-recipe")
    used.append("gamesMatchingWords")
else:
    worded = good(games_matching_words, q="a cat", k=2, at=Client(base_url=WORDS, timeout=60))
    assert len(worded.matches) == 2 and worded.query.kind == models.QueryKind.WORDS

assert good(unique_games, k=2).games[0].closest.similarity < 1
near = good(duplicate_banners, k=2, tier=models.DuplicateBannersTierType0.NEAR).groups
assert {group.tier for group in near} == {models.GroupTier.NEAR} and near[0].games[0].width > 0
assert good(list_changes, since="2000-01-01").imports[0].games > 400
assert "<feed" in good(changes_feed)
why = good(explain_match, a=QUERY, b="hollow-avenue")
assert abs(sum(why.pictures[0].regions.additional_properties.values()) - why.similarity) < 1e-3
audit = good(audit_draft, body=models.AuditDraftBody(upload()), tag=["Horror"])
assert audit.taken and [one.tag for one in audit.standings] == [None, "Horror"]
assert audit.why.pairs[0].first[0] >= 0

for operation, arguments in ((get_banner, (150, QUERY)), (get_earlier_banner, (150, SHA256))):
    assert good(operation, *arguments).payload.read(2) == b"\xff\xd8"
assert "Disallow" in good(robots)
assert good(health) == "ok\n" and good(readiness) == "ready\n"
assert "steamdino_requests_total" in good(metrics)

index = good(legacy_index_from_id, id=QUERY)
assert good(legacy_index, index=index) == str(index)
assert good(legacy_id, index=index) == good(legacy_id_from_name, name="Neonoir") == QUERY
assert good(legacy_index_from_name, name="Neonoir") == index
assert good(legacy_name, index=index) == good(legacy_name_from_id, id=QUERY) == "Neonoir"
for operation, options in (
    (legacy_app, {"index": index}),
    (legacy_app_from_id, {"id": QUERY}),
    (legacy_app_from_name, {"name": "Neonoir"}),
):
    assert good(operation, **options).index == index
assert good(legacy_matches, index=index, n=3)[0] == index
for operation, options in (
    (legacy_similar_apps, {"index": index}),
    (legacy_similar_apps_from_id, {"id": QUERY}),
    (legacy_similar_apps_from_name, {"name": "Neonoir"}),
):
    assert len(good(operation, **options, n=3)) == 3

refused(get_game, "no-such-game", status=404, kind="not-found")
refused(similar_games, QUERY, released="soon", status=400, kind="invalid-request")
refused(similar_games, QUERY, k=0, status=422, kind="invalid-parameter")
refused(find_games, edition="0123456789abcdef", status=410, kind="edition-gone")
no_picture = models.SimilarToPictureBody(upload(b"no picture"))
refused(similar_to_picture, body=no_picture, status=422, kind="unreadable-picture")
print(json.dumps(used))
