"""Constants of rate-distortion optimised quantisation, done in `bandpress.contexts.kernels`.

Each coefficient is rounded to what costs least in bits + worth · squared error, given the table that its context
chooses (rate-distortion optimised quantisation, Karczewicz, Ye & Chong, ITU-T VCEG-AH21, 2008).
"""

import math

import numpy as np

from bandpress.contexts.model import MOST

#: Bits that a squared error of one squared step is worth: what a bit is worth where the rate is high, since
#: D = step² / 12 and -dR/dD = 1 / (2 ln 2 · D).
WORTH = 6 / math.log(2)
#: Bits that a lone coefficient of a component costs, at least.
LONE = 7.0
#: What rounding adds before it is known what a coefficient costs.
ROUNDING = 0.36


def rounded(steps: np.ndarray) -> np.ndarray:
    """Round magnitudes in quantiser steps with a dead zone, before their costs are known; int32."""
    return np.minimum(steps + ROUNDING, MOST).astype(np.int32)
