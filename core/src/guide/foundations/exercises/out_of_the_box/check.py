"""Energies, against exact summation."""

import math


def make_input(rng, case):
    """Masses and two velocities of so many particles."""
    return rng.random(case) + 0.1, rng.normal(0, 10, case), rng.normal(0, 10, case)


def expected(mass, vx, vy):
    """Half the mass times the speed squared, summed without rounding."""
    return 0.5 * math.fsum((mass * (vx * vx + vy * vy)).tolist())


def compare(got, want, *arguments):
    """Equal to 1e-9 of it."""
    if not isinstance(got, float):
        return f"a float is wanted, not {type(got).__name__}"
    close = math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-12)
    return "" if close else f"expected {want:.12g}, got {got:.12g}"


def work(mass, vx, vy):
    """Each number is read once; five operations a particle."""
    return {"bytes": mass.nbytes + vx.nbytes + vy.nbytes, "flops": 5 * mass.size}


def smaller(mass, vx, vy):
    """Each half of the particles."""
    half = len(mass) // 2
    if half:
        for part in (slice(None, half), slice(half, None)):
            yield tuple(one[part].copy() for one in (mass, vx, vy))
