"""Where the command `steam-dino` starts: completions are answered at once, everything else goes to `main`."""

from __future__ import annotations

import sys
from typing import NoReturn

from steamdino.present.cli.completion.answer import REQUEST, answer


def run() -> NoReturn:
    """Run the command line and exit."""
    if sys.argv[1:2] == [REQUEST]:
        answer(sys.argv[2:])
        sys.exit()
    from steamdino.present.cli import main

    main.run()
