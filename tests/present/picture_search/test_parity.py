"""Browsers make the vectors of pictures that the command line makes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps
from tests.fakes.firefox import FirefoxPage
from tests.fakes.static_host import StaticHost

from steamdino import Snapshot
from steamdino.records import Crop
from steamdino.search.query_encoder import QueryEncoder
from steamdino.storage.location import LocalFile

pytestmark = pytest.mark.slow

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SWAPPED = SRGB.replace(b"rXYZ", b"tmpX").replace(b"bXYZ", b"rXYZ").replace(b"tmpX", b"bXYZ")
"""sRGB with red and blue exchanged: whoever ignores it sees another picture."""

ORIENTATION = 0x0112

FIND = """(async (bytes, type, crop, mirror) => {
  const facts = document.documentElement.dataset;
  if (!globalThis.testedWorker) {
    const parts = await (await fetch(facts.search)).json();
    globalThis.testedWorker = new Worker(facts.worker, { type: "module" });
    await new Promise((ready, failed) => {
      testedWorker.onmessage = ({ data }) => (data.ready ? ready() : data.failed && failed(new Error(data.failed)));
      testedWorker.postMessage({ load: { parts: { ...parts, base: new URL("./", location.href).href }, cache: null } });
    });
  }
  const file = new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], "draft", { type });
  return new Promise((found, failed) => {
    testedWorker.onmessage = ({ data }) => (data.found
      ? found({ vector: [...data.found.vector], matches: data.found.matches, standings: data.found.standings })
      : failed(new Error(data.failed)));
    testedWorker.postMessage({ find: { file, crop, mirror, tag: null, count: 24, candidates: 48 } });
  });
})"""


def _pictures(picture: Image.Image, encoded: Callable[..., bytes]) -> dict[str, bytes]:
    def turned(orientation: int) -> Image.Exif:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        return exif

    clear = picture.convert("RGBA")
    shape = ImageOps.invert(Image.radial_gradient("L").point(lambda level: 4 * max(0, level - 170)))
    clear.putalpha(shape.resize(picture.size))
    return {
        "PNG": encoded(picture, "PNG"),
        "JPEG": encoded(picture, "JPEG", quality=90),
        "WEBP": encoded(picture, "WEBP", quality=80),
        "JPEG, turned": encoded(picture, "JPEG", quality=90, exif=turned(6)),
        **{
            f"{form}, turned by {n}": encoded(picture, form, exif=turned(n))
            for form, n in [("PNG", 3), ("PNG", 8), *(("WEBP", n) for n in range(2, 9))]
        },
        "PNG, profile": encoded(picture, "PNG", icc_profile=SWAPPED),
        "JPEG, profile": encoded(picture, "JPEG", quality=90, icc_profile=SWAPPED),
        "JPEG, progressive, subsampled": encoded(
            picture, "JPEG", quality=70, progressive=True, subsampling="4:2:0"
        ),
        "JPEG, grey": encoded(picture.convert("L"), "JPEG", quality=90),
        "PNG, palette": encoded(picture.quantize(64), "PNG"),
        "PNG, clear": encoded(clear, "PNG"),
        "PNG, wide": encoded(picture.resize((700, 90)), "PNG"),
        "PNG, tiny": encoded(picture.resize((9, 12)), "PNG"),
    }


def _check(
    evaluate: Callable[[list[Any]], Any],
    snapshot: Snapshot,
    pictures: dict[str, bytes],
    folder: Path,
) -> None:
    encoder = QueryEncoder(snapshot.recipe, whitening=snapshot.whitening, precision="f32")
    cosines = {}
    for name, data in pictures.items():
        path = folder / "draft"
        path.write_bytes(data)
        form = name.partition(",")[0].lower()
        found = evaluate([base64.b64encode(data).decode(), f"image/{form}", None, False])
        expected, _ = encoder.picture(LocalFile(path))
        vector = np.array(found["vector"])
        assert np.linalg.norm(vector) == pytest.approx(1)
        cosines[name] = float(vector @ expected)
        matches = snapshot.similar(path, 24)
        assert found["matches"][0]["id"] == matches.ids[0], name
        numbers = [match["cosine"] for match in found["matches"]]
        assert numbers == pytest.approx(matches.similarities.tolist(), abs=0.003), name
        assert len({match["id"] for match in found["matches"][:10]} & set(matches.ids[:10])) >= 9, name
    assert min(cosines.values()) >= 0.999, cosines


@pytest.mark.browser
def test_chromium_makes_the_vectors_of_the_command_line(
    host: StaticHost,
    browser: Any,
    snapshot: Snapshot,
    picture: Image.Image,
    encoded: Callable[..., bytes],
    tmp_path: Path,
) -> None:
    page = browser.new_page()
    page.goto(host.address)
    _check(
        lambda given: page.evaluate(f"(given) => {FIND}(...given)", given),
        snapshot,
        _pictures(picture, encoded),
        tmp_path,
    )
    whole = base64.b64encode(_pictures(picture, encoded)["PNG"]).decode()
    crop, path = [0.11, 0.2, 0.5, 0.45], tmp_path / "draft.png"
    picture.save(path)
    found = page.evaluate(f"(given) => {FIND}(...given)", [whole, "image/png", crop, True])
    expected = snapshot.similar(path, 24, crop=Crop(*crop, pixels=False), mirror=True)
    assert [match["id"] for match in found["matches"]][:5] == expected.ids[:5]
    banner = snapshot.game("neonoir").picture
    assert banner is not None
    whole = base64.b64encode(banner.read_bytes()).decode()
    found = page.evaluate(f"(given) => {FIND}(...given)", [whole, "image/jpeg", None, False])
    assert [match["id"] for match in found["matches"] if match["identical"]] == ["neonoir"]
    page.close()


@pytest.mark.browser
def test_firefox_makes_the_vectors_of_the_command_line(
    host: StaticHost,
    firefox: FirefoxPage,
    snapshot: Snapshot,
    picture: Image.Image,
    encoded: Callable[..., bytes],
    tmp_path: Path,
) -> None:
    firefox.goto(host.address)
    _check(
        lambda given: firefox.evaluate(f"{FIND}(...{json.dumps(given)})"),
        snapshot,
        _pictures(picture, encoded),
        tmp_path,
    )


@pytest.mark.browser
def test_resizing_gives_the_bytes_that_pillow_gives(browser: Any, snapshot: Snapshot) -> None:
    from importlib import resources

    source = (resources.files("steamdino.present.export.picture_search") / "resize.js").read_text("utf-8")
    page = browser.new_page()
    rng = np.random.default_rng(0)
    transform = snapshot.recipe.transform
    for size in [(160, 240), (600, 900), (161, 239), (8, 8), (31, 1000), (1000, 31), (320, 480), (159, 900)]:
        pixels = rng.integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
        # Extremes next to each other make the cubic leave the range of a byte.
        pixels[: size[1] // 2] = np.where(pixels[: size[1] // 2] < 128, 0, 255)
        given = [base64.b64encode(pixels.tobytes()).decode(), *size, transform.width, transform.height]
        found = page.evaluate(
            f"(given) => {{ {source}; const bytes = Uint8Array.from(atob(given[0]), (one) => one.charCodeAt(0));"
            " return [...resized(bytes, ...given.slice(1))]; }",
            given,
        )
        # Two calls, since one leaves it to Pillow whether the width or the height comes first.
        image = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
        narrow = image.resize((transform.width, size[1]), Image.Resampling.BICUBIC)
        expected = np.asarray(narrow.resize((transform.width, transform.height), Image.Resampling.BICUBIC))
        assert np.array_equal(np.array(found, np.uint8).reshape(expected.shape), expected), size
    page.close()
