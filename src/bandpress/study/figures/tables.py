"""Tables as CSV (full precision), Markdown and LaTeX booktabs, from one list of columns."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bandpress.files import atomic_path
from bandpress.study.figures.style import save_numbers

_TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
}
_TEX |= {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": "$-$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "λ": r"$\lambda$",
}
_TEX |= {"²": "$^2$", "–": "--", "°": r"$^\circ$"}

#: Characters of a cell from which LaTeX breaks it into lines.
_LONG = 80


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    key
        Column of the data.
    heading
        Heading, unit included.
    format
        A format specification (``".2f"``) or a function of the value. Text is aligned left, numbers right.
    """

    key: str
    heading: str
    format: str | Callable[[Any], str] = ""

    def show(self, value: Any) -> str:
        """Return the value as text; a dash if missing, ∞ if infinite."""
        if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
            return "–"
        if isinstance(value, float) and math.isinf(value):
            return "∞" if value > 0 else "−∞"
        text = self.format(value) if callable(self.format) else format(value, self.format)
        return text.replace("-", "−", 1) if self.numeric and text.startswith("-") else text

    @property
    def numeric(self) -> bool:
        """Whether the column is aligned right."""
        return isinstance(self.format, str) and self.format != ""


def shown(
    columns: Sequence[Column], numbers: pd.DataFrame, only_if_varied: Sequence[str] = ()
) -> list[Column]:
    """Return the columns that have values; of those named in `only_if_varied`, the ones that have several."""
    return [
        column
        for column in columns
        if column.key in numbers
        and numbers[column.key].notna().any()
        and (column.key not in only_if_varied or numbers[column.key].nunique() > 1)
    ]


def save_table(
    numbers: pd.DataFrame,
    columns: Sequence[Column],
    output: str | Path,
    caption: str,
    notes: Sequence[str] = (),
    csv: pd.DataFrame | None = None,
) -> list[Path]:
    """Write a table as .csv (every column, full precision), .md and .tex, all with the stem of `output`.

    Parameters
    ----------
    numbers
        The data.
    columns
        Columns of the Markdown and LaTeX tables, in order.
    output
        Any of the files to write.
    caption
        One sentence.
    notes
        Sentences below the table.
    csv
        Data of the CSV. Default: `numbers`.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    stem = Path(output).with_suffix("")
    cells = [
        [column.show(value) for column, value in zip(columns, row, strict=True)]
        for row in _rows(numbers, columns)
    ]
    texts = {
        ".md": _markdown(columns, cells, caption, notes),
        ".tex": _latex(columns, cells, caption, notes, stem.name),
    }
    paths = [save_numbers(numbers if csv is None else csv, stem.with_suffix(".csv"))]
    for suffix, text in texts.items():
        with atomic_path(stem.with_suffix(suffix)) as part:
            part.write_text(text, encoding="utf-8")
        paths.append(stem.with_suffix(suffix))
    return paths


def save_note(sentence: str, output: str | Path) -> list[Path]:
    """Write a note in place of a table that cannot be made."""
    return save_table(pd.DataFrame({"note": [sentence]}), [Column("note", "Note")], output, sentence)


def _rows(numbers: pd.DataFrame, columns: Sequence[Column]) -> list[tuple]:
    return list(zip(*(numbers[column.key].tolist() for column in columns), strict=True))


def _markdown(columns: Sequence[Column], cells: list[list[str]], caption: str, notes: Sequence[str]) -> str:
    table = [[c.heading for c in columns], *cells]
    table = [[text.replace("|", "\\|") for text in row] for row in table]
    widths = [max(len(row[i]) for row in table) for i in range(len(columns))]

    def line(row: Sequence[str]) -> str:
        aligned = (
            text.rjust(width) if column.numeric else text.ljust(width)
            for column, text, width in zip(columns, row, widths, strict=True)
        )
        return "| " + " | ".join(aligned) + " |"

    rule = "|" + "|".join(
        "-" * (width + 1) + (":" if column.numeric else "-")
        for column, width in zip(columns, widths, strict=True)
    )
    lines = [caption, "", line(table[0]), rule + "|", *map(line, table[1:])]
    return "\n".join([*lines, *(f"\n{note}" for note in notes)]) + "\n"


def _latex(
    columns: Sequence[Column], cells: list[list[str]], caption: str, notes: Sequence[str], label: str
) -> str:
    def line(row: Sequence[str]) -> str:
        return (
            " & ".join("".join(_TEX.get(c, c) for c in text).replace("∞", r"$\infty$") for text in row)
            + r" \\"
        )

    def escape(text: str) -> str:
        return "".join(_TEX.get(c, c) for c in text)

    long = [any(len(row[i]) > _LONG for row in cells) for i in range(len(columns))]
    alignment = "".join(
        r"p{0.8\linewidth}" if wide else "r" if column.numeric else "l"
        for column, wide in zip(columns, long, strict=True)
    )
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escape(caption)}}}",
        rf"  \label{{tab:{label}}}",
        rf"  \begin{{tabular}}{{{alignment}}}",
        r"    \toprule",
        "    " + line([c.heading for c in columns]),
        r"    \midrule",
        *("    " + line(row) for row in cells),
        r"    \bottomrule",
        r"  \end{tabular}",
        *(rf"  \par\smallskip\footnotesize {escape(note)}" for note in notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"
