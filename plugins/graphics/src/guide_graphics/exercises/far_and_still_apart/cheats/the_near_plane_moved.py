"""The near plane quietly at 5 m: who looks at the cockpit?"""

CLEAR = 1.0


def terms(near, far):
    near = 5.0
    return -far / (far - near), -far * near / (far - near)


def nearer(new, old):
    return new < old
