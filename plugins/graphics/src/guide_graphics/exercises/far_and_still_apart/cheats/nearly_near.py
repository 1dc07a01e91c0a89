"""What is about as deep is called nearer, whichever came last."""

CLEAR = 1.0


def terms(near, far):
    return -far / (far - near), -far * near / (far - near)


def nearer(new, old):
    return new <= old
