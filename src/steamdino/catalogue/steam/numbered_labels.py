"""Read the labels of Steam's numbered tags and categories. Each number has a label of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from steamdino.catalogue.steam.reply_fields import rows, sequence, text, whole


def tag_labels(response: Mapping[str, Any]) -> dict[int, str]:
    """Parse IStoreService/GetTagList: the label of each tag."""
    return _distinct(_read(response, "tags", "tagid", "name"), {})


def category_labels(response: Mapping[str, Any]) -> dict[int, str]:
    """Parse IStoreBrowseService/GetStoreCategories: the label of each category.

    A label that Steam has not translated, such as "#category_contrast_controls", is replaced by the internal name.
    """
    internal = _read(response, "categories", "categoryid", "internal_name")
    shown = _read(response, "categories", "categoryid", "display_name")
    labels = {
        number: internal.get(number, label) if label.startswith("#") else label
        for number, label in shown.items()
    }
    return _distinct(labels, internal)


def labels_of(numbers: Any, known: Mapping[int, str]) -> list[str]:
    """Return the labels of a list of numbers, each once; a number without a label becomes its digits."""
    found = dict.fromkeys(number for one in sequence(numbers) if (number := whole(one)) is not None)
    return [known.get(number, str(number)) for number in found]


def _read(response: Mapping[str, Any], table: str, key: str, name: str) -> dict[int, str]:
    found = ((whole(row.get(key)), text(row.get(name))) for row in rows(response, table))
    return {number: label for number, label in found if number is not None and label}


def _distinct(labels: Mapping[int, str], internal: Mapping[int, str]) -> dict[int, str]:
    """Add the internal name to labels that several numbers share, and the number where that does not suffice."""
    repeated = _repeated(labels)
    made = {
        number: f"{label} ({internal[number]})"
        if label in repeated and internal.get(number, label) != label
        else label
        for number, label in labels.items()
    }
    # Ends, because labels that end with their own number differ.
    while repeated := _repeated(made):
        made = {
            number: f"{label} ({number})" if label in repeated else label for number, label in made.items()
        }
    return made


def _repeated(labels: Mapping[int, str]) -> set[str]:
    return {label for label, count in Counter(labels.values()).items() if count > 1}
