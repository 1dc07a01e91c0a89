"""The factory: parts come by on a belt, are looked at, graded and written down."""

import gc
import hashlib
import io
import logging
import queue
import threading
import time

import numpy as np

KINDS = 8
FORMULA = "(3 * light + 5 * edges + 7 * spots + 11 * tones + kind) % 10007"
WEIGHTS = 2048

log = logging.getLogger("factory")
log.setLevel(logging.DEBUG)
log.propagate = False
log.addHandler(logging.StreamHandler(io.StringIO()))


def load_model() -> list[int]:
    """The weight of each tone, as the supplier's tables have it."""
    weights = []
    for i in range(WEIGHTS):
        weights.append((i * 2654435761 >> 7) % 251)
    return weights


def belt(photo: np.ndarray) -> np.ndarray:
    """Move a photo from the camera to the inspector, row by row."""
    rows: queue.Queue[np.ndarray] = queue.Queue()
    for row in photo:
        rows.put(row)
    moved = []
    while not rows.empty():
        moved.append(rows.get())
    return np.stack(moved)


def brightness(photo: np.ndarray) -> int:
    """All light in a photo."""
    total = 0
    for column in range(photo.shape[1]):
        total += int(photo[:, column].sum(dtype=np.int64))
    return total


def sharpness(photo: np.ndarray) -> int:
    """How much neighbours in a row differ, all in all."""
    total = 0.0
    for row in photo.astype(np.float64):  # so that a difference may be negative
        log.debug("a row of %d pixels, mean %s", len(row), row[0])
        total += np.abs(np.diff(row)).sum()
    return int(total)


def bright_spots(photo: np.ndarray) -> int:
    """Where the photo is nearly white: the places, added up."""
    places = np.zeros(0, np.int64)
    for place, value in enumerate(photo.reshape(-1).tolist()):
        if value > 250:
            places = np.append(places, place)
    return int(places.sum())


class Tones:
    """How often each tone occurs. Safe to be used by several inspectors at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts = [0] * 256

    def add(self, value: int) -> None:
        """Count one pixel."""
        with self.lock:
            self.counts[value] += 1


def tone(photo: np.ndarray) -> int:
    """The tones of a photo, weighed by the model."""
    weights = load_model()
    tones = Tones()
    for value in photo.reshape(-1).tolist():
        tones.add(value)
    return sum(weights[value] * count for value, count in enumerate(tones.counts))


def grade(light: int, edges: int, spots: int, tones: int) -> list[int]:
    """A grade for each kind of part, by the formula of the quality department."""
    names = {"light": light, "edges": edges, "spots": spots, "tones": tones}
    return [eval(FORMULA, {}, {**names, "kind": kind}) for kind in range(KINDS)]


def inspect(photo: np.ndarray, found: list[str]) -> None:
    """Look at one part."""
    photo = belt(photo)
    light, edges = brightness(photo), sharpness(photo)
    spots, tones = bright_spots(photo), tone(photo)
    grades = grade(light, edges, spots, tones)
    found.append(f"{light} {edges} {spots} {tones} {grades}")


def report(photos: np.ndarray, names: list[str]) -> str:
    """Inspect all parts; the fingerprint of what was found.

    Args:
        photos: parts x rows x columns, of uint8.
        names: of the parts.
    """
    lines = []
    for number, (photo, name) in enumerate(zip(photos, names, strict=True)):
        found: list[str] = []
        inspector = threading.Thread(target=inspect, args=(photo, found))
        inspector.start()
        while inspector.is_alive():  # look whether it is done
            time.sleep(0.001)
        inspector.join()
        lines.append(f"{name} {found[0]}")
        if number % 16 == 0:
            gc.collect()  # keep memory tidy
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


if __name__ == "__main__":
    rng = np.random.default_rng(1)
    some = rng.integers(0, 256, (160, 48, 64)).astype(np.uint8)
    print(report(some, [f"part {i}" for i in range(160)]))  # noqa: T201
