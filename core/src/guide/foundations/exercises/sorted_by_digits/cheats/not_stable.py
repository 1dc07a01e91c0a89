"""Quick, and equal keys come as they like."""

import numpy as np


def order(keys):
    return np.argsort(keys)
