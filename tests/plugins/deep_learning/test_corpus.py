"""Text without a download, parted so that nothing lies on both sides."""

import hashlib
import os
import resource
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from guide.errors import GuideError
from guide_deep_learning.training.data import corpus as corpus_module
from guide_deep_learning.training.data.batches import windows
from guide_deep_learning.training.data.corpus import (
    HELD_OUT,
    as_text,
    is_held_out,
    open_corpus,
    stdlib,
)


def make_folder(root: Path, files: int) -> Path:
    for n in range(files):
        (root / f"part{n:03d}.txt").write_text(f"text number {n} is this one\n" * 10)
    return root


def test_the_standard_library_is_there_and_the_same_each_time() -> None:
    first, second = open_corpus("stdlib"), open_corpus("stdlib")
    assert first.size > 5_000_000
    assert first.sha256 == second.sha256
    assert 0.01 < len(first.held_out) / first.size < 0.12
    assert first.split == "by file"


def test_a_file_lies_on_one_side() -> None:
    corpus = open_corpus("stdlib")
    root = Path(sysconfig.get_path("stdlib"))
    sides = {True: corpus.held_out.tobytes(), False: corpus.train.tobytes()}
    for name in ("argparse.py", "json/decoder.py", "http/client.py", "ast.py", "csv.py"):
        content = (root / name).read_bytes()
        assert content in sides[is_held_out(name)]
        assert content not in sides[not is_held_out(name)]


def test_tests_and_files_of_this_machine_are_left_out(tmp_path: Path) -> None:
    kept = "kept = True\n" * 100_000
    for name, text in (
        ("a.py", kept),
        ("test/b.py", "NO1"),
        ("json/tests/b.py", "NO2"),
        ("site-packages/c.py", "NO3"),
        ("_sysconfigdata__linux.py", "NO4"),
        ("config-3.11/python-config.py", "NO5"),
        ("notes.txt", "NO6"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    corpus = stdlib(tmp_path)
    assert corpus.files == 1
    assert b"NO" not in corpus.train.tobytes() + corpus.held_out.tobytes()


def test_a_stripped_installation_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "os.py").write_text("pass\n")
    with pytest.raises(GuideError, match=r"too little text .*1 files.*--set corpus=PATH"):
        stdlib(tmp_path)


def test_about_one_file_in_twenty_is_held_out() -> None:
    share = sum(is_held_out(f"folder/file{n}.py") for n in range(10_000)) / 10_000
    assert share == pytest.approx(HELD_OUT, abs=0.01)


def test_other_files_never_move_a_file_to_the_other_side(tmp_path: Path) -> None:
    held_out = open_corpus(str(make_folder(tmp_path, 200))).held_out.tobytes()
    for n in range(0, 200, 3):
        if not is_held_out(f"part{n:03d}.txt"):
            (tmp_path / f"part{n:03d}.txt").unlink()
    assert open_corpus(str(tmp_path)).held_out.tobytes() == held_out


def test_one_file_is_cut_by_position(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(bytes(range(1, 101)) * 100)
    corpus = open_corpus(str(path))
    assert corpus.train.tobytes() + corpus.held_out.tobytes() == path.read_bytes()
    assert len(corpus.held_out) == 500
    assert corpus.vocabulary == 128
    assert not corpus.train.flags.writeable


def test_a_few_files_are_cut_by_position(tmp_path: Path) -> None:
    corpus = open_corpus(str(make_folder(tmp_path, 9)))
    assert corpus.split == "by position"
    assert len(corpus.held_out) == round(corpus.size * HELD_OUT)


def test_a_relative_path_is_seen_from_the_base(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("é" * 2000)
    corpus = open_corpus("text.txt", base=tmp_path)
    assert (corpus.name, corpus.vocabulary) == ("text.txt", 256)


def test_hidden_and_binary_files_are_no_text(tmp_path: Path) -> None:
    make_folder(tmp_path, 20)
    (tmp_path / "image.png").write_bytes(b"\x89PNG\0\0\0HIDDEN")
    (tmp_path / ".secret").write_text("HIDDEN")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("HIDDEN")
    corpus = open_corpus(str(tmp_path))
    assert b"HIDDEN" not in corpus.train.tobytes() + corpus.held_out.tobytes()
    assert corpus.files == 20


def test_an_empty_folder_an_empty_file_and_nothing_are_one_line_each(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.txt").touch()
    for name, said in (("empty", "0 files"), ("empty.txt", "under 2000"), ("gone", "No such")):
        with pytest.raises(GuideError, match=said) as caught:
            open_corpus(str(tmp_path / name))
        assert "--set corpus=PATH" in caught.value.remedy
        assert "\n" not in str(caught.value)


def test_text_is_safe_to_print() -> None:
    assert as_text(b"a\tb\n\x1b[31m\xff\0") == "a\tb\n·[31m\ufffd·"


def test_what_a_project_wrote_itself_is_left_out(tmp_path: Path) -> None:
    make_folder(tmp_path, 20)
    for name in ("runs", "checkpoints", "chapter"):
        (tmp_path / name).mkdir()
        make_folder(tmp_path / name, 1)
    corpus = open_corpus(".", tmp_path, without=[tmp_path / "runs", tmp_path / "checkpoints"])
    assert corpus.files == 21


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
    with pytest.raises(GuideError, match=r"cannot read .*gone\.py: No such file"):
        stdlib(tmp_path)


def test_the_folder_of_nobody_is_one_line() -> None:
    with pytest.raises(GuideError, match=r"there is no folder ~nosuchperson/x") as caught:
        open_corpus("~nosuchperson/x")
    assert "\n" not in str(caught.value)


TEXT = b"a line of plain text\n" * 1000


def refused(source: Path) -> str:
    with pytest.raises(GuideError) as caught:
        open_corpus(str(source))
    assert "\n" not in str(caught.value)
    assert "--set corpus=PATH" in caught.value.remedy
    return caught.value.message


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(b"\x7fELF" + bytes(5000))
    assert "is no text: a zero byte is in it" in refused(tmp_path / "program")


def test_the_sha_of_a_mapped_file_is_that_of_the_same_bytes_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT)
    corpus = open_corpus(str(path))
    digest = hashlib.sha256(f"{len(corpus.train)} {len(corpus.held_out)} ".encode() + TEXT)
    assert corpus.sha256 == digest.hexdigest()


def test_looking_through_in_pieces_misses_no_byte(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT + b"\xff")
    whole = open_corpus(str(path))
    sha, vocabulary = whole.sha256, whole.vocabulary
    monkeypatch.setattr(corpus_module, "_PIECE", 7)
    pieces = open_corpus(str(path))
    assert (pieces.sha256, pieces.vocabulary) == (sha, vocabulary) == (sha, 256)


def test_five_gigabytes_are_opened_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.txt"
    with path.open("wb") as file:
        file.write(TEXT)
        file.truncate(5 * 10**9)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_inblock
    assert open_corpus(str(path)).size == 5 * 10**9
    assert resource.getrusage(resource.RUSAGE_SELF).ru_inblock - before < 10_000  # of 512 bytes


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units there")
def test_a_file_larger_than_the_memory_used_is_hashed(tmp_path: Path) -> None:
    path = tmp_path / "sparse.txt"
    with path.open("wb") as file:
        file.write(TEXT)
        file.truncate(300_000_000)
    code = """
import resource, sys
from guide_deep_learning.training.data.corpus import open_corpus
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
corpus = open_corpus(sys.argv[1])
before = peak()
corpus.sha256, corpus.vocabulary
print(peak() - before)
"""
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50_000  # kB


def test_a_file_that_changes_while_it_trains_stops_it(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT)
    for change in (lambda f: f.truncate(100), lambda f: f.write(b"X"), lambda f: f.seek(0, 2)):
        path.write_bytes(TEXT)
        corpus = open_corpus(str(path))
        corpus.check()
        with path.open("r+b") as file:
            change(file)
        os.utime(path, ns=(1, 1))  # two writes within one tick of the file system's clock
        with pytest.raises(GuideError, match="changed while it was trained on") as caught:
            corpus.check()
        assert "\n" not in str(caught.value)


def test_a_file_that_is_replaced_or_removed_goes_on_as_it_was(tmp_path: Path) -> None:
    path, other = tmp_path / "text.txt", tmp_path / "other.txt"
    path.write_bytes(TEXT)
    corpus = open_corpus(str(path))
    other.write_bytes(b"short")
    other.replace(path)
    corpus.check()
    path.unlink()
    corpus.check()
    assert corpus.train.tobytes() + corpus.held_out.tobytes() == TEXT


def test_links_in_a_circle_are_passed_over_in_a_folder_and_refused_alone(tmp_path: Path) -> None:
    make_folder(tmp_path, 20)
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "inside").symlink_to(tmp_path)
    assert open_corpus(str(tmp_path)).files == 20
    assert "Too many levels" in refused(tmp_path / "a")


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    make_folder(tmp_path, 20)
    os.mkfifo(tmp_path / "pipe")
    assert open_corpus(str(tmp_path)).files == 20


def test_a_folder_with_more_text_than_memory_is_sent_to_one_file(
    tmp_path: Path, monkeypatch
) -> None:
    make_folder(tmp_path, 20)
    with (tmp_path / "huge.txt").open("wb") as file:
        file.write(TEXT)
        file.truncate(5 * 10**9)
    monkeypatch.setattr(corpus_module, "most_bytes", lambda: 1_000_000)
    with pytest.raises(GuideError, match=r"takes more than 1 MB of memory; put it into one file"):
        open_corpus(str(tmp_path))


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder that a person without rights can enter; root is such a person for the test."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        root = os.geteuid() == 0

        def become(user: int) -> None:
            if root:
                os.seteuid(user)

        make_folder(folder, 20)
        (folder / "locked").mkdir(mode=0)
        (folder / "secret.txt").write_bytes(TEXT)
        (folder / "secret.txt").chmod(0)
        become(65534)
        try:
            yield folder
        finally:
            become(0)
            (folder / "locked").chmod(0o700)


def test_what_may_not_be_read_is_named(as_nobody: Path) -> None:
    assert refused(as_nobody / "secret.txt").endswith("secret.txt: Permission denied")
    assert refused(as_nobody).endswith("locked: Permission denied")


def test_a_batch_from_a_map_is_that_from_memory(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT)
    train = open_corpus(str(path)).train
    assert np.array_equal(windows(train, 3, 5, 4, 16), windows(np.array(train), 3, 5, 4, 16))
