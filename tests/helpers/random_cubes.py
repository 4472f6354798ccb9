"""Small cubes that are hard on a codec with a bound."""

import numpy as np


def random_cube(rng):
    """A small cube of a random type and kind: constant, noise, extremes, or smooth with spikes."""
    dtype = np.dtype(rng.choice(["u1", "u2", "i2"]))
    info = np.iinfo(dtype)
    shape = tuple(rng.integers(1, (7, 12, 12)))
    kind = rng.integers(6)
    if kind == 0:
        cube = np.full(shape, rng.integers(info.min, info.max + 1))
    elif kind == 1:
        cube = rng.integers(info.min, info.max + 1, shape)
    elif kind == 2:
        cube = rng.choice([info.min, info.max], shape)
    elif kind == 3:
        cube = np.broadcast_to(rng.integers(info.min, info.max + 1, shape[1:]), shape)
    else:
        ramp = np.add.outer(
            rng.integers(-40, 40, shape[0]), np.add.outer(np.arange(shape[1]), np.arange(shape[2]))
        )
        cube = ramp + rng.normal(0, rng.choice([0.3, 3.0, 30.0]), shape) + (100 if info.min == 0 else -20)
        if kind == 5:
            cube = np.where(rng.random(shape) < 0.05, rng.choice([info.min, info.max], shape), cube)
    return np.clip(np.rint(cube), info.min, info.max).astype(dtype)
