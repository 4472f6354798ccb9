"""Peak signal-to-noise ratio, at the peak of 16 bits unless another is given."""

import math

#: Largest value of 16-bit unsigned samples.
PEAK = 65535.0


def psnr(mse: float, peak: float = PEAK) -> float:
    """Return the peak signal-to-noise ratio in dB; infinite for a mean squared error of 0.

    Parameters
    ----------
    mse
        Mean squared error.
    peak
        Peak of the signal, in the unit of the samples.
    """
    if mse <= 0:
        return math.inf
    return 10 * math.log10(peak**2 / mse) if peak > 0 else -math.inf
