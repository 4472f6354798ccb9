"""Metrics, Bjøntegaard deltas, evaluation of a codec on a scene, benchmarks."""
