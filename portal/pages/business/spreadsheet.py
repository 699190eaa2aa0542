"""Writing rows as CSV and as XLSX: values keep their kind, and nothing a vendor wrote can run as a formula.

An aware datetime is shown on the given zone's clock, a naive one and a bare date as they are, None is an empty cell.
CSV is for machines as well: UTF-8 with a byte order mark (without it Excel guesses), ISO 8601 with the offset, and text
that a spreadsheet would take for a formula behind an apostrophe. XLSX keeps texts as texts and days as days.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from itertools import chain
from tempfile import TemporaryDirectory
from typing import IO
from zoneinfo import ZoneInfo

import xlsxwriter

from portal.pages.business.columns import Value

MOST_ROWS = 1_048_574  # what a sheet of Excel holds, less the heads and the line that says so
INCOMPLETE = "# Incomplete: the export broke off here. Please export again."
CUT = "More rows follow than a workbook holds. Export as CSV to get them all."
_STARTS_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
_MOST_TEXT = 32_767  # characters in a cell of Excel
_EXCEL_BEGINS = 1900
_NARROWEST, _WIDEST = 14, 50  # characters; a moment takes 16

Rows = Iterable[Sequence[Sequence[Value]]]
"""Chunks of rows of cells."""


def csv_lines(heads: Sequence[str], chunks: Rows, zone: ZoneInfo) -> Iterator[bytes]:
    """The heads at once, then a piece a chunk. Where reading fails midway, the last line says so and the error goes on:
    the server then breaks the answer off, and a browser shows a failed download."""
    yield "\ufeff".encode() + _lines([heads])
    try:
        for chunk in chunks:
            yield _lines([[_csv_cell(value, zone) for value in row] for row in chunk])
    except Exception:
        yield f"{INCOMPLETE}\r\n".encode()
        raise


def write_workbook(file: IO[bytes], heads: Sequence[str], chunks: Rows, zone: ZoneInfo) -> None:
    """One sheet, written row by row through temporary files. Where there are too many rows the last one says so."""
    with TemporaryDirectory() as folder:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": folder})
        _fill(book, heads, chunks, zone)
        book.close()


def _fill(book: xlsxwriter.Workbook, heads: Sequence[str], chunks: Rows, zone: ZoneInfo) -> None:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    formats = {
        date: book.add_format({"num_format": "yyyy-mm-dd"}),
        datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
    }
    remaining = iter(chunks)
    first = next(remaining, ())
    for column, head in enumerate(heads):
        longest = max((len(value) for row in first if isinstance(value := row[column], str)), default=0)
        sheet.set_column(column, column, min(max(len(head), longest, _NARROWEST) + 2, _WIDEST))
        sheet.write_string(0, column, head, bold)
    for number, row in enumerate((row for chunk in chain([first], remaining) for row in chunk), start=1):
        if number > MOST_ROWS:
            sheet.write_string(number, 0, CUT, bold)
            break
        for column, value in enumerate(row):
            _write(sheet, number, column, value, zone, formats)


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _csv_cell(value: Value, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value[:1] in _STARTS_FORMULA else value
    if isinstance(value, datetime):
        return _local(value, zone).isoformat(timespec="seconds")
    if isinstance(value, bool):
        return _yes_or_no(value)
    return value.isoformat() if isinstance(value, date) else _plain(value)


def _write(
    sheet: "xlsxwriter.worksheet.Worksheet",
    row: int,
    column: int,
    value: Value,
    zone: ZoneInfo,
    formats: dict[type[date], "xlsxwriter.format.Format"],
) -> None:
    if isinstance(value, bool):
        value = _yes_or_no(value)
    if isinstance(value, datetime):
        value = _local(value, zone).replace(tzinfo=None)
    if isinstance(value, date) and value.year < _EXCEL_BEGINS:
        value = value.isoformat()
    if isinstance(value, str):
        sheet.write_string(row, column, value[:_MOST_TEXT])
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, formats[type(value)])
    elif value is not None:
        sheet.write_number(row, column, float(value))  # Excel counts in doubles anyway


def _yes_or_no(mark: bool) -> str:
    return "Yes" if mark else "No"


def _plain(number: Decimal) -> str:
    """Never as 1E+3, and without the zeros that a column's scale adds: 12.5000 is 12.5."""
    return format(number.normalize(), "f")


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(zone)
    except OverflowError:  # the first or last day there is
        return moment.astimezone(UTC)
