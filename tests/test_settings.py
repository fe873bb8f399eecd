from __future__ import annotations

import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.errors import UsageError
from steamdino.settings import CheckSettings, Settings, SteamSettings, WebSettings
from steamdino.settings.values import SECRETS

TABLES: dict[type[Any], str] = {
    Settings: "",
    SteamSettings: "[steam]\n",
    WebSettings: "[web]\n",
    CheckSettings: "[check]\n",
}
RENAMED = {"inference_precision": "precision"}
"""Fields whose setting has another name."""
KEYS = [(cls, RENAMED.get(one.name, one.name)) for cls in TABLES for one in fields(cls)]


def write(folder: Path, text: str) -> None:
    (folder / "steamdino.toml").write_text(text, "utf-8")


def test_a_flag_wins_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "steamdino.toml").write_text('gallery = "from-file"\nthreads = 3\nprecision = "auto"\n')
    environ = {"STEAMDINO_GALLERY": "from-environment", "STEAMDINO_THREADS": "4"}
    loaded = Settings.load({"gallery": "from-flag", "threads": None}, environ, tmp_path)
    assert loaded == Settings(gallery=Path("from-flag"), threads=4, inference_precision="auto")
    assert Settings.load({}, environ, tmp_path).gallery == Path("from-environment")
    assert Settings.load({}, {}, tmp_path).gallery == Path("from-file")
    assert Settings.load({}, {}, tmp_path / "elsewhere") == Settings()


@pytest.mark.parametrize(
    "flags", [{}, {"gallery": "x"}, {"precision": "bf16", "threads": 2}, {"recipe": None, "device": "cuda"}]
)
def test_flags_may_come_after_the_file_and_the_environment_were_read(
    tmp_path: Path, flags: dict[str, Any]
) -> None:
    (tmp_path / "steamdino.toml").write_text('gallery = "from-file"\nthreads = 3\n')
    environ = {"STEAMDINO_RECIPE": "clip"}
    assert Settings.load({}, environ, tmp_path).with_flags(flags) == Settings.load(flags, environ, tmp_path)
    with pytest.raises(UsageError, match="--threads is 'x'"):
        Settings.load({}, environ, tmp_path).with_flags({**flags, "threads": "x"})


@pytest.mark.parametrize(
    ("file", "environ", "message"),
    [
        ("galery = 1", {}, "galery"),
        ("gallery = ", {}, "cannot be read"),
        ("threads = -1", {}, "threads is -1"),
        ("", {"STEAMDINO_THREADS": "many"}, "STEAMDINO_THREADS is 'many'"),
        ("", {"STEAMDINO_PRECISION": "f64"}, "STEAMDINO_PRECISION is 'f64'"),
        ("gallery = 5", {}, "toml: gallery is 5; it must be the path of a folder"),
        ("gallery = 2020-05-17", {}, "toml: gallery is datetime.date"),
        (r'gallery = "a\u0000b"', {}, "toml: gallery is .*; it must be the path of a folder"),
        ('recipe = ["a"]', {}, r"toml: recipe is \['a'\]; it must be text"),
        ("recipe = true", {}, "toml: recipe is True; it must be text"),
        ("device = 1", {}, "toml: device is 1; it must be one of: cpu, cuda, mps"),
        ("device = ['cpu']", {}, "toml: device is .*; it must be one of: cpu"),
        ('threads = "8"', {}, "toml: threads is '8'; it must be a whole number from 0 to 256"),
        ("threads = 2.5", {}, "toml: threads is 2.5; it must be a whole number"),
        ("threads = true", {}, "toml: threads is True; it must be a whole number"),
        ("threads = 257", {}, "toml: threads is 257; it must be"),
        (f"threads = 0x{'f' * 9000}", {}, "toml: threads is a number of thousands of digits; it must be"),
        ("[threads]", {}, r"toml: threads is \{\}; it must be"),
        ("steam = 5", {}, r"toml: steam is 5; it must be a table, \[steam\]"),
        ("[[web]]", {}, r"toml: web is \[\{\}\]; it must be a table, \[web\]"),
        (f"a = {'[' * 5000}", {}, "toml cannot be read"),
    ],
)
def test_a_bad_setting_is_named_with_its_place(
    tmp_path: Path, file: str, environ: dict[str, str], message: str
) -> None:
    (tmp_path / "steamdino.toml").write_text(file)
    with pytest.raises(UsageError, match=message):
        Settings.load({}, environ, tmp_path)


@pytest.mark.parametrize(
    ("cls", "line", "message"),
    [
        (SteamSettings, "language = 3", r"\[steam\]: language is 3; it must be text"),
        (SteamSettings, "rate = nan", "rate is nan; it must be a number from 0 to 1000"),
        (SteamSettings, "rate = inf", "rate is inf; it must be a number"),
        (SteamSettings, "rate = true", "rate is True; it must be a number"),
        (SteamSettings, "timeout = 0.09", "timeout is 0.09; it must be a number from 0.1 to 3600"),
        (SteamSettings, 'api_url = "ftp://x"', "api_url is 'ftp://x'; it must be an address like https"),
        (SteamSettings, 'api_url = "https://["', "api_url is .*; it must be an address"),
        (SteamSettings, 'api_url = "https://x:99999"', "api_url is .*; it must be an address"),
        (SteamSettings, 'api_url = "https://x\\n"', "api_url is .*; it must be an address"),
        (SteamSettings, 'assets_url = "https://x?y"', "assets_url is .*; it must be an address"),
        (SteamSettings, 'user_agent = "é"', "user_agent is 'é'; it must be plain letters"),
        (
            SteamSettings,
            'countries = "u s"',
            "countries is 'u s'; it must be codes of two letters, each once",
        ),
        (SteamSettings, 'countries = "US,,JP"', "countries is 'US,,JP'; it must be codes of two letters"),
        (SteamSettings, 'countries = "US,JP,us"', "countries is 'US,JP,us'; it must be codes of two letters"),
        (SteamSettings, 'countries = "U\\u017f"', "countries is .*; it must be codes of two letters"),
        (SteamSettings, 'countries = "\\u00df"', "countries is .*; it must be codes of two letters"),
        (SteamSettings, 'countries = "US\\n"', "countries is .*; it must be codes of two letters"),
        (SteamSettings, 'countries = ["US"]', r"countries is \['US'\]; it must be codes of two letters"),
        (
            SteamSettings,
            'country = "US"',
            r"\[steam\]: country was replaced by countries; write countries = .US,DE. ",
        ),
        (CheckSettings, "blurry = 1.5", r"\[check\]: blurry is 1.5; it must be a number from 0 to 1"),
        (CheckSettings, "low-information = 0.5", r"\[check\]: unknown setting 'low-information'; known are"),
        (WebSettings, 'port = "8000"', r"\[web\]: port is '8000'; it must be a whole number from 0 to 65535"),
        (WebSettings, "port = 8000.0", r"port is 8000.0; it must be a whole number"),
        (WebSettings, 'origins = ["https://a.example"]', "origins is .*; it must be text"),
        (WebSettings, 'fetch_urls = "perhaps"', "fetch_urls is 'perhaps'; it must be true or false"),
        (WebSettings, "fetch_urls = 1", "fetch_urls is 1; it must be true or false"),
        (WebSettings, 'pictures = "steams"', "pictures is 'steams'; it must be one of: gallery, steam"),
    ],
)
def test_a_value_of_the_wrong_type_in_a_table_is_refused(
    tmp_path: Path, cls: type[Any], line: str, message: str
) -> None:
    write(tmp_path, TABLES[cls] + line)
    with pytest.raises(UsageError, match=f"steamdino.toml, {message}" if message[0] == "\\" else message):
        cls.load({}, {}, tmp_path)


def test_the_codes_of_countries_are_read_in_any_case() -> None:
    assert SteamSettings.load({"countries": "us, jp,De"}, {}).country_codes == ("US", "JP", "DE")
    assert SteamSettings().country_codes == ("US", "DE")


def test_a_setting_that_was_replaced_is_named_in_the_environment_with_its_successor(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        SteamSettings.load({}, {"STEAMDINO_STEAM_OTHER_COUNTRY": "JP"}, tmp_path)
    assert str(error.value) == (
        "STEAMDINO_STEAM_OTHER_COUNTRY was replaced by STEAMDINO_STEAM_COUNTRIES; unset it, and set"
        " STEAMDINO_STEAM_COUNTRIES=US,DE instead"
    )
    assert Settings.load({}, {"STEAMDINO_COUNTRY": "JP"}, tmp_path) == Settings()  # another program's


def test_a_number_becomes_what_its_setting_is(tmp_path: Path) -> None:
    write(tmp_path, "[steam]\nrate = 5\ntries = 3")
    loaded = SteamSettings.load(
        {}, {"STEAMDINO_STEAM_TIMEOUT": "7", "STEAMDINO_STEAM_CONNECTIONS": "4"}, tmp_path
    )
    values = (loaded.rate, loaded.tries, loaded.timeout, loaded.connections)
    assert [(type(one), one) for one in values] == [(float, 5.0), (int, 3), (float, 7.0), (int, 4)]


@pytest.mark.parametrize(
    ("written", "meant"), [("true", True), ("false", False), ('"yes"', True), ('"no"', False)]
)
def test_a_switch_is_true_or_false_in_the_file_or_text_that_says_so(
    tmp_path: Path, written: str, meant: bool
) -> None:
    write(tmp_path, f"[web]\nfetch_urls = {written}")
    assert WebSettings.load({}, {}, tmp_path).fetch_urls is meant
    assert WebSettings.load({"fetch_urls": not meant}, {}, tmp_path).fetch_urls is not meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("yes", True),
        ("TRUE", True),
        ("On", True),
        ("1", True),
        ("no", False),
        ("False", False),
        ("off", False),
        ("0", False),
    ],
)
def test_a_switch_is_yes_or_no_in_the_environment(tmp_path: Path, written: str, meant: bool) -> None:
    write(tmp_path, f"[web]\nfetch_urls = {str(not meant).lower()}")
    assert WebSettings.load({}, {"STEAMDINO_WEB_FETCH_URLS": written}, tmp_path).fetch_urls is meant


def test_a_switch_that_says_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="^STEAMDINO_WEB_FETCH_URLS is 'maybe'; it must be yes or no"):
        WebSettings.load({}, {"STEAMDINO_WEB_FETCH_URLS": "maybe"}, tmp_path)


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("root_path", "games", "a path like /games, without a slash at its end"),
        ("root_path", "/games/", "a path like /games, without a slash at its end"),
        ("root_path", "/", "a path like /games"),
        ("root_path", "//evil.example", "a path like /games"),
        ("root_path", "/a/../b", "a path like /games"),
        ("trusted_proxies", "proxy.example", "IP addresses or networks"),
        ("trusted_proxies", "10.0.0.1/8", "IP addresses or networks"),
        ("trusted_proxies", "10.0.0.0/8, 127.0.0.1", "separated by spaces"),
        ("trusted_proxies", "none 10.0.0.0/8", "IP addresses or networks"),
        ("trusted_proxies", " ", "or one of: \\*, none"),
        ("pictures_per_minute", -1, "a number from 0 to 1000000"),
    ],
)
def test_a_place_of_the_server_that_makes_no_sense_is_refused(
    tmp_path: Path, setting: str, value: Any, told: str
) -> None:
    name = {"pictures_per_minute": "picture-rate"}.get(setting, setting.replace("_", "-"))
    with pytest.raises(UsageError, match=f"--{name} is .*; it must be .*{told}"):
        WebSettings.load({setting: value}, {}, tmp_path)


@pytest.mark.parametrize("value", ["", "/games", "/a/b.c/d-e_f~1"])
def test_a_path_of_the_server_is_taken(tmp_path: Path, value: str) -> None:
    assert WebSettings.load({"root_path": value}, {}, tmp_path).root_path == value


def test_a_flag_is_called_as_it_was_typed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--rate is -1; it must be a number from 0 to 1000000"):
        WebSettings.load({"requests_per_minute": -1}, {}, tmp_path)


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    # JSON escapes everything else as TOML does, except the character DEL.
    return (
        json.dumps(value).replace("\x7f", "\\u007f")
        if not hasattr(value, "isoformat")
        else str(value.isoformat())
    )


TEXT = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF), max_size=12)
VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | TEXT | st.dates() | st.times() | st.datetimes()
    | st.sampled_from(["cpu", "gallery", "https://example.com/x", "https://", "http://a:b@c/", "\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(st.sampled_from(KEYS), VALUES)
def test_any_value_of_any_setting_is_taken_as_its_kind_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, where: tuple[type[Any], str], value: object
) -> None:
    cls, key = where
    folder = tmp_path_factory.getbasetemp()
    write(folder, f"{TABLES[cls]}{key} = {toml(value)}\n")
    # A gallery is a text only where it is an address in object storage, of which none is drawn here.
    kinds = {"Path": Path, "Path | str": Path, "str": str, "int": int, "float": float, "bool": bool}
    try:
        loaded = cls.load({}, {}, folder)
    except UsageError as error:
        assert str(error).startswith(f"{folder / 'steamdino.toml'}")
        assert f": {key} " in str(error)
        assert "it must be" in str(error) or key in SECRETS or "@" in str(value)
        assert "\n" not in str(error)
        return
    (field,) = (one for one in fields(cls) if RENAMED.get(one.name, one.name) == key)
    taken, kind = getattr(loaded, field.name), kinds[str(field.type)]
    assert isinstance(taken, kind)
    assert isinstance(taken, bool) == (kind is bool)
    if kind is bool and isinstance(value, str):  # a file may say it in words, as the environment does
        assert taken == (value.strip().lower() in ("yes", "true", "on", "1"))
        return
    assert taken == (Path(value) if key == "gallery" else value)  # type: ignore[arg-type]


@given(st.sampled_from(KEYS), st.text(st.characters(exclude_characters="\0"), max_size=12))
def test_any_text_in_the_environment_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, where: tuple[type[Any], str], text: str
) -> None:
    cls, key = where
    table = TABLES[cls].strip("[]\n").upper()
    prefix = f"STEAMDINO_{table}_" if table else "STEAMDINO_"
    folder = tmp_path_factory.getbasetemp() / "without a file"
    try:
        cls.load({}, {f"{prefix}{key.upper()}": text}, folder)
    except UsageError as error:
        assert str(error).startswith(f"{prefix}{key.upper()} ")
        assert "\n" not in str(error)


STRANGE = 'api_url = "https://steam.evil.example"'


@pytest.mark.parametrize(
    "host", ["ap\u0131.steampowered.com", "partner.steam-ap\u0130.com", "api.\u017fteampowered.com"]
)
def test_a_host_whose_letters_only_look_or_fold_like_steams_is_no_address(tmp_path: Path, host: str) -> None:
    write(tmp_path, f'[steam]\napi_url = "https://{host}"')
    with pytest.raises(UsageError, match="api_url is .*; it must be an address like https://... in ASCII"):
        SteamSettings.load({}, {"STEAM_API_KEY": "SECRET"}, tmp_path)


@pytest.mark.parametrize("name", ["STEAM_API_KEY", "STEAMDINO_STEAM_KEY"])
@pytest.mark.parametrize(
    "url",
    [
        "https://steam.evil.example",
        "http://127.0.0.1:8000",
        "http://api.steampowered.com",  # not encrypted
        "https://api.steampowered.com:444",
        "https://api.steampowered.com.evil.example/",
        "https://evil.example/api.steampowered.com",
        "https://evilapi.steampowered.com",
        "https://apiXsteampowered.com",
        "https://store.steampowered.com",
        "https://api.steampowered.com./",
    ],
)
def test_a_file_does_not_decide_where_a_key_goes(tmp_path: Path, name: str, url: str) -> None:
    write(tmp_path, f'[steam]\napi_url = "{url}"')
    with pytest.raises(UsageError) as error:
        SteamSettings.load({}, {name: "SECRET"}, tmp_path)
    message = str(error.value)
    assert f"api_url is '{url}'" in message
    assert "STEAMDINO_STEAM_API_URL" in message
    assert "unset STEAM_API_KEY" in message
    assert "SECRET" not in message
    assert "\n" not in message
    assert SteamSettings.load({}, {}, tmp_path).api_url == url


@pytest.mark.parametrize(
    ("file", "flags", "environ"),
    [
        ('api_url = "https://api.steampowered.com/"', {}, {}),
        ('api_url = "https://API.Steampowered.com:443/x"', {}, {}),
        ('api_url = "https://partner.steam-api.com"', {}, {}),
        (STRANGE, {}, {"STEAMDINO_STEAM_API_URL": "https://proxy.example"}),
        (STRANGE, {"api_url": "https://proxy.example"}, {}),
        ("", {}, {"STEAMDINO_STEAM_API_URL": "http://127.0.0.1:8000"}),
    ],
)
def test_a_key_goes_to_steam_and_to_whom_the_user_named(
    tmp_path: Path, file: str, flags: dict[str, str], environ: dict[str, str]
) -> None:
    write(tmp_path, f"[steam]\n{file}")
    loaded = SteamSettings.load(flags, {"STEAM_API_KEY": "SECRET"} | environ, tmp_path)
    assert loaded.key == "SECRET"
    assert "evil" not in loaded.api_url


def test_a_key_in_a_file_may_go_where_that_file_says_unless_the_environment_has_another(
    tmp_path: Path,
) -> None:
    write(tmp_path, f'[steam]\nkey = "FROM-FILE"\n{STRANGE}')
    assert SteamSettings.load({}, {}, tmp_path).key == "FROM-FILE"
    with pytest.raises(UsageError, match="where your key goes"):
        SteamSettings.load({}, {"STEAM_API_KEY": "SECRET"}, tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        'key = ["SECRET"]',
        'key = "SEC RET"',
        'api_url = "https://me:SECRET@example.com"',
        'key = {a = "SECRET"}',
    ],
)
def test_a_secret_of_the_wrong_form_does_not_reach_the_message(tmp_path: Path, line: str) -> None:
    write(tmp_path, f"[steam]\n{line}")
    with pytest.raises(UsageError, match=f"{line.split()[0]} must be") as error:
        SteamSettings.load({}, {}, tmp_path)
    assert "SEC" not in str(error.value)


def test_a_curators_token_is_long_and_in_no_message_or_repr(tmp_path: Path) -> None:
    for bad in ("short", "long enough but with spaces", "x" * 15):
        (tmp_path / "steamdino.toml").write_text(f'[web]\ncurator_token = "{bad}"\n')
        with pytest.raises(UsageError, match="curator_token must be text of at least 16") as raised:
            WebSettings.load({}, {}, tmp_path)
        assert bad not in str(raised.value)
    found = WebSettings.load({}, {"STEAMDINO_WEB_CURATOR_TOKEN": "y" * 16}, tmp_path / "none")
    assert found.curator_token == "y" * 16
    assert "yyy" not in repr(found)


def test_a_key_is_in_no_repr() -> None:
    assert "SECRET" not in repr(SteamSettings.load({}, {"STEAM_API_KEY": "SECRET"}))


@pytest.mark.parametrize("what", ["folder", "binary"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, what: str) -> None:
    if what == "folder":
        (tmp_path / "steamdino.toml").mkdir()
    else:
        (tmp_path / "steamdino.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"steamdino\.toml cannot be read"):
        Settings.load({}, {}, tmp_path)
