"""The ids of matches as steam-DINO's family publishes them; see `legacy_export`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from steamdino.present.export.writers.writer import Context, Writer

if TYPE_CHECKING:
    from steamdino.present.export.answer import Answer


class LegacyJson(Writer):
    """Writes one JSON object: {"id": [id, ...]}."""

    name = "legacy-json"
    suffix = ".json"
    command = "json"
    k = 9
    help = """Write the ids of matches as one JSON object: {"id": [id, ...]}.

    This is the format that the steam-DINO projects publish (similar_to_top_100.*.json): each list begins with the game
    itself, so 9 matches make ten ids. Ids are numbers if all of the gallery's are. `similar` calls
    this format `legacy-json`; its `json` also has names, similarities and pictures.

    **Examples**

        steam-dino export json --top100 -o similar_to_top_100.json

        steam-dino export json --all -k 100 -o matches.json
    """

    def write(self, answers: Iterable[Answer], file: IO[str], context: Context) -> None:
        """Write the object.

        Raises:
            UsageError: a query is no game, so that it has no id.
        """
        from steamdino.present.export.legacy_export import are_numbers, similar_json

        lists = ((key := _id(answer), [key, *(game.id for game in answer.games)]) for answer in answers)
        file.write(similar_json(lists, numbers=are_numbers(context.snapshot.ids)))


def _id(answer: Answer) -> str:
    if answer.query.game is None:
        from steamdino.errors import UsageError

        raise UsageError(
            f"{answer.query.text!r} is not a game, so it has no id; use another format, such as json"
        )
    return answer.query.game.id
