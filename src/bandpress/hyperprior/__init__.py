"""The paper's network, a scale hyperprior in TensorFlow: model, coding, store."""
