import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samcli.data.sources._decode import header, pixels
from samcli.data.sources._images import ImageFiles
from samcli.data.sources._resized import Resizing
from samcli.data.sources._stored import Region, opened
from samcli.errors import DataError

TEXT = bytes(range(256)) * 1000


@pytest.fixture
def region(tmp_path: Path) -> Region:
    (tmp_path / "many.bin").write_bytes(b"before" + TEXT + b"after")
    return Region(tmp_path / "many.bin", 6, len(TEXT), "middle")


def test_a_region_is_read_as_a_file_of_its_bytes_alone(region: Region) -> None:
    generator = np.random.default_rng(0)
    twin = io.BytesIO(TEXT)
    with region.open() as file:
        for _ in range(300):
            whence = int(generator.integers(3))
            low = {io.SEEK_SET: 0, io.SEEK_CUR: -twin.tell(), io.SEEK_END: -len(TEXT)}[whence]
            offset, size = int(generator.integers(low, low + len(TEXT) + 99)), int(generator.integers(-1, 70_000))
            assert file.seek(offset, whence) == twin.seek(offset, whence)
            assert file.read(size) == twin.read(size)
            assert file.tell() == twin.tell()
        with pytest.raises(ValueError, match=r"-1"):
            file.seek(-1)


def test_threads_read_one_file_at_once(region: Region) -> None:
    got = []

    def read() -> None:
        with region.open() as file:
            got.append(b"".join(iter(lambda: file.read(1000), b"")))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [TEXT] * 8


def test_a_file_that_became_shorter_is_no_shorter_image(region: Region) -> None:
    region.path.write_bytes(TEXT[:100])
    with region.open() as file, pytest.raises(OSError, match=r"many.bin has become shorter"):
        file.read()
    with pytest.raises(OSError, match=r"many.bin has become shorter"):
        Region(region.path, 90, 11, "of few bytes").open()
    with Region(region.path, 90, 10, "of few bytes").open() as file:
        assert file.read() == TEXT[90:100]


@pytest.mark.parametrize("side", [40, 300])  # read at once, and in pieces
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "gif", "bmp"])
def test_an_image_is_the_same_in_a_file_of_its_own_and_within_another(tmp_path: Path, suffix: str, side: int) -> None:
    own, many = tmp_path / f"own.{suffix}", tmp_path / "many.bin"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, 230, 3), dtype=np.uint8)).save(own)
    content = own.read_bytes()
    many.write_bytes(b"x" * 777 + content + b"y" * 50)
    region = Region(many, 777, len(content), own.name)
    assert header(region) == header(own)
    for resizing in (Resizing(), Resizing((8, 9), "pad")):
        one, other = (pixels(stored, resizing, grey=False, depth=None) for stored in (own, region))
        assert np.array_equal(one, other)


def test_the_file_is_closed_where_the_image_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "many.bin").write_bytes(b"no image at all, and another")
    regions = [Region(tmp_path / "many.bin", at, 4, f"{at}.png") for at in (0, 4, 8)]
    with pytest.raises(DataError) as error:
        ImageFiles.of(regions, Resizing())
    assert str(error.value) == (
        f"{tmp_path}/many.bin: 0.png is not a readable image (Pillow knows no such format), and neither are "
        "2 other images; repair them or take them out of the shard."
    )
    with opened(regions[0]) as file:
        pass
    assert not isinstance(file, Path)
    assert file.closed
