"""Training of context models, in TensorFlow."""
