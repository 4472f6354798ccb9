"""The learned context codec: features, integer network, tables, coder. No TensorFlow."""
