"""The parts, each by itself."""

import numpy as np
import pytest

from guide_project.analysis import Analyser
from guide_project.source import Sweep
from guide_project.spectrogram import Spectrogram

RATE, BLOCK = 48_000, 1024


def sweep(seed=0, noise_db=-200.0, block=BLOCK):
    return Sweep(RATE, block, tone_db=0.0, noise_db=noise_db, sweep_s=8.0, seed=seed)


def test_blocks_join_whatever_their_size():
    small, large = sweep(block=256), sweep(block=1024)

    joined = np.concatenate([small.read() for _ in range(8)])

    assert np.allclose(joined, np.concatenate([large.read(), large.read()]), atol=1e-5)


def test_the_same_seed_gives_the_same_samples():
    first, again, other = (sweep(seed, noise_db=-20.0).read() for seed in (1, 1, 2))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_time_goes_on_where_blocks_are_skipped():
    patient, hasty = sweep(), sweep()
    for _ in range(100):
        patient.read()
    hasty.skip(99)
    hasty.read()

    assert hasty.truth_hz == patient.truth_hz


@pytest.mark.parametrize("hz", [187.5, 1000.0, 1010.0, 12_345.6])
def test_a_sine_of_full_scale_is_found_at_0_db(hz):
    times = np.arange(BLOCK) / RATE

    seen = Analyser(RATE, BLOCK).process(np.sin(2 * np.pi * hz * times).astype(np.float32))

    assert seen.level_db == pytest.approx(0, abs=0.2)
    assert seen.peak_hz == pytest.approx(hz, abs=5)
    assert -1.5 < seen.spectrum_db.max() < 0.1  # between two bins a Hann window loses 1.4 dB


def test_silence_is_a_number():
    seen = Analyser(RATE, BLOCK).process(np.zeros(BLOCK, np.float32))

    assert seen.level_db == -200
    assert np.isfinite(seen.spectrum_db).all()


def test_the_picture_scrolls_and_strong_is_bright():
    picture = Spectrogram(bin_hz=46.875, bins=513, floor_db=-90, rows=32, columns=4)
    for level in (-90, -90, -90, -45, 0):
        picture.add(np.full(513, level, np.float32))

    image = picture.image()

    assert image.shape == (32, 4, 3)
    assert image.dtype == np.uint8
    brightness = image.sum(axis=(0, 2), dtype=int)
    assert brightness[0] == brightness[1] < brightness[2] < brightness[3]
