"""Results as Parquet: names as dictionary pages, small numbers as they lie in memory, one row group a chunk.

Names make up nearly all of a result. Their column chunks are put together here: a dictionary page with the names, and one
data page with a byte a person, which takes a sixth of the time of turning them into names and encoding these again.
All other columns are written by polars, and so is the schema.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import pyarrow as pa

from yyassess.population.parquet_join import (
    BINARY,
    CHUNK_META,
    GROUP_COLUMNS,
    I16,
    I32,
    I64,
    LIST,
    MAGIC,
    META_OFFSETS,
    NUM_ROWS,
    ROW_GROUPS,
    STRUCT,
    Field,
    Struct,
    footer,
    varint,
    written,
)
from yyassess.population.plan import Output
from yyassess.population.running import named_frame

#: parquet.thrift: the enumerations used here.
BYTE_ARRAY, SNAPPY, PLAIN, RLE, RLE_DICTIONARY, DATA_PAGE, DICTIONARY_PAGE = 6, 1, 0, 3, 8, 0, 2
#: ColumnMetaData, by field: the path, sizes and offsets.
PATH, SIZE, COMPRESSED, DATA_OFFSET, DICTIONARY_OFFSET = 3, 6, 7, 9, 11
#: Bits of a number on a data page: a byte needs no packing, and the compression makes up for the room.
BITS = 8


class ResultWriter:
    """Writes chunks of results, all with the same columns."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self.outputs = list(outputs)
        self._codec = pa.Codec("snappy")
        self._labels: dict[str, tuple[str, ...]] = {o.name: o.labels for o in outputs if o.labels is not None}

    def write(self, codes: pl.DataFrame, target: Path) -> None:
        """One chunk as a file of one row group; names stand as their numbers in ``codes``."""
        named = {n: x for n, x in self._labels.items() if codes.schema[n] == pl.Int8 and len(codes)}
        head = _footer_of(named_frame(codes.head(0), self.outputs).collect())
        others = [o for o in self.outputs if o.name not in named]
        rest = io.BytesIO()
        frame = named_frame(codes.drop(named), others).collect()
        frame.write_parquet(rest, compression="snappy", statistics=False, row_group_size=max(len(codes), 1))
        whole = rest.getbuffer()
        found, _ = footer(rest)
        groups = found[ROW_GROUPS].value[1]
        ready = {_path(c): c for c in groups[0][GROUP_COLUMNS].value[1]} if groups else {}
        with target.open("wb") as out:
            out.write(MAGIC)
            chunks: list[Struct] = []
            for name in codes.columns:
                if name in named:
                    chunks.append(self._names(codes[name], named[name], out))
                elif ready:
                    chunks += [_copied(c, whole, out) for path, c in ready.items() if path[0] == name]
            if chunks:
                head[ROW_GROUPS] = Field(LIST, (STRUCT, [_group(chunks, len(codes))]))
            head[NUM_ROWS] = Field(I64, len(codes))
            data = written(Field(STRUCT, head))
            out.write(data + len(data).to_bytes(4, "little") + MAGIC)

    def _names(self, column: pl.Series, labels: Sequence[str], out: BinaryIO) -> Struct:
        """The column chunk of a column of names; returns what the footer says of it."""
        start = out.tell()
        listed = b"".join(len(b).to_bytes(4, "little") + b for b in (label.encode() for label in labels))
        plain = self._page(DICTIONARY_PAGE, 7, {1: Field(I32, len(labels)), 2: Field(I32, PLAIN)}, listed, out)
        said = {
            1: Field(I32, len(column)),
            2: Field(I32, RLE_DICTIONARY),
            3: Field(I32, RLE),
            4: Field(I32, RLE),
        }
        data = out.tell()
        plain += self._page(DATA_PAGE, 5, said, _values(column), out)
        meta: Struct = {
            1: Field(I32, BYTE_ARRAY),
            2: Field(LIST, (I32, [PLAIN, RLE, RLE_DICTIONARY])),
            PATH: Field(LIST, (BINARY, [column.name.encode()])),
            4: Field(I32, SNAPPY),
            5: Field(I64, len(column)),
            SIZE: Field(I64, plain),
            COMPRESSED: Field(I64, out.tell() - start),
            DATA_OFFSET: Field(I64, data),
            DICTIONARY_OFFSET: Field(I64, start),
        }
        return {2: Field(I64, 0), CHUNK_META: Field(STRUCT, meta)}

    def _page(self, kind: int, field: int, about: Struct, content: bytes, out: BinaryIO) -> int:
        """A page; returns its size with its header, not compressed."""
        packed = self._codec.compress(content, asbytes=True)
        page: Struct = {
            1: Field(I32, kind),
            2: Field(I32, len(content)),
            3: Field(I32, len(packed)),
            field: Field(STRUCT, about),
        }
        header = written(Field(STRUCT, page))
        out.write(header)
        out.write(packed)
        return len(header) + len(content)


def _values(column: pl.Series) -> bytes:
    """The body of a data page: which rows have a value, then the numbers of those that have one."""
    rows, nulls = len(column), column.null_count()
    if nulls == rows or not nulls:
        levels: list[bytes | memoryview] = [varint(rows << 1), b"\1" if not nulls else b"\0"]
    else:
        bits = _memory(column.is_not_null())[: (rows + 7) // 8]
        levels = [varint(len(bits) << 1 | 1), bits]
    length = sum(map(len, levels)).to_bytes(4, "little")
    if nulls == rows:
        return b"".join([length, *levels, bytes([BITS])])
    numbers = column.drop_nulls() if nulls else column
    first = numbers[0]
    if (numbers == first).all():
        return b"".join([length, *levels, bytes([BITS]), varint(len(numbers) << 1), bytes([first])])
    groups = (len(numbers) + 7) // 8
    empty = bytes(groups * 8 - len(numbers))
    return b"".join([length, *levels, bytes([BITS]), varint(groups << 1 | 1), _memory(numbers), empty])


def _memory(column: pl.Series) -> memoryview:
    """The values of a column as they lie in memory: a bit each for truths, a byte each for small numbers."""
    array = column.rechunk().to_arrow()
    if array.offset:
        array = pa.concat_arrays([array, array.slice(0, 0)])
    view = memoryview(array.buffers()[1])
    return view if array.type == pa.bool_() else view[: len(column)]


def _footer_of(frame: pl.DataFrame) -> Struct:
    file = io.BytesIO()
    frame.write_parquet(file, compression="snappy", statistics=False)
    return footer(file)[0]


def _path(chunk: Mapping[int, Field]) -> tuple[str, ...]:
    return tuple(part.decode() for part in chunk[CHUNK_META].value[PATH].value[1])


def _copied(chunk: Struct, whole: memoryview, out: BinaryIO) -> Struct:
    """A column chunk as polars wrote it, at its new place."""
    meta: Struct = chunk[CHUNK_META].value
    first = min(meta[id].value for id in META_OFFSETS if id in meta)
    moved = out.tell() - first
    out.write(whole[first : first + meta[COMPRESSED].value])
    for id in META_OFFSETS:
        if id in meta:
            meta[id].value += moved
    return {2: Field(I64, 0), CHUNK_META: Field(STRUCT, meta)}


def _group(chunks: list[Struct], rows: int) -> Struct:
    metas: list[Any] = [c[CHUNK_META].value for c in chunks]
    return {
        1: Field(LIST, (STRUCT, chunks)),
        2: Field(I64, sum(m[SIZE].value for m in metas)),
        3: Field(I64, rows),
        5: Field(I64, len(MAGIC)),
        6: Field(I64, sum(m[COMPRESSED].value for m in metas)),
        7: Field(I16, 0),
    }
