"""Layers of `bandpress.hyperprior.transforms` with explicit gradients, for fast training.

TensorFlow does not use oneDNN for the gradients of convolutions with explicit padding; its own kernels are half as
fast, and fifty times slower in bfloat16. So images are padded first and cropped afterwards, and no convolution pads.

Operands of gradients may be rounded to bfloat16 (eight bits of mantissa), which halves the time on processors with
AVX512-BF16; the gradient of a batch is far noisier than that. Sums within convolutions, and sums for biases, stay in
float32 on every processor.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from bandpress.hyperprior.processor import has_bfloat16

#: Outputs of `up` with fewer channels than this use one correlation with all four phases of the kernel.
_FEW = 16

_Pair = tuple[tf.Tensor, tf.Tensor]


@dataclass(frozen=True)
class Layers:
    """The layers, with separate number types for forward and backward passes.

    Parameters
    ----------
    forth, back
        ``tf.float32`` or ``tf.bfloat16``, to which operands and results of convolutions are rounded, forward and
        backward. Inputs and outputs of layers are float32.
    native
        Use the processor's bfloat16 instructions, which must exist (`has_bfloat16`). Otherwise numbers are rounded to
        bfloat16 and convolved in float32, with the same result except for the order of sums, at the speed of float32.
    """

    forth: tf.DType = tf.float32
    back: tf.DType = tf.float32
    native: bool = False

    def down(
        self, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None, mirror: bool = False
    ) -> tf.Tensor:
        """Compute `bandpress.hyperprior.transforms.down`."""
        margin = kernel.shape[0] // 2
        if mirror:
            x, margin = tf.pad(x, _margins(margin), "SYMMETRIC"), 0
        x = self._correlate(x, kernel, 2, margin)
        return x if bias is None else tf.nn.bias_add(x, bias)

    def same(self, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        """Compute `bandpress.hyperprior.transforms.same`."""
        return tf.nn.bias_add(self._correlate(x, kernel, 1, kernel.shape[0] // 2), bias)

    def up(self, x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, mirror: bool = False) -> tf.Tensor:
        """Compute `bandpress.hyperprior.transforms.up` for kernels of side 5."""
        if mirror:
            x = tf.pad(x, _margins(1), "SYMMETRIC")
        y = self._spread(x, kernel)
        return tf.nn.bias_add(y[:, 2:-2, 2:-2] if mirror else y, bias)

    def gdn(self, x: tf.Tensor, beta: tf.Tensor, gamma: tf.Tensor) -> tf.Tensor:
        """Compute `bandpress.hyperprior.transforms.gdn`."""

        @tf.custom_gradient
        def run(x: tf.Tensor, beta: tf.Tensor, gamma: tf.Tensor) -> tuple[tf.Tensor, Callable]:
            pool = _pool(x, beta, gamma)
            y = x / pool

            def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
                direct = upstream / pool
                through, *slopes = self._through_pool(x, gamma, direct * y)
                return direct - through, *(-slope for slope in slopes)

            return y, gradient

        return run(x, beta, gamma)

    def inverse_gdn(self, x: tf.Tensor, beta: tf.Tensor, gamma: tf.Tensor) -> tf.Tensor:
        """Compute `bandpress.hyperprior.transforms.inverse_gdn`."""

        @tf.custom_gradient
        def run(x: tf.Tensor, beta: tf.Tensor, gamma: tf.Tensor) -> tuple[tf.Tensor, Callable]:
            pool = _pool(x, beta, gamma)

            def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
                through, *slopes = self._through_pool(x, gamma, upstream * x)
                return upstream * pool + through, *slopes

            return x * pool, gradient

        return run(x, beta, gamma)

    def _through_pool(self, x: tf.Tensor, gamma: tf.Tensor, upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Return the gradients of x, beta and gamma from that of beta + gamma^T |x|."""
        kernel = gamma[None, None]
        g, taps, read = (self._operand(tf.cast(part, self.back)) for part in (upstream, kernel, tf.abs(x)))
        spread = tf.cast(self._backwards(g, taps, 1, tf.shape(x), self.back), tf.float32)
        # A leaky rectifier with slope -1 gives the magnitude, so its gradient multiplies by the sign of x in one pass.
        through = tf.raw_ops.LeakyReluGrad(gradients=spread, features=x, alpha=-1.0)
        slope = self._of_kernel(read, g, 1, kernel.shape)
        return through, tf.raw_ops.BiasAddGrad(out_backprop=upstream), slope[0, 0]

    def _correlate(self, x: tf.Tensor, kernel: tf.Tensor, stride: int, margin: int) -> tf.Tensor:
        """Correlate, with zeros in a margin around x."""

        @tf.custom_gradient
        def run(x: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable]:
            operands = (self._operand(tf.cast(part, self.forth)) for part in (x, kernel))
            y = tf.nn.conv2d(*operands, stride, _margins(margin))

            def gradient(upstream: tf.Tensor) -> _Pair:
                g, taps = (self._operand(tf.cast(part, self.back)) for part in (upstream, kernel))
                padded = self._operand(_padded(x, margin, self.back))
                wide = self._backwards(g, taps, stride, tf.shape(padded), self.back)
                return _cropped(wide, margin), self._of_kernel(padded, g, stride, kernel.shape)

            return tf.cast(tf.cast(y, self.forth), tf.float32), gradient

        return run(x, kernel)

    def _spread(self, x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """Put zeros between samples and convolve with a kernel of side 5, zeros around."""

        @tf.custom_gradient
        def run(x: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable]:
            narrow = self._operand(tf.cast(x, self.forth))
            if kernel.shape[3] < _FEW:
                taps = self._operand(tf.cast(_phases(kernel), self.forth))
                y = tf.cast(tf.nn.conv2d(narrow, taps, 1, "SAME"), self.forth)
                y = tf.cast(tf.nn.depth_to_space(y, 2), tf.float32)
            else:
                taps = self._operand(_turned(tf.cast(kernel, self.forth)))
                shape = tf.shape(x)
                size = tf.stack([shape[0], 2 * shape[1] + 4, 2 * shape[2] + 4, kernel.shape[3]])
                y = _cropped(self._backwards(narrow, taps, 2, size, self.forth), 2)

            def gradient(upstream: tf.Tensor) -> _Pair:
                g = self._operand(_padded(upstream, 2, self.back))
                taps = self._operand(_turned(tf.cast(kernel, self.back)))
                down = tf.cast(tf.nn.conv2d(g, taps, 2, "VALID"), self.back)
                slope = self._of_kernel(g, self._operand(tf.cast(x, self.back)), 2, taps.shape)
                return tf.cast(down, tf.float32), _turned(slope)

            return y, gradient

        return run(x, kernel)

    def _operand(self, x: tf.Tensor) -> tf.Tensor:
        """Return a tensor rounded to the type of its convolution."""
        return x if self.native else tf.cast(x, tf.float32)

    def _backwards(
        self, g: tf.Tensor, kernel: tf.Tensor, stride: int, size: tf.Tensor, dtype: tf.DType
    ) -> tf.Tensor:
        """Return the gradient of the input of a correlation without padding, in a given type."""
        found = tf.raw_ops.Conv2DBackpropInput(
            input_sizes=size, filter=kernel, out_backprop=g, strides=[1, stride, stride, 1], padding="VALID"
        )
        return tf.cast(found, dtype)

    def _of_kernel(self, x: tf.Tensor, g: tf.Tensor, stride: int, shape: tf.TensorShape) -> tf.Tensor:
        """Return the gradient of the kernel of a correlation without padding."""
        found = tf.raw_ops.Conv2DBackpropFilter(
            input=x, filter_sizes=shape, out_backprop=g, strides=[1, stride, stride, 1], padding="VALID"
        )
        return tf.cast(tf.cast(found, self.back), tf.float32)


def of_precision(precision: str) -> Callable[[str, int], Layers]:
    """Return the layers for each place, such as ``("analysis", 1)``.

    Parameters
    ----------
    precision
        ``"float32"``, or ``"mixed"``: all gradients, and the forward pass of the layers in `NARROW`, in bfloat16.
    """
    if precision == "float32":
        return lambda transform, layer: Layers()
    native = has_bfloat16() and not tf.config.list_physical_devices("GPU")
    narrow, wide = Layers(tf.bfloat16, tf.bfloat16, native), Layers(tf.float32, tf.bfloat16, native)
    return lambda transform, layer: narrow if (transform, layer) in NARROW else wide


#: Layers whose forward pass may be in bfloat16: the hyper networks, and the two stages of the analysis in which an
#: encoder may use it too (`bandpress.hyperprior.network`). The others reconstruct to a thousandth of the range, which
#: needs more than three digits.
NARROW = {
    ("analysis", 1),
    ("analysis", 2),
    ("hyper_analysis", 0),
    ("hyper_analysis", 1),
    ("hyper_synthesis", 0),
    ("hyper_synthesis", 1),
}


def _pool(x: tf.Tensor, beta: tf.Tensor, gamma: tf.Tensor) -> tf.Tensor:
    return tf.nn.bias_add(tf.nn.conv2d(tf.abs(x), gamma[None, None], strides=1, padding="VALID"), beta)


def _padded(x: tf.Tensor, width: int, dtype: tf.DType) -> tf.Tensor:
    x = tf.cast(x, dtype)
    return tf.pad(x, _margins(width)) if width else x


def _cropped(x: tf.Tensor, width: int) -> tf.Tensor:
    x = tf.cast(x, tf.float32)
    return x[:, width:-width, width:-width] if width else x


def _margins(width: int) -> list[list[int]]:
    return [[0, 0], [width, width], [width, width], [0, 0]]


def _turned(kernel: tf.Tensor) -> tf.Tensor:
    """Swap the channels in and out."""
    return tf.transpose(kernel, (0, 1, 3, 2))


def _phases(kernel: tf.Tensor) -> tf.Tensor:
    """Convert a kernel of side 5 for `up` to one of side 3 that correlates to all four phases at once.

    Output 2 i + a meets input i + d at tap 2 + a - 2 d; missing taps are zero.
    """
    fan_in, fan_out = kernel.shape[2:]
    taps = tf.reshape(tf.pad(kernel, [[0, 1], [0, 1], [0, 0], [0, 0]]), (3, 2, 3, 2, fan_in, fan_out))
    taps = tf.transpose(tf.reverse(taps, (0, 2)), (0, 2, 4, 1, 3, 5))
    return tf.reshape(taps, (3, 3, fan_in, 4 * fan_out))


@tf.custom_gradient
def gaussian_bits(y: tf.Tensor, scale: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """Compute `bandpress.hyperprior.densities.gaussian_bits` as accurately, in a third of the time."""
    bits, by_y, by_scale = _gaussian_bits(y, scale)
    return bits, lambda upstream: (upstream * by_y, upstream * by_scale)


@tf.function(
    jit_compile=None if tf.config.list_physical_devices("GPU") else True
)  # its compiler may be missing
def _gaussian_bits(y: tf.Tensor, scale: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return bits, and their derivatives by y and by the scale.

    The logarithms of both tails beside the unit interval around y are known to seven digits, so their difference needs
    no other formula far out.
    """
    magnitude, inverse = tf.abs(y), 1.0 / scale
    near, far = (0.5 - magnitude) * inverse, (0.5 + magnitude) * inverse
    square, apart = 0.5 * near * near, magnitude * inverse * inverse  # half of far² is square + apart
    root = np.float32(np.sqrt(0.5))
    tail, further = _log_tail(tf.abs(near) * root), _log_tail(far * root)
    outside = tf.math.log1p(-tf.exp(tf.minimum(further - tail - apart, -1e-6)))
    within = tf.math.log1p(-tf.exp(tail - square) - tf.exp(further - square - apart))
    log_probability = tf.where(near > 0, within, tail - square + outside)
    log_density = np.float32(-0.5 * np.log(2 * np.pi))
    at_near = tf.exp(log_density - tf.where(near > 0, square + within, tail + outside))
    at_far = at_near * tf.exp(-apart)
    unit = np.float32(1 / np.log(2))
    by_y = tf.sign(y) * (at_near - at_far) * inverse * unit
    return -unit * log_probability, by_y, (near * at_near + far * at_far) * inverse * unit


def _log_tail(x: tf.Tensor) -> tf.Tensor:
    """Return log(erfc(x) / 2) + x² for x >= 0 (Press et al., Numerical Recipes in C, 6.2: erfcc)."""
    t = 1.0 / (1.0 + 0.5 * x)
    total = tf.zeros_like(t)
    for coefficient in _TAIL:
        total = total * t + coefficient
    return tf.math.log(0.5 * t) + total


_TAIL = (
    0.17087277,
    -0.82215223,
    1.48851587,
    -1.13520398,
    0.27886807,
    -0.18628806,
    0.09678418,
    0.37409196,
    1.00002368,
    -1.26551223,
)
