"""The index of names of exported pages, asked by the pages' own script in Chromium."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from steamdino.present.export import name_pages
from steamdino.present.export.html_page import script_and_digest
from steamdino.present.export.name_pages import SHOWN, NamePages
from steamdino.present.export.typed_names import fold

Game = tuple[int, str, str, int]
Ask = Callable[[dict[str, str], list[str]], list[list[int]]]

# Few letters, so that many names begin alike; letters that UTF-16 and code points order differently.
WORDS = st.text("abé東\uff21😀", min_size=1, max_size=4)
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
GAMES = st.lists(st.tuples(NAMES, st.integers(0, 5)), min_size=1, max_size=40).map(
    lambda drawn: [(place, name, f"id-{place}", reviews) for place, (name, reviews) in enumerate(drawn)]
)
ASK = """async ([files, texts]) => {
  globalThis.readNames = async (file) => (file in files ? JSON.parse(files[file]) : null);
  const found = [];
  for (const text of texts) found.push((await hits(text)).map((entry) => entry[0]));
  return found;
}"""


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    page.add_script_tag(content=script_and_digest("names.js")[0])
    yield page
    page.close()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("names") / "names.sqlite"


def written(database: Path, games: list[Game], size: int) -> dict[str, str]:
    files: dict[str, str] = {}
    pages = NamePages(database, page=size)
    pages.add(games[: len(games) // 2])
    pages.add(games[len(games) // 2 :])
    pages.write(files.__setitem__)
    return files


def kinds(games: list[Game], text: str) -> tuple[list[int], list[int], list[int]]:
    """What a scan of all names finds: the id, names that begin with it, names with all words; each in its order."""
    wanted = fold(text)
    found: tuple[list[int], list[int], list[int]] = ([], [], [])
    for place, name, key, _ in sorted(games, key=lambda game: (-game[3], game[0])):
        own = fold(name)
        if key.lower() == text.strip().lower():
            found[0].append(place)
        elif own.startswith(wanted):
            found[1].append(place)
        elif all(any(one.startswith(word) for one in own.split(" ")) for word in wanted.split(" ")):
            found[2].append(place)
    return found


@pytest.mark.slow
@pytest.mark.browser
@settings(max_examples=60)
@given(GAMES, st.integers(60, 600))
def test_each_beginning_of_each_word_finds_what_a_scan_of_all_names_finds(
    page: Any, database: Path, games: list[Game], size: int
) -> None:
    words = {word for _, name, _, _ in games for word in fold(name).split(" ")}
    texts = sorted({word[:end] for word in words for end in range(1, len(word) + 1)})
    found = page.evaluate(ASK, [written(database, games, size), texts])
    for text, places in zip(texts, found, strict=True):
        assert places == list(chain(*kinds(games, text)))[:SHOWN], text


@pytest.mark.browser
@settings(max_examples=60)
@given(GAMES, st.integers(60, 600))
def test_names_and_ids_typed_in_whole_come_first(
    page: Any, database: Path, games: list[Game], size: int
) -> None:
    texts = [text for _, name, key, _ in games for text in (name, key)]
    found = page.evaluate(ASK, [written(database, games, size), texts])
    for text, places in zip(texts, found, strict=True):
        own, begins, others = kinds(games, text)
        first = (own + begins)[:SHOWN]
        assert places[: len(first)] == first, text
        assert set(places[len(first) :]) <= set(others), text


@pytest.mark.browser
@settings(max_examples=60)
@given(GAMES, st.data())
def test_several_words_find_what_a_scan_finds_if_one_of_them_is_rare(
    page: Any, database: Path, games: list[Game], data: st.DataObject
) -> None:
    rare = [*games, (len(games), "ab zyx a", "rare", 3), (len(games) + 1, "zyx b", "rarer", 2)]
    typed = f"{data.draw(st.sampled_from('ab'))} {data.draw(st.sampled_from(['z', 'zy', 'zyx']))}"
    (found,) = page.evaluate(ASK, [written(database, rare, 200), [typed]])
    assert found == list(chain(*kinds(rare, typed)))


IDS = """async ([files, ids]) => {
  globalThis.readNames = async (file) => (file in files ? JSON.parse(files[file]) : null);
  return Promise.all(ids.map(placeOf));
}"""


@pytest.mark.browser
@settings(max_examples=40)
@given(st.lists(st.text("abAé東\uff21😀 -", min_size=1, max_size=5), min_size=1, max_size=40, unique=True))
def test_each_id_leads_to_its_place_and_others_to_none(page: Any, database: Path, keys: list[str]) -> None:
    games = [(place, "Same", key, 0) for place, key in enumerate(keys)]
    files = written(database, games, 100)
    others = [key + "x" for key in keys] + ["", "b!"]
    found = page.evaluate(IDS, [files, keys + others])
    assert found == [*range(len(keys)), *[keys.index(key) if key in keys else None for key in others]]


LONG = st.text("abcdé東\U00020000", min_size=4, max_size=10)
TYPOS = st.lists(LONG, min_size=1, max_size=30, unique=True)


def with_a_typo(word: str, data: st.DataObject) -> str:
    """A word with one letter missing, added, replaced, or two swapped."""
    kind = data.draw(st.sampled_from(["missing", "added", "replaced", "swapped"]))
    at = data.draw(st.integers(0, len(word) - (2 if kind == "swapped" else 1)))
    middle = {"missing": "", "added": "q" + word[at], "replaced": "q", "swapped": word[at : at + 2][::-1]}[
        kind
    ]
    return word[:at] + middle + word[at + (2 if kind == "swapped" else 1) :]


@pytest.mark.browser
@settings(max_examples=80)
@given(TYPOS, st.data())
def test_a_word_with_one_typo_finds_the_name_that_has_it(
    page: Any, database: Path, words: list[str], data: st.DataObject
) -> None:
    games = [(place, f"zz {word}", f"{place}", 0) for place, word in enumerate(words)]
    place = data.draw(st.integers(0, len(words) - 1))
    typed = with_a_typo(fold(words[place]), data)
    assume(len(typed) >= name_pages.CORRECTED and not any(kinds(games, typed)))
    wanted = {n for n, word in enumerate(words) if is_typo(typed, fold(word))}
    (found,) = page.evaluate(ASK, [written(database, games, 10_000), [typed]])
    if len(wanted) > 4:  # so many words are tried, those first that differ by one letter
        assert len(set(found) & wanted) == 4
    else:
        assert set(found) >= wanted


def is_typo(one: str, other: str) -> bool:
    """Whether texts differ by one letter or a swap, by trying all of them."""
    swaps = {one[:n] + one[n + 1] + one[n] + one[n + 2 :] for n in range(len(one) - 1)}
    letters = {*one, *other}
    replaced = {one[:n] + letter + one[n + 1 :] for n in range(len(one)) for letter in letters}
    added = {one[:n] + letter + one[n:] for n in range(len(one) + 1) for letter in letters}
    removed = {one[:n] + one[n + 1 :] for n in range(len(one))}
    return other in swaps | replaced | added | removed and one != other


@pytest.mark.browser
@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("machinarum", "Machinarium"),
        ("mahcinarium", "Machinarium"),
        ("machinariumm", "Machinarium"),
        ("wicther hunt", "The Witcher 3: Wild Hunt"),
        ("witcher wlid", "The Witcher 3: Wild Hunt"),
        ("the wicther 3 wlid hunt", "The Witcher 3: Wild Hunt"),
        ("machon", "Machinarium"),  # not typed to its end
        ("xyzzy", None),
        ("cat", None),  # too short to guess
    ],
)
def test_names_are_found_despite_typos(page: Any, database: Path, typed: str, name: str | None) -> None:
    names = ["Machinarium", "The Witcher 3: Wild Hunt", "Car", *(f"Game {n}" for n in range(500))]
    games = [(place, one, f"{10 * place}", 0) for place, one in enumerate(names)]
    (found,) = page.evaluate(ASK, [written(database, games, 500), [typed]])
    assert [names[place] for place in found] == ([name] if name else [])


@given(GAMES, st.integers(60, 600))
def test_no_page_is_larger_than_asked_for_and_each_name_is_on_one(
    database: Path, games: list[Game], size: int
) -> None:
    files = written(database, games, size)
    for place, content in files.items():
        if place.startswith("pages/"):
            assert len(content.encode()) <= size or len(json.loads(content)) == 1
    listed = {entry[0] for place in files if place.startswith("pages/") for entry in json.loads(files[place])}
    assert listed == set(range(len(games)))


def test_many_equal_names_fill_pages_of_the_same_size(database: Path) -> None:
    files = written(database, [(n, "Demo", f"{n}", n) for n in range(3000)], name_pages.PAGE)
    assert max(len(content.encode()) for content in files.values()) <= name_pages.PAGE
    best = [entry for place in files if place.startswith("best/") for entry in json.loads(files[place])]
    shown = {prefix: [entry[0] for entry in entries] for prefix, entries in best}
    assert shown["demo"] == list(range(2999, 2989, -1))


def test_no_folder_has_more_files_than_allowed(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_pages, "FOLDER", 3)
    files = written(database, [(n, f"Game {n}", f"{n}", n) for n in range(200)], 300)
    folders = Counter(place.rpartition("/")[0] for place in files)
    assert len(files) > 20
    assert max(folders.values()) == 3


def test_the_script_has_the_same_numbers() -> None:
    script, _ = script_and_digest("names.js")
    for name in ("FEW_PAGES", "SHOWN", "LONGEST", "FOLDER", "CORRECTED"):
        (number,) = re.findall(rf"^const {name} = (\d+);$", script, re.MULTILINE)
        assert int(number) == getattr(name_pages, name), name


@pytest.mark.browser
@settings(max_examples=20)
@given(st.lists(st.text(max_size=12), min_size=20, max_size=60))
def test_the_script_folds_names_in_the_same_way(page: Any, names: list[str]) -> None:
    # A browser may know a newer Unicode than Python does.
    known = [name for name in names if all(unicodedata.category(c) != "Cn" for c in name)]
    assume(known)
    assert page.evaluate("(names) => names.map(fold)", known) == list(map(fold, known))


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Pokémon™: Éclair—2", "pokemon eclair 2"),
        ("Baldur’s Gate", "baldurs gate"),
        ("STRAẞE Straße", "strasse strasse"),
        ("ＡＢＣ 東京", "abc 東京"),
        ("เกมที่ดี", "เกมทด"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
        ("!!!", "!!!"),
        ("", ""),
    ],
)
def test_names_are_folded(name: str, folded: str) -> None:
    assert fold(name) == folded
