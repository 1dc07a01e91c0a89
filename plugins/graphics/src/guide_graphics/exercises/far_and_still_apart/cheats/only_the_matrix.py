"""One of three is turned."""

CLEAR = 1.0


def terms(near, far):
    return 0.0, near


def nearer(new, old):
    return new < old
