"""All compiled kernels: ``python -m bandpress.kernels`` compiles those that this machine does not have yet."""

import bandpress.bounded.band
import bandpress.ccsds123.hybrid
import bandpress.ccsds123.predictor
import bandpress.ccsds123.sampleadaptive
import bandpress.contexts.kernels.component
import bandpress.hyperprior.rangedecoder
import bandpress.transforms.lifting  # noqa: F401
