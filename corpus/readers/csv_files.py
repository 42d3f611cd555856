"""Training records in text tables: commas, semicolons or tabs between the columns."""

import csv
import io
from collections import Counter
from pathlib import Path

from coach.domain.errors import InputError
from corpus.decoding import decoded
from corpus.records import missing_header, read_table
from corpus.source import Parsed

_SEPARATORS = ",;\t|"


def create() -> "CsvReader":
    """Return the reader of CSV files."""
    return CsvReader()


class CsvReader:
    """One training record a row; the separator is the one that the first lines agree on."""

    label = "CSV (.csv, .tsv)"
    suffixes = (".csv", ".tsv")
    magic = None

    def read(self, path: Path, salt: bytes) -> Parsed:
        """Return the records of a table."""
        text = decoded(path.read_bytes())
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text)))
        except csv.Error as problem:
            raise InputError(f"cannot be read as a table ({problem}): a quotation mark may be left open") from problem
        table = read_table(rows, "row ", salt)
        if table.columns is None:
            raise InputError(missing_header(table))
        return Parsed(blocks=tuple(table.blocks), problems=tuple(table.problems), names=tuple(sorted(table.names)))


def _separator(text: str) -> str:
    lines = [line for line in text[:20_000].split("\n") if line.strip()][:20]
    votes = Counter(max(_SEPARATORS, key=line.count) for line in lines if any(mark in line for mark in _SEPARATORS))
    return votes.most_common(1)[0][0] if votes else ","
