"""Rows in the text format of COPY, a batch at a time: psycopg's own writing, row by row and cell by cell, costs more
than PostgreSQL's reading of them."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db.backends.utils import CursorWrapper

Row = tuple[Sequence[str], Sequence[Any]]


def copy_rows(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Copy rows into a table. A row has its texts first, then the others: bytes, marks, numbers, dates, times and
    nothings. Texts hold no NUL."""
    lines = [_texts(texts) + "".join(["\t" + _cell(cell) for cell in others]) for texts, others in rows]
    with cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy:
        copy.write("\n".join(lines) + "\n")


def _texts(texts: Sequence[str]) -> str:
    line = "\t".join(texts)
    if "\\" not in line and "\n" not in line and "\r" not in line and line.count("\t") == len(texts) - 1:
        return line
    return "\t".join(map(_escaped, texts))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", r"\n").replace("\r", r"\r").replace("\t", r"\t")


def _cell(value: Any) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, bytes):
        return r"\\x" + value.hex()
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    return str(value)
