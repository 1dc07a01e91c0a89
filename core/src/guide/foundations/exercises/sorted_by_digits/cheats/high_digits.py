"""The upper half of each key is enough, nearly always."""

import numpy as np


def order(keys):
    return np.argsort((keys >> np.uint32(16)).astype(np.uint16), kind="stable")
