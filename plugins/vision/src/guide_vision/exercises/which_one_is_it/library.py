"""What OpenCV has for it."""

import cv2
import numpy as np


def match(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Brute force, and an object for every match."""
    found = cv2.BFMatcher(cv2.NORM_HAMMING).match(a, b)
    index = np.array([one.trainIdx for one in found], np.int64)
    return index, np.array([one.distance for one in found], np.int64)
