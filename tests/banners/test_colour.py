"""Pictures have the colours that every viewer shows, whatever their profile says."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from steamdino import Snapshot, add, build
from steamdino.analysis.audit import Auditor
from steamdino.banners.decode import decode, frame
from steamdino.banners.png_profile import SRGB_CHROMATICITIES
from steamdino.features import model_registry
from steamdino.pipeline.build import BuildSummary
from steamdino.present.web.concurrency import WorkLimits
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.recipe import PILLOW, SRGB, STORED

Run = Callable[..., "CompletedProcess[str]"]

SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SWAPPED = SRGB_PROFILE.replace(b"rXYZ", b"tmpX").replace(b"bXYZ", b"rXYZ").replace(b"tmpX", b"bXYZ")
"""sRGB with red and blue exchanged. It still calls itself sRGB."""

DISPLAY_P3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
"""White, red, green and blue of Display P3 (SMPTE EG 432-1 with the white of sRGB)."""


def noise(size: tuple[int, int] = (24, 36), seed: int = 0) -> Image.Image:
    return Image.fromarray(
        np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    )


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def with_chunks(data: bytes, **chunks: bytes) -> bytes:
    """A PNG with chunks after its header."""
    made = b"".join(
        struct.pack(">I", len(body))
        + name.encode()
        + body
        + struct.pack(">I", zlib.crc32(name.encode() + body))
        for name, body in chunks.items()
    )
    return data[:33] + made + data[33:]


def gama(gamma: float) -> bytes:
    return struct.pack(">I", round(gamma * 100_000))


def chrm(chromaticities: tuple[float, ...]) -> bytes:
    return struct.pack(">8I", *(round(value * 100_000) for value in chromaticities))


def srgb_of(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1, in levels."""
    linear = linear.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def to_xyz(chromaticities: tuple[float, ...]) -> NDArray[np.float64]:
    """The matrix from linear light to X, Y and Z (SMPTE RP 177)."""
    white, *colours = (
        (x / y, 1.0, (1 - x - y) / y) for x, y in zip(*[iter(chromaticities)] * 2, strict=True)
    )
    matrix = np.array(colours).T
    return matrix * np.linalg.solve(matrix, np.array(white))


def levels(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image).astype(np.float64)


def assert_alike(found: Image.Image, expected: NDArray[np.float64], tolerance: float = 1.01) -> None:
    assert np.abs(levels(found) - expected).max() <= tolerance


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "JPEG", "AVIF"])
def test_an_embedded_profile_is_applied_whatever_it_calls_itself(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {"quality": 100} if form in ("JPEG", "AVIF") else {}
    image = noise().resize((96, 144), Image.Resampling.BICUBIC)
    plain = decode(encoded(image, form, **options))
    found = decode(encoded(image, form, icc_profile=SWAPPED, **options))
    assert_alike(found, levels(plain)[:, :, ::-1])
    assert_alike(decode(encoded(image, form, icc_profile=SRGB_PROFILE, **options)), levels(plain), 0)


def test_profiles_are_ignored_where_a_recipe_is_older() -> None:
    data = encoded(noise(), icc_profile=SWAPPED)
    assert_alike(decode(data, colours=STORED), levels(noise()), 0)
    assert_alike(decode(data, colours=SRGB), levels(noise())[:, :, ::-1])


def test_transparency_is_kept_and_laid_on_black_after_the_conversion() -> None:
    image = noise()
    image.putalpha(Image.fromarray(np.full((36, 24), 128, np.uint8)))
    found = decode(encoded(image, icc_profile=SWAPPED))
    assert_alike(found, (levels(noise())[:, :, ::-1] * 128 / 255), 1.6)
    palette = noise().quantize(16)
    swapped = decode(encoded(palette, icc_profile=SWAPPED))
    assert_alike(swapped, levels(palette.convert("RGB"))[:, :, ::-1])


def test_the_frames_of_an_animation_are_converted_like_its_first() -> None:
    frames = [noise(seed=n) for n in range(3)]
    data = encoded(
        frames[0],
        save_all=True,
        append_images=frames[1:],
        icc_profile=SWAPPED,
        duration=100,
        default_image=False,
    )
    count, middle = frame(data)
    assert count == 3
    assert middle is not None
    assert_alike(middle, levels(frames[1])[:, :, ::-1])


@pytest.mark.parametrize(
    "profile",
    [
        b"x",
        b"not a profile" * 100,
        SRGB_PROFILE[:200],
        SRGB_PROFILE[:-600],
        SRGB_PROFILE.replace(b"RGB ", b"CMYK"),
    ],
)
def test_what_is_no_profile_of_such_a_picture_is_ignored(profile: bytes) -> None:
    assert_alike(decode(encoded(noise(), icc_profile=profile)), levels(noise()), 0)


@given(st.binary(max_size=300), st.integers(0, len(SRGB_PROFILE)))
def test_no_profile_makes_a_picture_unreadable(junk: bytes, at: int) -> None:
    broken = SRGB_PROFILE[:at] + junk + SRGB_PROFILE[at + len(junk) :]
    assert decode(encoded(noise((8, 8)), icc_profile=broken)).size == (8, 8)


def test_grey_pictures_go_through_grey_profiles_also_with_16_bits() -> None:
    grey = noise().convert("L")
    linear = srgb_of(levels(grey) / 255)
    expected = np.repeat(linear[:, :, None], 3, axis=2)
    assert_alike(decode(with_chunks(encoded(grey), gAMA=gama(1))), expected)
    deep = Image.fromarray((np.asarray(grey).astype(np.uint16) << 8) | 128)
    assert_alike(decode(with_chunks(encoded(deep), gAMA=gama(1))), expected)
    assert_alike(decode(encoded(grey, icc_profile=SWAPPED)), levels(grey.convert("RGB")), 0)
    assert_alike(decode(encoded(grey, icc_profile=grey_profile())), expected)


def grey_profile() -> bytes:
    """A profile for greys whose numbers are proportional to light (ICC.1:2010)."""
    text = b"text" + bytes(4) + b"light\0"
    desc = b"desc" + bytes(4) + struct.pack(">I", 6) + b"light\0" + bytes(78)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags = {b"desc": desc, b"cprt": text, b"wtpt": white, b"kTRC": b"curv" + bytes(8)}
    return profile(tags, 0x02200000, b"mntr", b"GRAY", b"XYZ ")


def profile(tags: dict[bytes, bytes], version: int, *kinds: bytes) -> bytes:
    """A profile of some elements."""
    start, index, body = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        index += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(
        ">I4xI4s4s4s12x4s28x3i", start + len(body), version, *kinds, b"acsp", 63190, 65536, 54061
    )
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + index + body


def test_cmyk_goes_through_its_profile(tmp_path: Path) -> None:
    cmyk = noise().convert("CMYK")
    plain = decode(encoded(cmyk, "TIFF"))
    profile = ink_profile()
    found = decode(encoded(cmyk, "TIFF", icc_profile=profile))
    reference = ImageCms.profileToProfile(
        cmyk, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert reference is not None
    assert_alike(found, levels(reference), 2)
    assert np.abs(levels(found) - levels(plain)).max() > 20


def ink_profile() -> bytes:
    """A profile for four inks whose light is the product of what each lets through (ICC.1:2010, lut8Type)."""
    grid = np.stack(np.meshgrid(*[[0.0, 1.0]] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    # Lightness and the two colours of CIELAB, of which each ink takes away a share.
    through = (1 - 0.5 * grid[:, :3]).prod(axis=1) * (1 - grid[:, 3])
    lab = np.stack([255 * through, np.full(16, 128.0), np.full(16, 128.0)], axis=1).round().astype(np.uint8)
    identity = bytes(range(256))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + identity * 4 + lab.tobytes() + identity * 3
    text = b"text" + bytes(4) + b"inks\0"
    desc = b"desc" + bytes(4) + struct.pack(">I", 5) + b"inks\0" + bytes(78)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags = {b"desc": desc, b"cprt": text, b"wtpt": white, b"A2B0": table}
    return profile(tags, 0x02200000, b"prtr", b"CMYK", b"Lab ")


@pytest.mark.parametrize("gamma", [1.0, 1 / 1.8, 1 / 2.6])
def test_the_gamma_of_a_png_is_applied(gamma: float) -> None:
    found = decode(with_chunks(encoded(noise()), gAMA=gama(gamma)))
    assert_alike(found, srgb_of((levels(noise()) / 255) ** (1 / round(gamma, 5))))


def test_the_primaries_of_a_png_are_applied() -> None:
    data = with_chunks(encoded(noise()), gAMA=gama(1 / 1.8), cHRM=chrm(DISPLAY_P3))
    linear = (levels(noise()) / 255) ** 1.8
    matrix = np.linalg.inv(to_xyz(SRGB_CHROMATICITIES)) @ to_xyz(DISPLAY_P3)
    assert_alike(decode(data), srgb_of(linear @ matrix.T), 2)


@pytest.mark.parametrize(
    "chunks",
    [
        {"gAMA": gama(0.45455)},
        {"gAMA": gama(0.45455), "cHRM": chrm(SRGB_CHROMATICITIES)},
        {"sRGB": b"\0", "gAMA": gama(1), "cHRM": chrm(DISPLAY_P3)},
        {"cHRM": chrm(DISPLAY_P3)},
        {"gAMA": gama(0)},
        {"gAMA": gama(1), "cHRM": chrm((0,) * 8)},
        {"gAMA": gama(1), "cHRM": chrm((0.3, 0.3) * 4)},
        {"gAMA": gama(1), "cHRM": struct.pack(">8I", *(0xFFFFFFFF,) * 8)},
    ],
)
def test_chunks_that_say_nothing_or_nonsense_change_nothing(chunks: dict[str, bytes]) -> None:
    assert_alike(decode(with_chunks(encoded(noise()), **chunks)), levels(noise()), 0)


def test_threads_share_a_conversion() -> None:
    data = [encoded(noise(seed=n), icc_profile=SWAPPED) for n in range(64)]
    with ThreadPoolExecutor(8) as pool:
        for n, found in enumerate(pool.map(decode, data)):
            assert_alike(found, levels(noise(seed=n))[:, :, ::-1])


def drawn(seed: int) -> Image.Image:
    return noise((6, 9), seed).resize((120, 180), Image.Resampling.BICUBIC)


def test_a_picture_that_looks_the_same_is_the_nearest(tmp_path: Path) -> None:
    covers = tmp_path / "covers"
    covers.mkdir()
    for n in range(8):
        drawn(n).save(covers / f"other{n}.png")
    look = drawn(99)
    red, green, blue = look.split()
    look.save(covers / "look.png")
    Image.merge("RGB", (blue, green, red)).save(covers / "same-look.png", icc_profile=SWAPPED)
    Image.merge("RGB", (blue, green, red)).save(covers / "other-look.png")
    add(tmp_path / "g", covers)
    build(tmp_path / "g")
    found = Snapshot.open(tmp_path / "g")
    first = found.similar("same-look", 1)[0]
    assert (first.game.id, first.similarity > 0.999) == ("look", True)
    assert found.similarity("same-look", "other-look") < 0.98
    assert found.similar(covers / "same-look.png", 2)[0].similarity > 0.999999


def build_without_profiles(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> BuildSummary:
    """Build as versions did that ignored colour profiles."""
    with monkeypatch.context() as earlier:
        earlier.setattr(model_registry, "SRGB", STORED)
        earlier.setattr(model_registry, "WIDTH_FIRST", PILLOW)
        model_registry.models.cache_clear()
        summary = build(gallery)
    model_registry.models.cache_clear()
    return summary


@pytest.mark.slow
def test_pictures_are_explained_and_audited_in_the_colours_of_the_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    covers = tmp_path / "covers"
    covers.mkdir()
    drawn(1).save(covers / "a.png", icc_profile=SWAPPED)
    drawn(1).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(covers / "b.png")
    drawn(2).save(covers / "c.png")
    add(tmp_path / "g", covers)
    build_without_profiles(tmp_path / "g", monkeypatch)
    snapshot = Snapshot.open(tmp_path / "g")
    exact = snapshot.similarity("a", "b")

    served = ServedSnapshot(snapshot, tmp_path / "g", WorkLimits(), None)
    draft = Auditor(snapshot, without=["a"])(covers / "a.png", 1)
    assert draft.matches[0].game.id == "b"
    explained = [
        json.loads(run("explain", "a", "b", "--format", "json", "-g", tmp_path / "g").stdout)["similarity"],
        served.explain("a", "b").similarity,
        served.explain_picture(covers / "a.png", "b").similarity,
        draft.explanation.similarity if draft.explanation else None,
    ]
    assert explained == pytest.approx([exact] * 4, abs=1e-3)


@pytest.mark.slow
def test_a_gallery_that_was_built_without_profiles_keeps_its_recipe_until_it_is_upgraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    covers = tmp_path / "covers"
    covers.mkdir()
    drawn(1).save(covers / "a.png", icc_profile=SWAPPED)
    add(tmp_path / "g", covers)
    old = build_without_profiles(tmp_path / "g", monkeypatch)
    assert "colours" not in old.recipe.json

    drawn(2).save(covers / "b.png", icc_profile=SWAPPED)
    add(tmp_path / "g", covers)
    again = build(tmp_path / "g")
    assert (again.recipe, again.encoded) == (old.recipe, 1)
    before = Snapshot.open(tmp_path / "g")
    assert before.similar(covers / "b.png", 1)[0].similarity > 0.999999

    upgraded = build(tmp_path / "g", upgrade=True)
    assert (upgraded.recipe.transform.colours, upgraded.encoded) == (SRGB, 2)
    after = Snapshot.open(tmp_path / "g")
    assert after.recipe.hash != before.recipe.hash
    assert float(after.vectors[1] @ before.vectors[1]) < 0.99
    assert build(tmp_path / "g").swapped is False
