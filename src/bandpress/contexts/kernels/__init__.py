"""The compiled part of the context codec: features, the network that chooses tables, the range coder, the quantiser."""
