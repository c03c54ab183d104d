"""Pictures that become others on the way to eight bits: deep, transparent, huge and damaged ones."""

import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from samcli.data.sources import _decode
from samcli.data.sources._images import read_images
from samcli.errors import DataError


def save(path: Path, array: npt.NDArray[Any], **options: Any) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


def grey(seed: int = 0, low: int = 0, high: int = 120) -> npt.NDArray[np.int64]:
    values = np.random.default_rng(seed).integers(low, high, (12, 12))
    values[0, :2] = low, high - 1
    return values


def read(*files: Path, size: int | None = None) -> npt.NDArray[np.uint8]:
    array: npt.NDArray[np.uint8] = read_images(files, size)[0].numpy()
    return array


def test_counts_of_8_bits_in_deeper_files_are_kept(tmp_path: Path) -> None:
    for suffix, kind in ((".png", np.uint16), (".tif", np.int32), (".tiff", np.uint16)):
        got = read(save(tmp_path / f"a{suffix}", grey().astype(kind)))
        assert np.array_equal(got[0, :, :, 0], grey())


def test_twelve_bits_keep_their_levels(tmp_path: Path) -> None:
    got = read(save(tmp_path / "a.png", (grey(high=256) * 16).astype(np.uint16)))
    assert np.array_equal(got[0, :, :, 0], grey(high=256))


def test_full_range_loses_the_lower_byte_as_ever(tmp_path: Path) -> None:
    values = grey(high=65536).astype(np.uint16)
    assert np.array_equal(read(save(tmp_path / "a.png", values))[0, :, :, 0], values >> 8)


def test_big_endian_files_are_read_alike(tmp_path: Path) -> None:
    values = grey(high=4096).astype(np.uint16)
    (tmp_path / "a.pgm").write_bytes(b"P5 12 12 65535\n" + values.astype(">u2").tobytes())
    entries = [(256, 12), (257, 12), (258, 16), (259, 1), (262, 1), (273, 8), (277, 1), (278, 12), (279, 288)]
    tags = b"".join(struct.pack(">HHII" if value == 8 else ">HHIHxx", tag, 4 if value == 8 else 3, 1, value)
                    for tag, value in entries)  # fmt: skip
    pixels = values.astype(">u2").tobytes()
    offset = struct.pack(">4sI", b"MM\0*", 8 + len(pixels))
    (tmp_path / "a.tif").write_bytes(offset + pixels + struct.pack(">H", len(entries)) + tags + bytes(4))
    with Image.open(tmp_path / "a.tif") as image:
        assert image.mode == "I;16B"
    for suffix in ("pgm", "tif"):
        assert np.array_equal(read(tmp_path / f"a.{suffix}")[0, :, :, 0], values >> 4)


def test_all_images_of_a_folder_share_one_range(tmp_path: Path) -> None:
    dark = save(tmp_path / "dark.png", grey().astype(np.uint16))
    bright = save(tmp_path / "bright.png", grey(high=4096).astype(np.uint16))
    plain = save(tmp_path / "plain.png", grey(high=256).astype(np.uint8))
    got = read(dark, bright, plain)[..., 0]
    assert np.array_equal(got, np.stack([grey() >> 4, grey(high=4096) >> 4, grey(high=256)]))
    assert read_images([dark, bright, plain], None)[1] == ("2 of more than 8 bits (values from 0 to 4095 in 8)",)


def test_a_narrow_range_far_from_zero_keeps_its_levels(tmp_path: Path) -> None:
    values = grey(low=60000, high=60120).astype(np.uint16)
    assert np.array_equal(read(save(tmp_path / "a.png", values))[0, :, :, 0], values - 60000)


def test_negative_whole_numbers_are_counted_from_the_lowest(tmp_path: Path) -> None:
    values = grey(low=-1000, high=3096).astype(np.int32)  # of a computed tomography
    assert np.array_equal(read(save(tmp_path / "a.tif", values))[0, :, :, 0], (values + 1000) >> 4)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, lambda v: (255.0 * v).round()),
        (0.0, 250.5, np.floor),
        (-1.0, 1.0, lambda v: ((v + 1.0) * 127.5).round()),
        (0.0, 1000.0, lambda v: (v * 0.255).round()),
    ],
)
def test_fractions(
    tmp_path: Path, low: float, high: float, expected: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
) -> None:
    values = np.linspace(low, high, 144, dtype=np.float32).reshape(12, 12)
    got = read(save(tmp_path / "a.tif", values))[0, :, :, 0]
    assert np.array_equal(got, expected(values.astype(np.float64)))


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif", np.array([[0.5, np.nan]], np.float32))
    with pytest.raises(DataError, match=r"a\.tif is not a readable image \(it holds values that are not finite\)"):
        read(path)


def png_of_16_bit_colours(path: Path, values: npt.NDArray[Any]) -> Path:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def test_colours_of_16_bits(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 65536, (6, 5, 3))
    full = png_of_16_bit_colours(tmp_path / "full.png", values)
    assert np.array_equal(read(full)[0], values >> 8)
    small = png_of_16_bit_colours(tmp_path / "small.png", values >> 4)
    with pytest.raises(DataError, match=r"small\.png has colours of 16 bits, of which the upper 8 are read"):
        read(small)
    assert np.array_equal(read(small, full)[1], values >> 8)  # their range is that of both


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    drawing = grey(high=256).astype(np.uint8)
    clear = np.zeros((12, 12, 4), np.uint8)
    clear[..., 3] = drawing
    on_white = 255 - drawing  # black, as much as it is opaque
    assert np.array_equal(read(save(tmp_path / "rgba.png", clear))[0], np.stack([on_white] * 3, -1))
    assert np.array_equal(read(save(tmp_path / "la.png", clear[..., 2:]))[0, :, :, 0], on_white)
    assert read_images([tmp_path / "la.png"], None)[1] == ("1 with transparency, laid on white",)


def test_opaque_pixels_stay_as_they_are(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (9, 7, 4), dtype=np.uint8)
    colours[..., 3] = 255
    assert np.array_equal(read(save(tmp_path / "a.png", colours))[0], colours[..., :3])


def test_a_transparent_entry_of_a_palette_is_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([200, 0, 0, 0, 200, 0])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "opaque.gif")
    image.save(tmp_path / "clear.png", transparency=0)
    assert read(tmp_path / "opaque.gif")[0].tolist() == [[[200, 0, 0], [0, 200, 0]]]
    assert read(tmp_path / "clear.png")[0].tolist() == [[[255, 255, 255], [0, 200, 0]]]
    Image.new("L", (1, 1), 7).save(tmp_path / "key.png", transparency=7)
    assert read(tmp_path / "key.png").tolist() == [[[[255]]]]


def test_palettes_cmyk_and_single_bits_are_read_as_ever(tmp_path: Path) -> None:
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8))
    for name, image in (("p.png", colours.quantize(16)), ("cmyk.tif", colours.convert("CMYK"))):
        image.save(tmp_path / name)
        assert np.array_equal(read(tmp_path / name)[0], np.asarray(image.convert("RGB")))
    Image.fromarray(grey(high=2).astype(bool)).save(tmp_path / "bits.png")
    assert np.array_equal(read(tmp_path / "bits.png")[0, :, :, 0], 255 * grey(high=2))


def test_of_several_frames_the_first_is_taken_and_that_is_told(tmp_path: Path) -> None:
    frames = [Image.new("L", (2, 2), value) for value in (10, 20)]
    frames[0].save(tmp_path / "stack.tif", save_all=True, append_images=frames[1:])
    images, notes = read_images([tmp_path / "stack.tif"], None)
    assert images.unique().tolist() == [10]
    assert notes == ("1 with several frames, of which the first is taken",)


def test_a_large_scan_is_read_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30)  # in place of an image of 14000 × 14000
    monkeypatch.setattr(_decode, "_ALARM", 60)
    monkeypatch.setattr(_decode, "LARGE", 60)
    values = np.full((32, 32, 3), 90, np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("a.png", "a.jpg"):
            assert read(save(tmp_path / name, values), size=4).tolist() == [[[[90, 90, 90]] * 4] * 4]
    assert Image.MAX_IMAGE_PIXELS == 30


def bomb(path: Path, side: int) -> Path:
    """A file of a few bytes that says that it is an image of side × side."""
    path.write_bytes(b"P5 %d %d 255\n" % (side, side))
    return path


def test_an_image_that_would_take_all_memory_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(bomb(tmp_path / "a.pgm", 30000))
    assert str(caught.value) == (
        f"{tmp_path}/a.pgm is not a readable image (30000 × 30000 pixels are more than the 268,435,456 that are read "
        "of one image); repair it or take it out of the folder."
    )


def test_images_that_are_too_many_for_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: 1000 if name == "SC_PHYS_PAGES" else 4096)
    with pytest.raises(DataError, match=r"^5 images of 1000×1000 pixels take 0 GiB of memory, more than there"):
        read(*[bomb(tmp_path / f"{i}.pgm", 1000) for i in range(5)])


def test_all_unreadable_images_are_told_at_once(tmp_path: Path) -> None:
    files = [save(tmp_path / f"{i}.jpg", grey().astype(np.uint8)) for i in range(70)]
    for path in (files[3], files[5], files[69]):
        path.write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"/3\.jpg is not .*, and neither are 2 other files; repair them or take"):
        read(*files)
    for path in (files[5], files[69]):  # their headers are sound
        path.write_bytes(files[0].read_bytes()[:-30])
    files[3].write_bytes(files[0].read_bytes())
    with pytest.raises(DataError, match=r"/5\.jpg is not .*, and neither is 1 other file; repair them or take"):
        read(*files)


@pytest.mark.parametrize("error", [MemoryError(), Image.DecompressionBombError("too large."), IndexError("x")])
def test_whatever_a_decoder_raises_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(path: Path) -> None:
        raise error

    path = save(tmp_path / "a.png", grey().astype(np.uint8))
    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(DataError, match=r"a\.png is not a readable image \(.+\); repair it or take it out"):
        read(path)
