"""The .bpk file: header, index, checksums, bit fields and ranges of side information."""
