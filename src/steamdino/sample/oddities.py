"""Odd games that every store has: copies, reskins, strange files, missing banners and hostile names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Odd:
    """One odd game; `source` names the game whose picture it copies, else `theme` says what is drawn."""

    name: str
    defect: str
    source: str = ""
    theme: str = ""
    suffix: str = ".jpg"
    variant: str = ""


ODD: tuple[Odd, ...] = (
    Odd("Starwake Demo", "exact", "Starwake"),
    Odd("Ember Hollow Soundtrack", "exact", "Ember Hollow"),
    Odd("Stormkeep Playtest", "exact", "Stormkeep"),
    Odd("Jamberry Supporter Pack", "exact", "Jamberry"),
    Odd("Pelagia Prologue", "reencoded", "Pelagia"),
    Odd("Dune Pilgrim Demo", "reencoded", "Dune Pilgrim"),
    Odd("Rainproof Artbook", "reencoded", "Rainproof"),
    Odd("Blip Kingdom Classic", "reencoded", "Blip Kingdom"),
    Odd("Foxlight Tale", "reskin", "A Fox for Ilse"),
    Odd("Turbo Orchard", "reskin", "Turbo Petal"),
    Odd("Moonkeep Saga", "reskin", "Gryphonmoor"),
    Odd("Polyhedra", "reskin", "Isometra"),
    Odd("Arctic Postman", "reskin", "Borealis Mail"),
    Odd("Duelist of Spring", "reskin", "Nine Cuts"),
    Odd("Gravel Kings Mirror Cup", "mirrored", "Gravel Kings"),
    Odd("Longneck Left to Right", "mirrored", "Little Longneck"),
    Odd("Khepra Reversed", "mirrored", "Khepra"),
    Odd("Unlit Monochrome", "greyscale", "Unlit"),
    Odd("Kazemori Ink Edition", "greyscale", "Kazemori"),
    Odd("Old Film Street", "greyscale", theme="neon"),
    Odd("Printworks Valley", "cmyk", theme="farm"),
    Odd("Gilded Deck Press Kit", "cmyk", "The Gilded Deck"),
    Odd("Placeholder North", "blank", theme="space", variant="black"),
    Odd("Nothing Here Yet", "blank", theme="horror", variant="black"),
    Odd("Untitled Winter Project", "blank", theme="snow", variant="white"),
    Odd("Coming Later", "blank", theme="puzzle", variant="white"),
    Odd("Grand Zeppelin Deluxe", "large", theme="clockwork"),
    Odd("Frostline Remastered", "large", "Frostline"),
    Odd("Wide Mesa", "horizontal", theme="desert"),
    Odd("Panorama Reef", "horizontal", theme="ocean"),
    Odd("Half a Download", "broken", theme="castle", variant="truncated"),
    Odd("Not Found", "broken", theme="cards", variant="html"),
    Odd("Ghost Listing", "missing", theme="horror"),
    Odd("Glass Acorn", "alpha", theme="forest", suffix=".png"),
    Odd("Sixteen Colours", "palette", theme="pixel", suffix=".png"),
    Odd("Sideways Samurai", "rotated", theme="samurai"),
)

_LONG = (
    "The Extraordinarily Long and Entirely Truthful Chronicle of the Wandering Clockmaker Who Lost Nine Keys, "
    "Found Eight Doors, Befriended Seven Foxes, and Never Once Arrived on Time for Supper"
)

# Each name, its invented id, and what the banner says: Pillow's own font knows no emoji, Hebrew or accents.
HOSTILE: tuple[tuple[str, str, str], ...] = (
    ('<script>alert("x")</script>', "hostile-script", "Script Alert"),
    ("🦕🔥🎮", "hostile-emoji", "Dino Fire Play"),
    ("שועל הירח", "hostile-hebrew", "Moon Fox"),
    ("مدينة الرمال", "hostile-arabic", "City of Sand"),
    (f"{_LONG:.<200}", "hostile-long", "The Long Chronicle"),
    ("=1+1", "hostile-formula", "=1+1"),
    ("@SUM(A1)", "hostile-sum", "@SUM(A1)"),
    ('The "Quoted" Ones, Vol. 2', "hostile-quotes", 'The "Quoted" Ones, Vol. 2'),
    ("Tab\tKeeper", "hostile-tab", "Tab Keeper"),
    ("1984", "numbers-station-84", "1984"),
    ("7", "seven-alone", "7"),
    ("-12°: Below", "minus-twelve-below", "Minus Twelve: Below"),
    ("../../etc/passwd", "hostile-path", "Etc Passwd"),
    ("Crème Brûlée & Söhne", "creme-brulee-und-soehne", "Creme Brulee & Sohne"),
)
