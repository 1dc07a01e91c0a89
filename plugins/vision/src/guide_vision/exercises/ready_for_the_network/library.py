"""What OpenCV has for it: right for one spread, so the spread comes after."""

import cv2
import numpy as np

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def prepare(frame: np.ndarray, out: np.ndarray) -> np.ndarray:
    """A blob, then a division in place."""
    mean = [255 * m for m in MEAN]
    blob = cv2.dnn.blobFromImage(frame, 1 / 255, mean=mean, swapRB=True)[0]
    blob /= np.array(SPREAD, np.float32)[:, None, None]
    out[...] = blob
    return out
