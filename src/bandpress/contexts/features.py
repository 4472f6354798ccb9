"""Features of a wavelet coefficient that the decoder knows before reading it.

Coefficients are coded component by component, from coarse subbands to fine ones, and within a subband in four passes
over its places: even lines and samples, odd ones, and the two mixed kinds. So all coefficients of a pass can be coded
together, and most have known neighbours on all sides (Wu, "High-order context modeling and embedded conditional entropy
coding of wavelet coefficients", Asilomar 1997, uses the causal half of them). The features are magnitudes of those
neighbours, of the parent in the next coarser subband, of the other orientations of the same level, and of earlier
components. They and their logarithms are integers, so that encoder and decoder agree to the bit.
`bandpress.contexts.kernels` computes them.
"""

import numpy as np

from bandpress.transforms.wavelet import subbands

#: Value of one octave of magnitude in the features.
OCTAVE = 16
#: Number of features of a place, of features shared by all places of a pass, and of all features.
LOCAL, SHARED = 19, 22
FEATURES = LOCAL + SHARED
#: Largest energy in a file.
MOST_ENERGY = 63
#: Largest value of each feature, for images of up to 2^20 lines and samples.
MOST_FEATURES = np.array(
    [16 * OCTAVE] * 16  # logarithms of magnitudes and of sums, which are capped
    + [64 * OCTAVE] * 2  # traces
    + [16 * OCTAVE]  # children
    + [32 * OCTAVE] * 3  # means, which count halves
    + [MOST_ENERGY * OCTAVE // 2] * 2
    + [OCTAVE] * 15  # marks
    + [20 * OCTAVE, 4 * OCTAVE]  # level, component
)
_ENERGY_SHIFT = 6  # energies are of magnitudes in units of 1/64


def levels_of(lines: int, samples: int) -> int:
    """Return the number of wavelet levels: until the shorter side has two or three samples."""
    return max(1, (min(lines, samples) - 1).bit_length() - 1)


def bands_of(lines: int, samples: int) -> np.ndarray:
    """Return the bands of an image in coding order.

    Returns
    -------
    numpy.ndarray
        int64, shape (bands, 6): level, orientation, first line, line after the last, and the same of samples.
    """
    return np.array(
        [
            (b.level, b.orientation, b.lines.start, b.lines.stop, b.samples.start, b.samples.stop)
            for b in subbands(lines, samples, levels_of(lines, samples))
        ],
        np.int64,
    )


def energy_of(total: int, places: int) -> int:
    """Return the energy of a component in half octaves; 0 for an empty one.

    Parameters
    ----------
    total
        Sum of its magnitudes.
    places
        Their number.
    """
    mean = min((total << _ENERGY_SHIFT) // places, 1 << 40)
    return min(max(int(np.log2(mean + 1.0) * 2), 1), MOST_ENERGY) if total else 0
