"""Completion on the command line: what a shell asks for while a command is being typed, and the answer.

::

    commands.json   the commands with their options, and what kind of value each takes; `describe` makes it
    describe.py     reads them from the Typer app
    place.py        finds out which of them the last word of a line belongs to
    values.py       ids and names of games, tags, recipes and models
    bash_words.py   splits bash's line and quotes for it; the other shells do both themselves
    answer.py       answers one request
    scripts/        what the shells load

Typer can complete as well, but it has to import all commands first, which takes as long as a person notices. None of
these modules but `describe` imports Typer, NumPy or a command.
"""

from __future__ import annotations
