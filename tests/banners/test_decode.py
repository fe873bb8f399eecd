from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from steamdino.banners.decode import decode, header
from steamdino.banners.plugins import plugin_form
from steamdino.errors import PictureError
from steamdino.picture_formats import PLUGINS, SUFFIXES_OF
from steamdino.storage import picture_limits
from steamdino.storage.picture_limits import PictureLimits


def _encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def _photo(size: tuple[int, int] = (60, 90)) -> Image.Image:
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (6, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def _distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean())


LOSSLESS: dict[str, Callable[[Image.Image], bytes]] = {
    "PNG": lambda image: _encoded(image, "PNG"),
    "BMP": lambda image: _encoded(image, "BMP"),
    "TIFF": lambda image: _encoded(image, "TIFF"),
    "lossless WebP": lambda image: _encoded(image, "WEBP", lossless=True),
    "TGA": lambda image: _encoded(image, "TGA"),
    "run-length encoded TGA": lambda image: _encoded(image, "TGA", compression="tga_rle"),
    "TGA of version 1": lambda image: _encoded(image, "TGA")[:-26],
    "TGA from the top": lambda image: _encoded(image, "TGA", orientation=1),
    "16-bit TIFF turned RGB": lambda image: _encoded(image, "TIFF", compression="tiff_lzw"),
}
LOSSY: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG": lambda image: _encoded(image, "JPEG", quality=95),
    "progressive JPEG": lambda image: _encoded(image, "JPEG", quality=95, progressive=True),
    "CMYK JPEG": lambda image: _encoded(image.convert("CMYK"), "JPEG", quality=95),
    "WebP": lambda image: _encoded(image, "WEBP", quality=95),
    "AVIF": lambda image: _encoded(image, "AVIF", quality=95),
    "GIF": lambda image: _encoded(image.quantize(256), "GIF"),
    "palette PNG": lambda image: _encoded(image.quantize(256), "PNG"),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_a_lossless_picture_comes_back_to_the_bit(name: str) -> None:
    image = _photo()
    assert decode(LOSSLESS[name](image)).tobytes() == image.tobytes()


@pytest.mark.parametrize("name", LOSSY)
def test_a_lossy_picture_comes_back_nearly(name: str) -> None:
    image = _photo()
    decoded = decode(LOSSY[name](image))
    assert decoded.mode == "RGB"
    assert _distance(decoded, image) < 6


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("mode", "packed"),
    [("1", False), *((mode, packed) for mode in ("L", "LA", "P", "RGB", "RGBA") for packed in (False, True))],
)
def test_every_kind_of_tga_is_read_as_the_png_of_the_same_pixels(
    mode: str, version: int, packed: bool
) -> None:
    image = _photo().quantize(16) if mode == "P" else _photo().convert(mode)
    if mode == "LA":
        image.putalpha(_photo((60, 90)).convert("L").rotate(180))
    elif mode == "RGBA":
        image.putalpha(128)
    written = _encoded(image, "TGA", **({"compression": "tga_rle"} if packed else {}))
    data = written if version == 2 else written[:-26]
    assert decode(data).tobytes() == decode(_encoded(image, "PNG")).tobytes()
    assert header(data).format == "TGA"


def test_grey_of_8_and_of_16_bits_become_the_same_rgb() -> None:
    grey = _photo().convert("L")
    wide = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    assert wide.mode == "I;16"
    expected = grey.convert("RGB").tobytes()
    assert decode(_encoded(grey, "PNG")).tobytes() == expected
    assert decode(_encoded(wide, "PNG")).tobytes() == expected


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "CMYK", "YCbCr", "LAB", "F", "I"]
)
def test_every_mode_that_a_file_can_hold_becomes_rgb(mode: str) -> None:
    source = _photo().convert("L") if mode in ("I;16", "F", "I", "LA") else _photo()
    image = source.quantize(16) if mode == "P" else source.convert(mode if mode != "PA" else "RGBA")
    format = "PNG" if mode in ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16") else "TIFF"
    decoded = decode(_encoded(image, format))
    assert (decoded.mode, decoded.size) == ("RGB", image.size)


def test_transparent_pixels_are_laid_on_black() -> None:
    image = Image.new("RGBA", (10, 10), (200, 100, 50, 128))
    assert decode(_encoded(image, "PNG")).getpixel((5, 5)) == (100, 50, 25)
    clear = Image.new("RGBA", (10, 10), (255, 255, 255, 0))
    assert decode(_encoded(clear, "WEBP", lossless=True)).getpixel((5, 5)) == (0, 0, 0)
    palette = Image.new("P", (10, 10), 1)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    assert decode(_encoded(palette, "PNG", transparency=1)).getpixel((5, 5)) == (0, 0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied_as_pillow_itself_does(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = _encoded(_photo((64, 96)), "JPEG", quality=95, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert decode(data).tobytes() == expected.convert("RGB").tobytes()
    assert (header(data).width, header(data).height) == expected.size


def test_a_reduced_decoding_is_never_smaller_than_asked() -> None:
    data = _encoded(_photo((600, 900)), "JPEG", quality=95)
    assert decode(data).size == (600, 900)
    assert decode(data, (160, 240)).size == (300, 450)
    assert decode(data, (300, 450)).size == (300, 450)
    assert decode(data, (301, 450)).size == (600, 900)
    assert _distance(decode(data, (160, 240)), _photo((600, 900)).resize((300, 450))) < 3


def test_the_limits_are_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decode(_encoded(_photo((8, 90)), "PNG")).size == (8, 90)
    assert decode(_encoded(_photo((90, 8)), "PNG")).size == (90, 8)
    with pytest.raises(PictureError, match="90 x 7 pixels; each side must have at least 8"):
        decode(_encoded(_photo((90, 7)), "PNG"))
    monkeypatch.setattr(picture_limits, "_limits", PictureLimits(pixels=60 * 90))
    assert decode(_encoded(_photo((60, 90)), "PNG")).size == (60, 90)
    with pytest.raises(PictureError, match="60 x 91 pixels; at most 5,400 are decoded"):
        header(_encoded(_photo((60, 91)), "PNG"))


def test_a_colour_that_stands_for_transparent_is_laid_on_black_too() -> None:
    image = Image.new("RGB", (10, 10), (200, 100, 50))
    image.putpixel((0, 0), (1, 2, 3))
    decoded = decode(_encoded(image, "PNG", transparency=(200, 100, 50)))
    assert (decoded.getpixel((0, 0)), decoded.getpixel((5, 5))) == ((1, 2, 3), (0, 0, 0))


def _turned(size: tuple[int, int], orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return _encoded(_photo(size), "JPEG", quality=95, exif=exif)


def test_a_turned_picture_is_reduced_by_its_upright_sides() -> None:
    assert decode(_turned((900, 600), 6), (160, 240)).size == (300, 450)
    # Lying, it would do at a quarter of its size; upright, 800 wide, half of it is too narrow.
    assert decode(_turned((300, 800), 6), (401, 20)).size == (800, 300)
    assert decode(_turned((300, 800), 8), (400, 20)).size == (400, 150)
    assert decode(_turned((300, 800), 1), (20, 401)).size == (300, 800)


@given(
    size=st.tuples(st.integers(8, 25), st.integers(8, 25)).map(lambda sides: (8 * sides[0], 8 * sides[1])),
    orientation=st.integers(1, 8),
    asked=st.tuples(st.integers(1, 200), st.integers(1, 200)),
)
def test_a_reduced_picture_is_the_whole_one_scaled_and_as_small_as_may_be(
    size: tuple[int, int], orientation: int, asked: tuple[int, int]
) -> None:
    data = _turned(size, orientation)
    whole, reduced = decode(data), decode(data, asked)
    enough = [s for s in (1, 2, 4, 8) if whole.width // s >= asked[0] and whole.height // s >= asked[1]]
    scale = max(enough, default=1)
    assert reduced.size == (whole.width // scale, whole.height // scale)
    assert _distance(reduced, whole.resize(reduced.size, Image.Resampling.BOX)) < 6


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a picture"),
        (b"<!DOCTYPE html><title>404</title>", "HTML or XML"),
        (b"\n <?xml version='1.0'?><svg/>", "HTML or XML"),
        (b"GIF89a", "cannot be decoded|not a picture"),
        (_encoded(_photo(), "JPEG")[:-500], "truncated"),
        (_encoded(_photo(), "PNG")[:-500], "truncated|broken"),
        (_encoded(_photo((7, 90)), "PNG"), "at least 8"),
        (_encoded(Image.new("RGB", (1, 1)), "PNG"), "at least 8"),
        pytest.param(
            lambda: _encoded(Image.new("1", (30_000, 30_000)), "PNG"), "pixels", marks=pytest.mark.slow
        ),
        (lambda: _encoded(Image.new("1", (9_000, 9_000)), "PNG"), "pixels"),
        (_encoded(_photo(), "PPM"), "not a picture of a known format"),
        (_encoded(_photo(), "EPS"), "not a picture of a known format"),
    ],
)
def test_what_cannot_be_decoded_says_why(data: bytes | Callable[[], bytes], reason: str) -> None:
    content = data() if callable(data) else data  # the largest are not made until they are needed
    with pytest.raises(PictureError, match=reason):
        decode(content)


ICON = _encoded(_photo((32, 32)), "ICO")
CURSOR = ICON[:2] + b"\x02" + ICON[3:]


@pytest.mark.parametrize(
    "data",
    [
        ICON,
        CURSOR,
        b"\0\1\0\0" + bytes(range(1, 200)),  # a TrueType font begins so
        b"\0\0\0\x18ftypisom\0\0\2\0" + bytes(200),  # a video
        bytes(18),
        bytes(1000),
        bytes(range(256)) * 4,
        b"\0\0\2",
        b"id,name,path\n1,One,1.jpg\n" * 20,
        b"TRUEVISION-XFILE.\0",
    ],
)
def test_what_begins_a_little_like_tga_is_not_taken_for_it(data: bytes) -> None:
    with pytest.raises(PictureError, match="not a picture of a known format"):
        decode(data)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (1, 1),  # a palette that the kind does not use
        (2, 1),  # a kind that needs a palette
        (2, 3),  # greys of 24 bits
        (2, 4),
        (3, 1),
        (4, 1),
        (5, 1),
        (6, 1),
        (16, 8),
        (17, 0x40),
        (17, 0x80),
        (17, 2),
        (17, 9),
    ],
)
def test_a_header_of_tga_whose_fields_do_not_fit_needs_the_footer_of_version_2(
    place: int, value: int
) -> None:
    data = bytearray(_encoded(_photo(), "TGA"))
    assert header(bytes(data[:-26])).format == "TGA"
    data[place] = value
    with pytest.raises(PictureError, match="not a picture of a known format"):
        header(bytes(data[:-26]))


def test_an_icon_of_half_a_megabyte_is_not_taken_for_tga() -> None:
    large = ICON[:14] + (0x080020).to_bytes(4, "little") + ICON[18:]  # the bytes that it says it has
    with pytest.raises(PictureError, match="not a picture of a known format"):
        decode(large)


@given(st.integers(0, 17), st.integers(0, 255), st.booleans())
def test_a_tga_whose_header_says_something_else_is_read_or_refused(
    place: int, value: int, signed: bool
) -> None:
    data = bytearray(_encoded(_photo((16, 24)), "TGA"))
    data[place] = value
    try:
        image = decode(bytes(data if signed else data[:-26]))
    except PictureError:
        return
    assert image.mode == "RGB"


@given(st.binary(max_size=300))
@example(b"\xff\x0a")
@example(b"\xff\xd8\xff")
@example(b"\xff\x0ajunk" * 9)
def test_junk_is_not_a_picture(data: bytes) -> None:
    # What begins like a format of a plug-in is passed to it.
    told = "cannot be decoded" if plugin_form(data) else "not a picture"
    with pytest.raises(PictureError, match=told) as caught:
        decode(data)
    assert "\n" not in str(caught.value)


@given(
    st.sampled_from([*LOSSLESS.values(), *LOSSY.values()]),
    st.integers(0, 2000),
    st.integers(1, 255),
    st.booleans(),
)
def test_a_damaged_picture_is_decoded_or_refused_and_nothing_else(
    encode: Callable[[Image.Image], bytes], place: int, change: int, cut: bool
) -> None:
    data = bytearray(encode(_photo((16, 24))))
    place %= len(data)
    data[place] ^= change
    try:
        image = decode(bytes(data[:place] if cut else data), (8, 8))
    except PictureError:
        return
    assert image.mode == "RGB"


def test_the_header_tells_what_the_file_is() -> None:
    for format in SUFFIXES_OF.keys() - PLUGINS.keys():
        found = header(_encoded(_photo(), format))
        assert (found.width, found.height, found.format) == (60, 90, format)
    assert header(_encoded(_photo().convert("CMYK"), "JPEG")).mode == "CMYK"
