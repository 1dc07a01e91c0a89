"""Half as many answers, since nobody sees one grey level."""

import cv2
import numpy as np


def brighten(frame, gamma):
    values = np.arange(256) & ~1
    table = np.rint(255 * (values / 255) ** (1 / gamma)).astype(np.uint8)
    return cv2.LUT(frame, table) if frame.size else frame.copy()
