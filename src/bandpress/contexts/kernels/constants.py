"""Constants that kernels and Python share. They stand beside the kernels, which a change of this folder recompiles."""

#: Magnitudes below this have classes of their own; from there on, each octave has four.
SINGLE = 8
#: Largest magnitude of the last class. It also stands for all larger ones, whose excess is coded after it.
LAST = (1 << 17) - 1
#: Plain bits of each of the two symbols for the excess over `LAST`.
EXCESS_BITS = 14
#: Largest magnitude that can be coded, which float32 holds.
MOST = 1 << 2 * EXCESS_BITS
#: Magnitudes from this on share a reconstruction offset.
SHAPED = 4
#: Sum of the frequencies of signs for and against a column, and the least frequency of either.
WHOLE, LEAST = 1 << 16, 128
#: Rows of a pass in the table of signs: the low band, and three orientations at the levels 1, 2, 3, and 4 and more.
ROWS_A_PASS = 13
