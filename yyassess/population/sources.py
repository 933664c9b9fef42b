"""Population files in chunks: Parquet by row groups, CSV (UTF-8, GB18030) and JSON Lines by blocks of lines.

A chunk is a frame of raw columns with the line (or row) each came from, and the lines that are no record at all.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from yyassess.assessment.errors import InputError

LINE = "__line"
FORMATS = ("parquet", "csv", "jsonl")
#: Bytes of text read at a time.
BLOCK = 64 * 2**20
#: Rows of a chunk of Parquet, unless its row groups are larger.
ROWS = 250_000
#: A row group of more than so many chunks is cut.
MOST = 5


@dataclass
class Chunk:
    """Some consecutive rows."""

    number: int
    frame: pl.DataFrame
    rejects: list[dict[str, Any]] = field(default_factory=list)
    read: int = 0
    """Rows (Parquet) or bytes (text) read so far, for the progress."""


def problem(where: str, zh: str, en: str, given: Any = None, allowed: Any = None) -> InputError:
    """One fault of a file as a whole."""
    return InputError([{"where": where, "given": given, "allowed": allowed, "say": {"zh": zh, "en": en}}])


def format_of(path: Path, chosen: str | None = None) -> str:
    """``parquet``, ``csv`` or ``jsonl``, by option or by the file's ending.

    Raises:
        InputError: another ending.
    """
    endings = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    found = chosen or endings.get(path.suffix.lower())
    if found is None:
        raise problem(
            str(path),
            "不认识的文件格式",
            "unknown file format; name it with --in-format / --out-format",
            path.suffix,
            list(endings),
        )
    return found


def open_source(path: Path, chosen: str | None = None, encoding: str = "utf-8", rows: int = ROWS) -> Source:
    """The source of a file.

    Raises:
        InputError: the file is not there, or is not what its format says.
    """
    if not path.is_file():
        raise problem(str(path), "没有这个文件", "there is no such file")
    match format_of(path, chosen):
        case "parquet":
            return ParquetSource(path, rows)
        case "csv":
            return CsvSource(path, encoding)
    return JsonLines(path, encoding)


def repeated(hashes: Iterable[pl.Series]) -> pl.Series | None:
    """The hashes of ids that occur more than once (a few by chance may be of different ids); ``None`` if there are none."""
    every = pl.concat(list(hashes), rechunk=True).sort()
    twice = every.filter(every == every.shift(1)).unique()
    return twice if len(twice) else None


class Source:
    """A file of people."""

    synthetic = False
    """Whether the file says that its people are made up."""

    path: Path
    columns: list[str]
    size: int
    """Rows (Parquet) or bytes (text)."""

    def schema(self) -> dict[str, Any]:
        """The types of the columns; text files have texts."""
        return dict.fromkeys(self.columns, pl.String)

    def pieces(self, columns: Sequence[str], start: int = 0) -> Iterator[Callable[[], Chunk]]:
        """What reads each chunk from one on, with some of the columns: whoever works on a chunk reads it, too."""
        raise NotImplementedError

    def chunks(self, columns: Sequence[str], start: int = 0) -> Iterator[Chunk]:
        """The chunks from one on, one after the other."""
        return (read() for read in self.pieces(columns, start))

    def _once(self) -> None:
        twice = sorted({c for c in self.columns if self.columns.count(c) > 1})
        if twice:
            raise problem(str(self.path), f"列名重复：{'、'.join(twice)}", f"columns written twice: {', '.join(twice)}")


class ParquetSource(Source):
    """A Parquet file: chunks are whole row groups."""

    def __init__(self, path: Path, rows: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path = path
        try:
            with pq.ParquetFile(path) as file:
                groups = [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)]
                self.synthetic = (file.metadata.metadata or {}).get(b"yyassess.kind") == b"synthetic"
            self.types = dict(pl.scan_parquet(path).collect_schema())
        except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
            said = str(error).splitlines()[0]
            raise problem(str(path), f"不是完好的 Parquet 文件：{said}", f"not a sound Parquet file: {said}") from None
        self.columns, self.size = list(self.types), sum(groups)
        self._once()
        self.spans: list[tuple[int, int]] = []
        start = length = 0
        for group in groups:
            # A group much larger than a chunk is cut, so that memory stays bounded; each piece costs reading it again.
            while group > MOST * rows:
                if length:
                    self.spans.append((start, length))
                    start, length = start + length, 0
                self.spans.append((start, rows))
                start, group = start + rows, group - rows
            length += group
            if length >= rows:
                self.spans.append((start, length))
                start, length = start + length, 0
        if length or not self.spans:
            self.spans.append((start, length))

    def schema(self) -> dict[str, Any]:
        return self.types

    def pieces(self, columns: Sequence[str], start: int = 0) -> Iterator[Callable[[], Chunk]]:
        scan = pl.scan_parquet(self.path).select(columns)
        for number in range(start, len(self.spans)):
            yield partial(self._read, scan, number)

    def _read(self, scan: pl.LazyFrame, number: int) -> Chunk:
        first, length = self.spans[number]
        try:
            frame = scan.slice(first, length).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            said = str(error).splitlines()[0]
            raise problem(
                str(self.path), f"Parquet 文件已损坏：{said}", f"the Parquet file is broken: {said}"
            ) from None
        # One piece of memory a column: else every later step would make one.
        lines = pl.int_range(first + 1, first + length + 1, dtype=pl.Int64).alias(LINE)
        return Chunk(number, frame.rechunk().with_columns(lines), [], first + length)


class _Lines(Source):
    """A text file: chunks are blocks of whole lines."""

    skip = 0
    """Bytes before the first record."""
    first = 1
    """The line of the first record."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.path, self.encoding, self.size = path, encoding, path.stat().st_size

    def pieces(self, columns: Sequence[str], start: int = 0) -> Iterator[Callable[[], Chunk]]:
        first = self.first
        for number, (block, read) in enumerate(self._blocks(self.skip)):
            if number >= start:
                yield partial(self._chunk, number, block, first, read, columns)
            first += block.count(b"\n") + (not block.endswith(b"\n"))

    def _chunk(self, number: int, block: bytes, first: int, read: int, columns: Sequence[str]) -> Chunk:
        """The records of a block whose first line has the number ``first``."""
        raise NotImplementedError

    def _blocks(self, skip: int = 0) -> Iterator[tuple[bytes, int]]:
        """Blocks that end with a line, and how many bytes were read."""
        with self.path.open("rb") as stream:
            stream.seek(skip)
            rest = b""
            while data := stream.read(BLOCK):
                data = rest + data
                cut = self._cut(data)
                rest = data[cut:]
                if cut:
                    yield data[:cut], stream.tell()
            if rest:
                yield rest, self.size

    def _cut(self, data: bytes) -> int:
        return data.rfind(b"\n") + 1

    def _decoded(self, block: bytes, first: int) -> tuple[list[str], list[int], list[dict[str, Any]]]:
        """The lines of a block with their numbers; lines with a bad byte are rejected."""
        try:
            lines = block.decode(self.encoding).split("\n")
            if lines and not lines[-1]:
                lines.pop()
            return lines, list(range(first, first + len(lines))), []
        except UnicodeDecodeError:
            pass
        kept, numbers, rejects = [], [], []
        raw = block.split(b"\n")
        if raw and not raw[-1]:
            raw.pop()
        for number, line in enumerate(raw, first):
            try:
                kept.append(line.decode(self.encoding))
                numbers.append(number)
            except UnicodeDecodeError as error:
                zh = f"第 {error.start + 1} 字节不是 {self.encoding} 文本"
                rejects.append(
                    rejected(
                        number,
                        None,
                        [fault("", None, self.encoding, zh, f"byte {error.start + 1} is not {self.encoding} text")],
                    )
                )
        return kept, numbers, rejects


def fault(where: str, given: Any, allowed: Any, zh: str, en: str) -> dict[str, Any]:
    """One reason to refuse a row, in the form of the contract."""
    return {"where": where, "given": given, "allowed": allowed, "say": {"zh": zh, "en": en}}


def rejected(line: int, id: Any, errors: list[dict[str, Any]]) -> dict[str, Any]:
    """A refused row."""
    return {"line": line, "id": id, "errors": errors}


class CsvSource(_Lines):
    """A CSV file with a header; all cells are text."""

    first = 2

    def __init__(self, path: Path, encoding: str) -> None:
        super().__init__(path, encoding)
        with path.open("rb") as stream:
            first = stream.readline(1_000_000)
        self.skip = len(first)
        try:
            header = first.decode("utf-8-sig" if encoding == "utf-8" else encoding)
        except UnicodeDecodeError:
            raise problem(
                str(path),
                f"表头不是 {encoding} 文本（可用 --encoding gb18030）",
                f"the header is not {encoding} text (see --encoding gb18030)",
            ) from None
        self.columns = [c.strip() for c in next(csv.reader([header]), [])]
        if not self.columns:
            raise problem(str(path), "文件是空的", "the file is empty")
        self._once()

    def _cut(self, data: bytes) -> int:
        # A line break inside quotes does not end a record: cut where the quotes are even.
        cut = data.rfind(b"\n") + 1
        while cut and data.count(b'"', 0, cut) % 2:
            cut = data.rfind(b"\n", 0, cut - 1) + 1
        return cut

    def _chunk(self, number: int, block: bytes, first: int, read: int, columns: Sequence[str]) -> Chunk:
        texts, numbers, rejects = self._decoded(block, first)
        frame = self._quick(texts, numbers, rejects) if b'"' not in block else None
        if frame is None:
            frame = self._careful(texts, numbers, rejects)
        empty = [pl.when(pl.col(c) != "").then(pl.col(c)).alias(c) for c in columns]
        return Chunk(number, frame.select([*empty, LINE]), rejects, read)

    def _quick(self, texts: list[str], numbers: list[int], rejects: list[dict[str, Any]]) -> pl.DataFrame:
        """Records without quotes: count the commas, then read all sound lines at once."""
        lines = pl.DataFrame({"text": texts, LINE: numbers}, schema={"text": pl.String, LINE: pl.Int64})
        lines = lines.with_columns(pl.col("text").str.strip_suffix("\r")).filter(pl.col("text") != "")
        wanted = len(self.columns) - 1
        commas = lines.select(pl.col("text").str.count_matches(",", literal=True)).to_series()
        for text, line, found in lines.with_columns(found=commas).filter(commas != wanted).iter_rows():
            rejects.append(self._ragged(line, text.split(",", 1)[0], found + 1))
        sound = lines.filter(commas == wanted)
        if not len(sound):
            return pl.DataFrame(schema={**dict.fromkeys(self.columns, pl.String), LINE: pl.Int64})
        body = "\n".join(sound["text"].to_list()).encode()
        frame = pl.read_csv(
            io.BytesIO(body), has_header=False, new_columns=self.columns, infer_schema=False, quote_char=None
        )
        return frame.with_columns(sound[LINE])

    def _careful(self, texts: list[str], numbers: list[int], rejects: list[dict[str, Any]]) -> pl.DataFrame:
        """Records with quotes: the csv module reads them one by one."""
        rows: list[list[str]] = []
        lines: list[int] = []
        reader = csv.reader((t + "\n" for t in texts), strict=True)
        while True:
            before = reader.line_num
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                at = numbers[min(before, len(numbers) - 1)]
                rejects.append(rejected(at, None, [fault("", None, "CSV", f"不是 CSV：{error}", f"not CSV: {error}")]))
                continue
            line = numbers[before]
            if not cells:
                continue
            if len(cells) != len(self.columns):
                rejects.append(self._ragged(line, cells[0], len(cells)))
                continue
            rows.append(cells)
            lines.append(line)
        frame = pl.DataFrame(rows, schema=dict.fromkeys(self.columns, pl.String), orient="row")
        return frame.with_columns(pl.Series(LINE, lines, dtype=pl.Int64))

    def _ragged(self, line: int, first: str, found: int) -> dict[str, Any]:
        id = first if self.columns[0] == "id" else None
        zh, en = "列数不对", "the wrong number of cells"
        return rejected(line, id, [fault("", found, len(self.columns), zh, en)])


class JsonLines(_Lines):
    """JSON Lines: one object a line; nested objects are flattened with dots."""

    def __init__(self, path: Path, encoding: str) -> None:
        super().__init__(path, encoding)
        names: dict[str, None] = {}
        # Keys may first appear anywhere, so all lines are looked at once.
        for block, _ in self._blocks():
            texts, numbers, _ = self._decoded(block, 1)
            for record, _ in self._records(texts, numbers, []):
                names.update(dict.fromkeys(record))
        self.columns = list(names)

    def _chunk(self, number: int, block: bytes, first: int, read: int, columns: Sequence[str]) -> Chunk:
        texts, numbers, rejects = self._decoded(block, first)
        records = list(self._records(texts, numbers, rejects))
        data = {c: [_cell(r.get(c)) for r, _ in records] for c in columns}
        frame = pl.DataFrame(data, schema=dict.fromkeys(columns, pl.String))
        lines = pl.Series(LINE, [n for _, n in records], dtype=pl.Int64)
        return Chunk(number, frame.with_columns(lines), rejects, read)

    def _records(
        self, texts: list[str], numbers: list[int], rejects: list[dict[str, Any]]
    ) -> Iterator[tuple[dict[str, Any], int]]:
        for text, number in zip(texts, numbers, strict=True):
            if not text.strip():
                continue
            try:
                record = json.loads(text.removeprefix("\ufeff"))
            except ValueError as error:
                said = getattr(error, "msg", str(error))
                rejects.append(
                    rejected(number, None, [fault("", None, "JSON", f"不是 JSON：{said}", f"not JSON: {said}")])
                )
                continue
            if not isinstance(record, dict):
                rejects.append(
                    rejected(number, None, [fault("", None, "{}", "须为 JSON 对象", "must be a JSON object")])
                )
                continue
            flat: dict[str, Any] = {}
            for key, value in record.items():
                if isinstance(value, dict):
                    flat.update({f"{key}.{inner}": v for inner, v in value.items()})
                else:
                    flat[key] = value
            yield flat, number


def _cell(value: Any) -> str | None:
    """A JSON value as the text a CSV cell would have."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
