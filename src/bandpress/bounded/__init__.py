"""Prediction and residual coding with a bound on every sample: compiled, the same on every machine."""
