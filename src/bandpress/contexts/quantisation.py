"""Constants of rate-distortion optimised quantisation, done in `bandpress.contexts.kernels`.

Each coefficient is quantised to the value that minimises bits + worth · squared error, given the table that its context
chooses (rate-distortion optimised quantisation, Karczewicz, Ye & Chong, ITU-T VCEG-AH21, 2008).
"""

import math

import numpy as np

from bandpress.contexts.kernels.constants import MOST

#: Bits that one squared step of squared error is worth at high rates, where D = step² / 12 and -dR/dD = 1 / (2 ln 2 ·
#: D).
WORTH = 6 / math.log(2)
#: Least cost in bits of a component's only coefficient.
LONE = 7.0
#: Rounding offset before the cost of a coefficient is known.
ROUNDING = 0.36


def rounded(steps: np.ndarray) -> np.ndarray:
    """Round magnitudes in quantiser steps with a dead zone, before their costs are known; int32."""
    return np.minimum(steps + ROUNDING, MOST).astype(np.int32)
