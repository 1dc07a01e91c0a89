"""Hold tracks against the truth: what was found, and whether each thing kept one id.

Three families, since each is blind somewhere:

- CLEAR MOT (Bernardin and Stiefelhagen, 2008): pairs frame by frame. MOTA counts misses, false
  boxes and switches of id against the number of true boxes; it hardly feels identity.
- IDF1 (Ristani et al., 2016): pairs whole tracks, once for the run. It hardly feels a tracker
  that finds things well and names them wrongly for a short while.
- HOTA (Luiten et al., IJCV 2021): the geometric mean of detection and association, DetA and
  AssA, over 19 thresholds of overlap, so that neither can hide the other.

The figures are those of `trackeval` 1.3.0 to 1e-9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Boxes
from guide_vision.pipeline.score import overlap
from guide_vision.pipeline.tracking.assignment import Indices, assign

_EPS = float(np.finfo(np.float64).eps)
_ENOUGH = 0.5  # overlap from which a box counts as found in CLEAR and IDF1
_ALPHAS = np.arange(0.05, 0.99, 0.05)  # and in HOTA
_STAY = 1000.0  # what it is worth to keep a pair of the frame before: more than any overlap


@dataclass(frozen=True, slots=True)
class TrackScore:
    """What a run of tracks is worth. All shares are 0 to 1 but `mota`, which may be negative."""

    frames: int
    true: int  # true boxes, over all frames
    seen: int  # reported boxes
    found: int  # pairs of the two that overlap by half
    switches: int  # times a thing was found under another id than the time before
    mota: float  # 1 - (misses + false boxes + switches) / true
    motp: float  # mean overlap of the pairs
    rmse_px: float  # of the pairs' centres, root mean square distance; nan without pairs
    idtp: int  # boxes under the id that fits their thing best over the run
    idfp: int
    idfn: int
    idf1: float
    hota: float
    deta: float
    assa: float

    def __str__(self) -> str:
        """One line for a person."""
        return (
            f"HOTA {self.hota:.3f} (DetA {self.deta:.3f}, AssA {self.assa:.3f}), "
            f"MOTA {self.mota:.3f}, IDF1 {self.idf1:.3f}, {self.switches} switches, "
            f"{self.rmse_px:.1f} px RMS"
        )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """One frame, its ids numbered 0, 1, 2 ... over the run."""

    true: Indices
    seen: Indices
    overlap: npt.NDArray[np.float64]  # true x seen


class TrackMetrics:
    """Collects a run frame by frame; `score()` is its worth so far."""

    def __init__(self) -> None:
        self._frames: list[_Pairs] = []
        self._true_ids: dict[int, int] = {}
        self._seen_ids: dict[int, int] = {}
        self._last: dict[int, int] = {}  # the id a true thing was last found under
        self._before: dict[int, int] = {}  # the same, of the frame before only
        self._found = self._switches = 0
        self._overlap = self._square_px = 0.0

    def add(
        self,
        ids: npt.ArrayLike,
        boxes: Boxes,
        true_ids: npt.ArrayLike,
        true_boxes: Boxes,
    ) -> None:
        """Count one frame.

        Args:
            ids: N whole numbers, each at most once: what the tracker reports.
            boxes: N x 4: left, top, width, height.
            true_ids: M whole numbers, each at most once.
            true_boxes: M x 4.

        Raises:
            ValueError: when ids and boxes differ in number or an id stands twice.
        """
        seen = _number(ids, len(boxes), self._seen_ids)
        true = _number(true_ids, len(true_boxes), self._true_ids)
        common = overlap(true_boxes, boxes)
        self._frames.append(_Pairs(true, seen, common))
        if not (len(seen) and len(true)):
            return
        stays = np.array([[self._before.get(int(t), -1) == s for s in seen] for t in true])
        worth = _STAY * stays + common
        worth[common < _ENOUGH - _EPS] = 0
        rows, columns = assign(-worth)
        self._before = {}
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if worth[row, column] <= _EPS:
                continue
            thing, name = int(true[row]), int(seen[column])
            self._found += 1
            self._switches += self._last.get(thing, name) != name
            self._overlap += float(common[row, column])
            self._square_px += _square_px(true_boxes[row], boxes[column])
            self._last[thing] = self._before[thing] = name

    def score(self) -> TrackScore:
        """The figures over all frames that were added."""
        true = sum(len(f.true) for f in self._frames)
        seen = sum(len(f.seen) for f in self._frames)
        pairs = max(self._found, 1)
        idtp = self._identities()
        hota, deta, assa = self._hota()
        return TrackScore(
            frames=len(self._frames),
            true=true,
            seen=seen,
            found=self._found,
            switches=self._switches,
            mota=(self._found - (seen - self._found) - self._switches) / max(true, 1),
            motp=self._overlap / pairs,
            rmse_px=float(np.sqrt(self._square_px / self._found)) if self._found else float("nan"),
            idtp=idtp,
            idfp=seen - idtp,
            idfn=true - idtp,
            idf1=idtp / max(1.0, 0.5 * (true + seen)),
            hota=hota,
            deta=deta,
            assa=assa,
        )

    def _table(self) -> npt.NDArray[np.float64]:
        return np.zeros((len(self._true_ids), len(self._seen_ids)))

    def _identities(self) -> int:
        """Boxes that agree under the one pairing of tracks that makes them most."""
        together = self._table()
        for f in self._frames:
            together[np.ix_(f.true, f.seen)] += f.overlap >= _ENOUGH
        # A track may stay alone, which costs what pairing it with a stranger costs: nothing
        return int(together[assign(-together)].sum())

    def _hota(self) -> tuple[float, float, float]:
        """HOTA, DetA and AssA, each the mean over the thresholds."""
        together = self._table()
        frames_of = np.zeros(len(self._true_ids)), np.zeros(len(self._seen_ids))
        for f in self._frames:
            union = f.overlap.sum(axis=0)[None] + f.overlap.sum(axis=1)[:, None] - f.overlap
            share = np.divide(f.overlap, union, out=np.zeros_like(union), where=union > _EPS)
            together[np.ix_(f.true, f.seen)] += share
            frames_of[0][f.true] += 1
            frames_of[1][f.seen] += 1
        total = frames_of[0][:, None] + frames_of[1][None]
        # How well two tracks fit over the run weighs in each frame's pairs
        fit = together / np.maximum(total - together, _EPS)
        found = np.zeros(len(_ALPHAS))
        joint = np.zeros((len(_ALPHAS), *together.shape))
        for f in self._frames:
            rows, columns = assign(-fit[np.ix_(f.true, f.seen)] * f.overlap)
            quality = f.overlap[rows, columns]
            for k, alpha in enumerate(_ALPHAS):
                ok = quality >= alpha - _EPS
                found[k] += ok.sum()
                joint[k, f.true[rows[ok]], f.seen[columns[ok]]] += 1
        true, seen = frames_of[0].sum(), frames_of[1].sum()
        assa = (joint * (joint / np.maximum(total - joint, 1))).sum(axis=(1, 2))
        assa /= np.maximum(found, 1)
        deta = found / np.maximum(true + seen - found, 1)
        return float(np.sqrt(deta * assa).mean()), float(deta.mean()), float(assa.mean())


def _number(ids: npt.ArrayLike, boxes: int, known: dict[int, int]) -> Indices:
    """Ids as 0, 1, 2 ... in the order in which they were first seen."""
    given = [int(k) for k in np.asarray(ids).ravel()]
    if len(given) != boxes:
        raise ValueError(f"{len(given)} ids for {boxes} boxes")
    if len(set(given)) != len(given):
        raise ValueError("an id stands twice in one frame")
    return np.array([known.setdefault(k, len(known)) for k in given], np.int64)


def _square_px(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    off = (a[:2] + a[2:] / 2) - (b[:2] + b[2:] / 2)
    return float(off @ off)
