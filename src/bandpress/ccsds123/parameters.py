"""Parameters of CCSDS 123.0-B-2, by the names and symbols of the standard, and their limits."""

from dataclasses import dataclass

from bandpress.errors import CodecError

#: Names in the order of the header's codes.
LOCAL_SUMS = ("wide-neighbour", "narrow-neighbour", "wide-column", "narrow-column")
CODERS = ("sample-adaptive", "hybrid")


@dataclass(frozen=True)
class Parameters:
    """Parameters shared by encoder and decoder. Section numbers are those of CCSDS 123.0-B-2.

    Parameters
    ----------
    bits, signed
        Dynamic range D and kind of the samples.
    max_error
        Absolute error limit m, the same for all bands; 0 is lossless (4.8).
    prediction_bands
        P, 0 to 15 (4.3).
    reduced
        Reduced prediction mode instead of full (4.3).
    local_sum
        One of `LOCAL_SUMS` (4.4).
    register, resolution
        Size R of the register and resolution Omega of the weights (4.6, 4.7).
    interval, first_exponent, last_exponent
        Logarithm of the weight update interval t_inc, and the exponents nu_min and nu_max of the update (4.9).
    representative, damping, offset
        Resolution Theta of sample representatives, damping phi and offset psi (4.9.1). All zero: bin centres.
    coder
        One of `CODERS` (5.4).
    unary_limit, rescaling, initial_count, accumulator
        U_max, gamma*, gamma_0 and K of the coder (5.4.3); the hybrid coder has no K.
    """

    bits: int = 16
    signed: bool = False
    max_error: int = 0
    prediction_bands: int = 3
    reduced: bool = False
    local_sum: str = "wide-neighbour"
    register: int = 64
    resolution: int = 19
    interval: int = 6
    first_exponent: int = -1
    last_exponent: int = 3
    representative: int = 0
    damping: int = 0
    offset: int = 0
    coder: str = "sample-adaptive"
    unary_limit: int = 18
    rescaling: int = 6
    initial_count: int = 1
    accumulator: int = 5

    def __post_init__(self) -> None:
        most = (1 << self.representative) - 1
        ranges = {
            "bits": (2, 16),
            "max_error": (0, (1 << min(self.bits - 1, 16)) - 1),
            "prediction_bands": (0, 15),
            "register": (max(32, self.bits + self.resolution + 2), 64),
            "resolution": (4, 19),
            "interval": (4, 11),
            "first_exponent": (-6, self.last_exponent),
            "last_exponent": (self.first_exponent, 9),
            "representative": (0, 4),
            "damping": (0, most),
            "offset": (0, most if self.max_error else 0),
            "unary_limit": (8, 32),
            "initial_count": (1, 8),
            "rescaling": (max(4, self.initial_count + 1), 11),
            "accumulator": (0, max(0, min(self.bits - 2, 14))),
        }
        for key, (least, most) in ranges.items():
            if not least <= getattr(self, key) <= most:
                raise CodecError(f"ccsds123: {key} {getattr(self, key)}; expected {least} to {most}")
        for key, known in (("local_sum", LOCAL_SUMS), ("coder", CODERS)):
            if getattr(self, key) not in known:
                raise CodecError(
                    f"ccsds123: {key} {getattr(self, key)!r}; expected one of {', '.join(known)}"
                )
        if self.reduced and self.prediction_bands == 0:
            raise CodecError("ccsds123: no prediction bands in reduced mode; expected one or more")

    @property
    def least(self) -> int:
        """The smallest sample."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def most(self) -> int:
        """The largest sample."""
        return self.least + (1 << self.bits) - 1

    @property
    def middle(self) -> int:
        """The middle of the range, s_mid."""
        return 0 if self.signed else 1 << (self.bits - 1)
