"""In which countries `sync` requests a game's details, and in which order: a game may be hidden in some of them."""

from __future__ import annotations

from collections.abc import Sequence

from steamdino.gallery.steam_apps import SteamApps

TURNS, ASKED = "turns", "countries"
"""Keys of the state: the countries that turns count, and those in which hidden games were requested."""


class Countries:
    """The countries of a run. The number of a turn, from 1, is stored with each app whose details are due."""

    def __init__(self, apps: SteamApps, codes: Sequence[str]) -> None:
        """Keep the codes, the main country first."""
        self._apps = apps
        self.codes = list(codes)

    def begin(self, *, whole: bool) -> None:
        """Adapt what is due to the countries of this run. Call it inside `Gallery.transaction`.

        Args:
            whole: whether the run is about all games. Hidden ones are then requested in countries that are new.
        """
        if self._apps.state(TURNS) != self.codes:
            self._apps.restart_turns()  # an interrupted run counted other countries
            self._apps.put_state(TURNS, self.codes)
        if whole:
            asked = self._apps.state(ASKED) or self.codes[:1]
            if new := [turn for turn, code in enumerate(self.codes, 1) if code not in asked]:
                self._apps.make_hidden_due(new[0])
            self._apps.put_state(ASKED, self.codes)

    @property
    def turns(self) -> range:
        """Return the numbers of all turns."""
        return range(1, len(self.codes) + 1)

    def after(self, turn: int) -> int:
        """Return the turn after a turn; 0 after the last one."""
        return (turn + 1) % (len(self.codes) + 1)

    def at(self, turn: int, appids: Sequence[int]) -> dict[str, list[int]]:
        """Return the apps by the country whose turn it is.

        The first turn is always the main country's, since its prices count. The second is that of the country which
        had the game before, so that the others need not be asked each time.
        """
        remembered = self._apps.countries(appids) if turn > 1 else {}
        asked: dict[str, list[int]] = {}
        for appid in appids:
            asked.setdefault(in_turn(self.codes, remembered.get(appid))[turn - 1], []).append(appid)
        return asked


def in_turn(codes: Sequence[str], remembered: str | None) -> list[str]:
    """Return the order of the countries: the main one, the one that had the game before, the others as given."""
    main, *others = codes
    return [main, *sorted(others, key=lambda code: code != remembered)]
