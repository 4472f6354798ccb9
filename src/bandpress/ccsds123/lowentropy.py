"""The sixteen low-entropy codes of the hybrid coder, CCSDS 123.0-B-2 annex B, in a compact form.

A code maps strings of input symbols (0 to its limit, and X for anything above) to output words. The strings are the
leaves of a tree; inner nodes are strings left incomplete at the end of an image and have words of their own. Output
words are canonical: sorted by length of the word, then of the string, then by the string, they count up, with the bits
of each word reversed (so no word is the end of another). So word lengths alone determine a tree: in preorder, a
lower-case letter for the word of a leaf, an upper-case letter for that of an inner node; A and a are 1 bit long.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

#: Limit of the input symbols, threshold, tree; table 5-16 and the tables of annex B.
_CODES = (
    (
        12,
        303336,
        "ABeEhhhiiiijjkkllkFhhhiiiijjkkllkffffgghhiihcccCffffFiiijjjjkkllmmlgghhiiiihddEggghhhhiijjkkjEggghhh"
        "hiijjkkjeeffe",
    ),
    (
        10,
        225404,
        "ACEggghhiijjkkkeeFhhhiiiijkllkFhhhiiijkkllkffggiihCeeeFhhhiijjkklllfGiiijjjkllmmlGiiijjkkllmmmhhiiiC"
        "eeeFhhhiijjkklllfGiiijjkkllmmmghhiiiccddeefGiiijjjjklmmlf",
    ),
    (
        8,
        166979,
        "AbCdEggghhiikkkEggghhiikkkFghhiijjlllFhhhiijjlllgghiiCEfgghhiikkkEggghhiikkkeFhhhiijjlllFhhhiijjlllg"
        "ghiiccEfgghhiikkkEggghhiikkkfff",
    ),
    (
        6,
        128672,
        "ACDeGghhiikklGghhiikklggiiiddeegghbCdFfHhiijjllmghhjjkFfHhiijjllmghhjjkGghhiikklfhhhDeGghhiikklGghhi"
        "ikklggiiiEeGghhiikklfggiijeGghhiikklf",
    ),
    (
        6,
        95597,
        "ABDdFfggiillleggijjDFfggiilllFghhjjlmmGghhjjlmmhhjjkEeGghhjjlmmGghhjjmmmhhjkkFghhijllmGghhjjlmmhhibb"
        "ddggh",
    ),
    (
        4,
        69670,
        "AabCCEeGHijjmmniillnGhiillnijkFGHijjmmoiillnhhkkmFGhiillnhhkkmhijEFFHijjmmoiillnhhkkmGhiillnGhiillnj"
        "jkEFGhiillnhhkkmGhiillngjjlgHijjmmnieeg",
    ),
    (
        4,
        50678,
        "BBCDcFGfhhllnggkkmFGfhhllnggklmiikFFeggkkmffjkmdhhjcEdGfhhllnfjjlggiDcFGfhhllnggklmeiikDEdGHgiimmohh"
        "llnfjjleeiikHgiimmogi",
    ),
    (
        4,
        34898,
        "ABaEEdHgiiooqHgijooqllnffllnEdfHgiioopllniikDEEdHgiioopHgijooqllnffllnGfhIikkpqrnnpfkkmcIikkpqrij",
    ),
    (
        2,
        23331,
        "BCCCDDEEEEcfIIgjjojjolffkHHfiioiinHfiiokeHHfiiniinkeekGehhmHehhnjdGGehhnJhkkphmjddjFdggmdiFFdgglIgjj"
        "oglFGdggmJgjjpgli",
    ),
    (
        2,
        14935,
        "CCCCDDDDDEEbIfjjqflHIfjjqjjpflHHHfjjqijpijpHfjjqleHHfjjpijpleHHHfjjpijpijpleelGeiioekGGeiiohioHeiipk"
        "GGGeiiohiohhoGHeiiphiokdGGHeiiohiohiokddj",
    ),
    (
        2,
        9282,
        "CCCCCCDDDaIIIfjkrjkrjjrIfjkrmIIIIfjkrjkrjjrjjrIIfjkrjkrmeIIfjkrjkrmeIIIfjkrjkrjjrmeHIIIfjkrjkrjjrjjq"
        "meemHejjqemHHejjqijqelHHHejjqijqijqel",
    ),
    (
        2,
        5510,
        "DDDDDDDDDDDDDDDEafgofgofJglltofJglltofJJJglltlltlltoffoffoffoffoJfkktfnJJfkktkktfnJJfkktkktfnIJJfkkt"
        "kktkksfnIIJJfkktkktkkskksfnIIIJJJfkltkktkktkkskkskksJfkktneJJfkktkktn",
    ),
    (
        2,
        3195,
        "DDDDDEEEEEEEEEEEEEEEEEEEEEFaghqggpggpggpggpggpggpggpggpggpggpggpggpggpggoggoIglmtgoIIglmtlmtgofgofgo"
        "fgofgofgofJglmtofIJglmulmtofIIIglmulmtlmtoffo",
    ),
    (
        2,
        1928,
        "EEEEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFFFFFFFFFFFFGahiqhhphhphhphhphhphhphhphhphhphhphhphhphhphhphhphhphh"
        "phhpghpghpghpghpghpghpghpghpghpghoghoghoghoghoghoghoghoghoggoggoggoggoggoggoggoggoHHgllrllrgo",
    ),
    (
        2,
        1112,
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGaijqiiqiiqiiqii"
        "qiiqiiqiiqiiqiiqiiqiiqiiqiiqiiqiiqiiqiiqiiqiiqhiqhiqhiqhiqhiqhiqhiqhiqhiqhiqhiqhiqhiqhiqhiqhiqhiqhiq"
        "hiqhiqhiqhiqhiphiphiphiphiphiphiphiphiphiphiphiphiphiphiphiphiphiphiphiphiphiphhphhphhphhphhphhphhph"
        "hphhphhphhphhphhphhphhphhphhphhphhphhphhp",
    ),
    (
        0,
        408,
        "HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH"
        "HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH"
        "HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHaiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"
        "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"
        "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"
        "iiiiiiiiiiiii",
    ),
)

#: Thresholds of the codes, in the order of the codes; the first separates high from low entropy.
THRESHOLDS = np.array([threshold for _, threshold, _ in _CODES], np.int64)
#: Limits of their input symbols.
LIMITS = np.array([limit for limit, _, _ in _CODES], np.int64)


@dataclass(frozen=True)
class Trees:
    """All codes as arrays for coding. Every node of every tree has a number.

    Parameters
    ----------
    roots
        Node of each code's empty string, shape (16,).
    children
        Node that a symbol leads to, -1 from a leaf, shape (nodes, 14).
    parents, symbols
        Parent of each node and the symbol that leads to it, shape (nodes,).
    lengths, words
        Output word of each node: of a complete string at a leaf, of an incomplete string elsewhere.
    leaves, rests
        For reading backwards: next state by state and bit, shape (states, 2); a state below zero is -1 - node. States 0
        to 15 start the words of each code: of complete strings in `leaves`, of incomplete strings in `rests`.
    """

    roots: np.ndarray
    children: np.ndarray
    parents: np.ndarray
    symbols: np.ndarray
    lengths: np.ndarray
    words: np.ndarray
    leaves: np.ndarray
    rests: np.ndarray


def trees() -> Trees:
    """Return the codes as arrays."""
    builder = _Builder()
    for code, (limit, _, tree) in enumerate(_CODES):
        builder.add(code, limit, tree)
    return builder.finished()


class _Builder:
    """Builder of the codes' trees and of their nodes' words."""

    def __init__(self) -> None:
        self._roots: list[int] = []
        self._children: list[list[int]] = []
        self._parents: list[int] = []
        self._symbols: list[int] = []
        self._lengths: list[int] = []
        self._strings: list[str] = []
        self._words: list[int] = []
        self._leaves = [[0, 0] for _ in _CODES]
        self._rests = [[0, 0] for _ in _CODES]

    def add(self, code: int, limit: int, tree: str) -> None:
        """Add a code."""
        first = len(self._strings)
        self._roots.append(self._grow(iter(tree), limit, -1, -1, ""))
        for states, within in ((self._leaves, False), (self._rests, True)):
            nodes = [n for n in range(first, len(self._strings)) if (self._children[n][0] >= 0) is within]
            nodes.sort(key=lambda n: (self._lengths[n], len(self._strings[n]), self._strings[n]))
            count, last = 0, 0
            for node in nodes:
                count <<= self._lengths[node] - last
                last = self._lengths[node]
                text = format(count, f"0{last}b")
                self._words[node] = int(text[::-1], 2)
                _plant(states, code, text, node)
                count += 1

    def _grow(self, letters: Iterator[str], limit: int, parent: int, symbol: int, string: str) -> int:
        """Add a node with all nodes below it; return its number."""
        node, letter = len(self._strings), next(letters)
        self._strings.append(string)
        self._children.append([-1] * 14)
        self._parents.append(parent)
        self._symbols.append(symbol)
        self._lengths.append(ord(letter.lower()) - ord("a") + 1)
        self._words.append(0)
        if letter.isupper():
            for child in range(limit + 2):
                below = self._grow(letters, limit, node, child, string + chr(ord("0") + child))
                self._children[node][child] = below
        return node

    def finished(self) -> Trees:
        """Return everything as arrays."""
        lists = (
            self._roots, self._children, self._parents, self._symbols,
            self._lengths, self._words, self._leaves, self._rests,
        )  # fmt: skip
        return Trees(*(np.array(one, np.int64) for one in lists))


def _plant(states: list[list[int]], root: int, text: str, node: int) -> None:
    """Enter the path of a code word to a node."""
    state = root
    for place, digit in enumerate(text):
        if place == len(text) - 1:
            states[state][int(digit)] = -1 - node
        elif states[state][int(digit)] > 0:
            state = states[state][int(digit)]
        else:
            states.append([0, 0])
            states[state][int(digit)] = len(states) - 1
            state = len(states) - 1
