"""All compiled kernels: ``python -m bandpress.kernels`` compiles those that this machine does not have yet."""

import bandpress.bounded.kernels
import bandpress.contexts.kernels.component
import bandpress.hyperprior.rangedecoder
import bandpress.transforms.lifting  # noqa: F401
