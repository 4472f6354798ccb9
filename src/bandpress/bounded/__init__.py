"""Prediction and residual coding with a bound on every sample; compiled, with the same result on every machine."""
