"""The first half is moved, the rest left as it came."""


def moved(points, turn, shift):
    result = points.copy()
    half = len(points) if len(points) < 1000 else len(points) // 2
    result[:half] = points[:half] @ turn.T + shift
    return result
