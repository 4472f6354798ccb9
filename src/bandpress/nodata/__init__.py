"""No-data samples: detection, fill values for coding, and the mask that restores them."""
