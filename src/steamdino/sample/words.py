"""The words that the invented titles are made of, theme by theme."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """A theme's vocabulary."""

    franchises: tuple[str, ...]
    subtitles: tuple[str, ...]
    coined: tuple[str, ...]  # whole titles
    heads: tuple[str, ...]  # a head and a tail make a title
    tails: tuple[str, ...]


def _words(franchises: str, subtitles: str, coined: str, heads: str, tails: str) -> Words:
    def parts(text: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in text.split(","))

    return Words(parts(franchises), parts(subtitles), parts(coined), parts(heads), parts(tails))


WORDS: dict[str, Words] = {
    "space": _words(
        "Quiet Orbit, Perihel, The Long Vacuum, Halcyon Drift",
        "Dark Side, Afterglow, Last Signal, Second Sun, Cold Light, Return Window",
        "Starwake, Apogeal, Voidharbor, A Map of Small Moons, Nine Suns of Orrel, Letters From Tethra",
        "Pale, Silent, Drifting, Solar, Outer, Hollow, Eighth, Carbon, Lonely, Borrowed",
        "Meridian, Comet, Ring, Station, Parsec, Nebula, Horizon, Colony, Eclipse, Beacon",
    ),
    "forest": _words(
        "Ember Hollow, Mosswick, The Antler King, Fernlight",
        "Ashes, Rootsong, Second Bloom, Deepwood, Winter Leaves, The Old Path",
        "Thornmere, Understory Blue, A Fox for Ilse, Whisperbark, Lanternwood Road, The Acorn Parliament",
        "Amber, Wandering, Hidden, Tangled, Emerald, Mossy, Sleeping, Gentle, Gilded, Crooked",
        "Glade, Thicket, Grove, Canopy, Briar, Hollows, Pinewood, Oak, Trail, Bramble",
    ),
    "racing": _words(
        "Redline Mirage, Turbo Petal, Apex Coast, Gravel Kings",
        "Night Shift, Overdrive, Coastline, Full Throttle, Rally Year, Last Lap",
        "Slipstreamer, Tarmac Opera, Drift Letters, Nitro Orchard, Pole by Morning, Hairpin Season",
        "Velvet, Chrome, Burning, Midnight, Roaring, Neon, Rapid, Golden, Thunder, Sunset",
        "Asphalt, Circuit, Piston, Chicane, Motorway, Gearbox, Sprint, Paddock, Grid, Speedway",
    ),
    "pixel": _words(
        "Blip Kingdom, Coin Goblin, Tiny Tower Guard, Bit Beetle",
        "Extra Lives, Bonus World, Glitch Season, Insert Coin, Boss Rush, Lost Levels",
        "Sprout Squad, Eightbitter, Jellyjump, Cubit Quest, Slime and Order, Button Masher Inn",
        "Turbo, Tiny, Mega, Bouncy, Super, Pocket, Grumpy, Arcade, Jumpy, Brave",
        "Blob, Dungeon, Cartridge, Gremlin, Wizard, Invaders, Bat, Turnip, Pixelton, Ghost",
    ),
    "horror": _words(
        "The Pale Tenant, Grave Whisper, Unlit, Mother of Moths",
        "The Cellar, Last Breath, Vigil, Open Door, Nightmouth, Thirteen Steps",
        "Hushfall, Nobody Sleeps in Varn, It Counts Backwards, Teethlight, The Ninth Guest, Wither Street",
        "Rotten, Hollow, Buried, Crimson, Faceless, Weeping, Starving, Silent, Black, Withered",
        "Nursery, Confession, Asylum, Lullaby, Orchard, Chapel, Visitor, Stairwell, Parish, Mirror",
    ),
    "cards": _words(
        "Ace of Embers, The Gilded Deck, House of Suits, Fortune Wright",
        "High Stakes, Wild Hand, Royal Cut, New Deal, Double Down, The Last Trick",
        "Shufflesmith, Tarotide, Trump and Treason, Four Queens Waiting, Joker in Exile, Bluffborough",
        "Lucky, Painted, Marked, Royal, Crooked, Silver, Arcane, Folded, Velvet, Hidden",
        "Gambit, Ace, Dealer, Arcana, Wager, Tableau, Croupier, Hand, Knave, Spade",
    ),
    "ocean": _words(
        "Iron Tide, Below Azure, Saltwind, The Last Whale Song",
        "Undertow, Deep Bloom, Storm Season, Coral Crown, High Water, Trench",
        "Pelagia, Brinewalker, Lighthouse Nine, Kelpforest Radio, A Harbour Called Mercy, Fathomless Blue",
        "Sunken, Drowned, Coral, Rolling, Azure, Silver, Restless, Briny, Northern, Tidal",
        "Reef, Abyss, Current, Lagoon, Mariner, Shoal, Anchor, Voyage, Leviathan, Strait",
    ),
    "desert": _words(
        "Dune Pilgrim, Sunscar, Mirage Trail, Bones of Azhur",
        "Scorched, Oasis, Red Wind, Buried Kings, Noon, Dust Road",
        "Sandglass Nomads, Caravan of Seven, Cactus Sheriff, Khepra, Drywater, The Thirst of Ozmar",
        "Burning, Copper, Shifting, Endless, Amber, Lost, Blazing, Rattlesnake, Crimson, Parched",
        "Canyon, Caravan, Mesa, Wastes, Oasis, Scorpion, Frontier, Sands, Ruins, Outpost",
    ),
    "neon": _words(
        "Rainproof, Chrome Detective, Vesper District, Kilowatt Hearts",
        "Blackout, Second Case, Static, Downtown, Low Voltage, After Hours",
        "Neonoir, Umbrella Protocol, Synthetic Alibi, The Noodle Bar at Tier Six, Afterrain, Wirewalker",
        "Electric, Wet, Ultraviolet, Hollow, Midnight, Analog, Broken, Violet, Static, Silent",
        "Alley, Skyline, Avenue, Informant, Signal, Precinct, Circuitry, Boulevard, Android, Arcology",
    ),
    "castle": _words(
        "Crown of Thistles, Stormkeep, The Ninth Sword, Wyrmgard",
        "Siege, Oathbreaker, Heirs, Dragonfall, Rise of Ravens, Broken Crown",
        "Keepwarden, Of Kings and Kindling, Drawbridge, A Throne for Nobody, Spellbarrow, Gryphonmoor",
        "Iron, Forgotten, Fallen, Sacred, Dragon, Raven, Sworn, Shattered, Winter, Ancient",
        "Citadel, Throne, Oath, Bastion, Realm, Relic, Banner, Sorcerer, Kingdom, Blade",
    ),
    "snow": _words(
        "White Summit, Frostline, Cabin Nine, The Northern Hour",
        "Avalanche, Polar Night, Base Camp, Thaw, First Ascent, Whiteout",
        "Snowblind Valley, Borealis Mail, Icewright, Crampon, Letters to the Glacier, Sled and Ember",
        "Frozen, Silent, Alpine, Glacial, Bitter, Polar, Crystal, Lonesome, Winter, Boreal",
        "Peak, Ascent, Tundra, Pass, Lodge, Fjord, Ridge, Blizzard, Expedition, Aurora",
    ),
    "puzzle": _words(
        "Tessel, Cubeside, Loop Theory, Tangent Garden",
        "Inside Out, More Angles, Symmetry, Two Hands, Beyond Square, Colour Set",
        "Isometra, Polygone, Oblique, Ringlet, The Shape of Tuesday, Hexagonia",
        "Simple, Curious, Perfect, Folding, Twisted, Patient, Infinite, Clever, Odd, Linear",
        "Shapes, Prisms, Circles, Corners, Vertex, Patterns, Tiles, Logic, Angles, Paradox",
    ),
    "farm": _words(
        "Clover Acres, Honeywell Lane, Turnip Days, Barley and Bee",
        "Harvest Fair, Spring Letters, New Neighbours, Orchard Year, Rainy Season, Sunflower Days",
        "Haystack Hollow, Pumpkin Post, Little Windmill Town, The Sheep Committee, Jamberry, Meadowmint",
        "Sunny, Cosy, Happy, Golden, Little, Buttercup, Country, Sleepy, Apple, Merry",
        "Meadow, Orchard, Barnyard, Harvest, Cottage, Pasture, Valley, Homestead, Garden, Farmstead",
    ),
    "samurai": _words(
        "Ink and Iron, Crimson Heron, The Ronin Path, Thousand Petals",
        "Bloodmoon, Falling Leaves, Silent Blade, Autumn War, Way of Rain, Last Duel",
        "Kazemori, Bamboo Requiem, The Paper Shogun, Shirasagi, Nine Cuts, Blossom and Ash",
        "Scarlet, Wandering, Fallen, Silent, Hidden, Broken, Autumn, Inked, Jade, Hundred",
        "Ronin, Katana, Lotus, Crane, Shrine, Brush, Blossom, Clan, Temple, Warrior",
    ),
    "clockwork": _words(
        "Brassheart, The Cog Conspiracy, Aetherline, Steam and Sorrow",
        "Full Steam, Wound Down, Boiler Room, Skyward, Escapement, Overpressure",
        "Pendulist, Mister Mainspring, Zeppelin Weather, Gearwright, The Copper Senate, Tick of Fate",
        "Brass, Copper, Winding, Grand, Smoking, Clockwork, Gilded, Mechanical, Iron, Rusted",
        "Engine, Airship, Automaton, Chronometer, Foundry, Gear, Boiler, Zeppelin, Locomotive, Tinker",
    ),
    "dino": _words(
        "Fernbeasts, Mesozoic Post, Little Longneck, Raptor Ridge",
        "Hatchlings, Meteor Year, Big Footprints, The Tar Lake, Herd, Amber Age",
        "Jurassic Tea Party, Saurolith, Tricera Trail, Egg Watch, Pterodays, The Last Warm Summer",
        "Ancient, Thundering, Primal, Giant, Tiny, Fossil, Roaring, Prehistoric, Amber, Savage",
        "Saurians, Herds, Jaws, Nest, Lagoons, Footprint, Migration, Volcano, Tyrant, Valley Beasts",
    ),
}

STUDIOS = (
    "Lanternfish Games",
    "Paper Comet",
    "Northwick Interactive",
    "Two Left Boots",
    "Salt Mill Studio",
    "Bramble & Byte",
    "Oddly Shaped",
    "Quiet Machine",
    "Ferrywoman",
    "Tall Grass Collective",
    "Umbra Forge",
    "Mild Thunder",
    "Kettle Black Labs",
    "Cardinal North",
    "Hedgehog Parade",
    "Nine Tin Stars",
    "Glasshouse 12",
    "Pelican Works",
    "Old Harbour Digital",
    "Wool & Wire",
    "Fourth Lamp",
    "Sleepy Volcano",
    "Plain Sight",
    "Copper Sparrow",
)
