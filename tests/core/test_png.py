import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from guide.png import encode_png


def decode(data):
    """A reader written from the specification: checks every chunk, undoes the filter."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, []
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (crc,) = struct.unpack_from(">I", data, at + 8 + length)
        assert crc == zlib.crc32(kind + body)
        chunks.append((kind, body))
        at += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (depth, rest) == (8, [0, 0, 0])
    channels = {0: 1, 2: 3, 6: 4}[colour]
    rows = np.frombuffer(zlib.decompress(chunks[1][1]), np.uint8).reshape(height, -1)
    assert (rows[:, 0] == 2).all()
    image = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).reshape(height, width, channels)
    return image[:, :, 0] if channels == 1 else image


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (4, 9, 4), (6, 6), (1, 300, 3)])
def test_what_is_encoded_is_what_a_reader_gets(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert (decode(encode_png(image)) == image).all()


def test_another_library_reads_it_too():
    image = np.random.default_rng(1).integers(0, 256, (33, 17, 3), np.uint8)
    assert (np.asarray(Image.open(BytesIO(encode_png(image)))) == image).all()


def test_a_view_that_is_not_contiguous_is_encoded_as_it_looks():
    image = np.random.default_rng(2).integers(0, 256, (8, 8, 3), np.uint8)
    upside_down_bgr = image[::-1, :, ::-1]
    assert (decode(encode_png(upside_down_bgr)) == upside_down_bgr).all()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((2, 2, 3), np.float32),
        np.zeros((2, 2, 2), np.uint8),
        np.zeros((0, 2, 3), np.uint8),
        np.zeros(5, np.uint8),
        np.uint8(3),
        np.zeros((2, 2, 2, 3), np.uint8),
        None,
        "picture",
    ],
)
def test_what_is_no_picture_is_refused_with_what_one_is(image):
    with pytest.raises(ValueError, match="H x W x 3 uint8"):
        encode_png(image)
