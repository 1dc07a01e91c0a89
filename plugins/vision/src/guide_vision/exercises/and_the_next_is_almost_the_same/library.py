"""What OpenCV does; its sums are doubles as well."""

import cv2
import numpy as np


def box(image: np.ndarray, radius: int) -> np.ndarray:
    """Sums over the window, by how many pixels it holds."""
    size = (2 * radius + 1, 2 * radius + 1)
    border = cv2.BORDER_CONSTANT
    sums = cv2.boxFilter(image, cv2.CV_64F, size, normalize=False, borderType=border)
    ones = np.ones(image.shape, np.float32)
    count = cv2.boxFilter(ones, cv2.CV_64F, size, normalize=False, borderType=border)
    return (sums / count).astype(np.float32)
