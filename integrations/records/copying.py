"""Rows in the text format of COPY, a batch at a time: psycopg's own writing, row by row and cell by cell, costs more
than PostgreSQL's reading of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper


def written(texts: Sequence[str], others: Iterable[Any]) -> str:
    """One row: its texts, which hold no NUL, then what `str` writes as PostgreSQL reads it (marks, numbers, dates,
    times, `octets`) and nothings."""
    line = "\t".join(texts)
    if "\\" in line or "\n" in line or "\r" in line or line.count("\t") >= len(texts):
        line = "\t".join(map(_escaped, texts))
    return "\t".join([line, *[r"\N" if cell is None else str(cell) for cell in others]])


def octets(value: bytes) -> str:
    """A cell of bytes."""
    return r"\\x" + value.hex()


def copy_rows(cursor: CursorWrapper, table: str, columns: Iterable[str], rows: bytes) -> None:
    """Copy written rows, one on each line, into a table."""
    with cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy:
        copy.write(rows)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", r"\n").replace("\r", r"\r").replace("\t", r"\t")
