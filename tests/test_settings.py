from __future__ import annotations

from pathlib import Path

import pytest

from steamdino.errors import UsageError
from steamdino.settings import Settings


def test_a_flag_wins_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "steamdino.toml").write_text('gallery = "from-file"\nthreads = 3\nprecision = "auto"\n')
    environ = {"STEAMDINO_GALLERY": "from-environment", "STEAMDINO_THREADS": "4"}
    loaded = Settings.load({"gallery": "from-flag", "threads": None}, environ, tmp_path)
    assert loaded == Settings(gallery=Path("from-flag"), threads=4, precision="auto")
    assert Settings.load({}, environ, tmp_path).gallery == Path("from-environment")
    assert Settings.load({}, {}, tmp_path).gallery == Path("from-file")
    assert Settings.load({}, {}, tmp_path / "elsewhere") == Settings()


@pytest.mark.parametrize(
    ("file", "environ", "message"),
    [
        ("galery = 1", {}, "galery"),
        ("gallery = ", {}, "cannot be read"),
        ("threads = -1", {}, "threads is -1"),
        ("", {"STEAMDINO_THREADS": "many"}, "threads is 'many'"),
        ("", {"STEAMDINO_PRECISION": "f64"}, "precision is 'f64'"),
    ],
)
def test_a_bad_setting_is_named_with_its_place(
    tmp_path: Path, file: str, environ: dict[str, str], message: str
) -> None:
    (tmp_path / "steamdino.toml").write_text(file)
    with pytest.raises(UsageError, match=message):
        Settings.load({}, environ, tmp_path)
