"""Several Parquet files of one schema -> one file, by copying row groups as they are and writing one footer.

The footer is Thrift's compact protocol. Only the offsets inside it are moved; no value is read or encoded again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"PAR1"
STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(13)

#: Fields of the footer (parquet.thrift): FileMetaData, RowGroup, ColumnChunk, ColumnMetaData.
SCHEMA, NUM_ROWS, ROW_GROUPS = 2, 3, 4
GROUP_COLUMNS, GROUP_OFFSET, GROUP_ORDINAL = 1, 5, 7
CHUNK_OFFSET, CHUNK_META, OFFSET_INDEX, COLUMN_INDEX = 2, 3, 4, 6
META_OFFSETS = (9, 10, 11, 14)


@dataclass
class Field:
    """A value of a Thrift struct with its wire type."""

    kind: int
    value: Any


Struct = dict[int, Field]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7

    def zigzag(self) -> int:
        number = self.varint()
        return (number >> 1) ^ -(number & 1)

    def take(self, length: int) -> bytes:
        self.at += length
        return self.data[self.at - length : self.at]

    def struct(self) -> Struct:
        fields: Struct = {}
        id = 0
        while (head := self.byte()) != STOP:
            id = id + (head >> 4) if head >> 4 else self.zigzag()
            fields[id] = Field(head & 15, self.value(head & 15))
        return fields

    def value(self, kind: int) -> Any:
        if kind in (TRUE, FALSE):
            return None
        if kind == BYTE:
            return self.byte()
        if kind in (I16, I32, I64):
            return self.zigzag()
        if kind == DOUBLE:
            return self.take(8)
        if kind == BINARY:
            return self.take(self.varint())
        if kind in (LIST, SET):
            head = self.byte()
            size = head >> 4 if head >> 4 != 15 else self.varint()
            inner = head & 15
            return inner, [self.byte() if inner in (TRUE, FALSE) else self.value(inner) for _ in range(size)]
        if kind == STRUCT:
            return self.struct()
        raise ValueError(f"a footer with Thrift type {kind}")


def varint(number: int) -> bytes:
    """A whole number in sevens of bits, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


class _Writer:
    def __init__(self) -> None:
        self.out = bytearray()

    def varint(self, number: int) -> None:
        self.out += varint(number)

    def zigzag(self, number: int) -> None:
        self.varint(number << 1 if number >= 0 else (-number << 1) - 1)

    def struct(self, fields: Struct) -> None:
        before = 0
        for id in sorted(fields):
            field = fields[id]
            if 0 < id - before < 16:
                self.out.append((id - before) << 4 | field.kind)
            else:
                self.out.append(field.kind)
                self.zigzag(id)
            self.value(field.kind, field.value)
            before = id
        self.out.append(STOP)

    def value(self, kind: int, value: Any) -> None:
        if kind in (TRUE, FALSE):
            return
        if kind == BYTE:
            self.out.append(value)
        elif kind in (I16, I32, I64):
            self.zigzag(value)
        elif kind == DOUBLE:
            self.out += value
        elif kind == BINARY:
            self.varint(len(value))
            self.out += value
        elif kind in (LIST, SET):
            inner, items = value
            if len(items) < 15:
                self.out.append(len(items) << 4 | inner)
            else:
                self.out.append(0xF0 | inner)
                self.varint(len(items))
            for item in items:
                if inner in (TRUE, FALSE):
                    self.out.append(item)
                else:
                    self.value(inner, item)
        else:
            self.struct(value)


def join_parquet(parts: Sequence[Path], out: BinaryIO) -> int:
    """Write the rows of all parts, in order, as one Parquet file; returns how many rows it has.

    Raises:
        ValueError: a part is no Parquet file, or its columns are not those of the first.
    """
    out.write(MAGIC)
    position = len(MAGIC)
    first: Struct | None = None
    groups: list[Struct] = []
    rows = 0
    for part in parts:
        with part.open("rb") as stream:
            found, length = footer(stream)
            if first is None:
                first = found
            elif written(found[SCHEMA]) != written(first[SCHEMA]):
                raise ValueError(f"{part.name} has other columns than {parts[0].name}")
            moved = position - len(MAGIC)
            for group in found[ROW_GROUPS].value[1] if ROW_GROUPS in found else ():
                _move(group, moved)
                if GROUP_ORDINAL in group:
                    group[GROUP_ORDINAL].value = len(groups)
                groups.append(group)
            rows += found[NUM_ROWS].value
            stream.seek(len(MAGIC))
            _copy(stream, out, length)
            position += length
    assert first is not None
    first[ROW_GROUPS] = Field(LIST, (STRUCT, groups))
    first[NUM_ROWS].value = rows
    data = written(Field(STRUCT, first))
    out.write(data + len(data).to_bytes(4, "little") + MAGIC)
    return rows


def footer(stream: BinaryIO) -> tuple[Struct, int]:
    """The footer of a file, and how many bytes lie between the first mark and the footer."""
    stream.seek(-8, 2)
    end = stream.tell()
    tail = stream.read(8)
    if tail[4:] != MAGIC:
        raise ValueError("not a Parquet file")
    size = int.from_bytes(tail[:4], "little")
    stream.seek(end - size)
    return _Reader(stream.read(size)).struct(), end - size - len(MAGIC)


def _move(group: Struct, by: int) -> None:
    def shift(fields: Struct, id: int) -> None:
        if id in fields and fields[id].value:
            fields[id].value += by

    shift(group, GROUP_OFFSET)
    for chunk in group[GROUP_COLUMNS].value[1]:
        for id in (CHUNK_OFFSET, OFFSET_INDEX, COLUMN_INDEX):
            shift(chunk, id)
        for id in META_OFFSETS:
            shift(chunk[CHUNK_META].value, id)


def written(field: Field) -> bytes:
    """A value in Thrift's compact protocol."""
    writer = _Writer()
    writer.value(field.kind, field.value)
    return bytes(writer.out)


def _copy(stream: BinaryIO, out: BinaryIO, length: int) -> None:
    while length > 0:
        data = stream.read(min(length, 16 * 2**20))
        if not data:
            raise ValueError("the file ends early")
        out.write(data)
        length -= len(data)
