"""Items of two instruments whose options mean the same, answer by answer."""

from pydantic import Field

from yyassess.rulebook.basics import Evidence, Ident, Kebab, Model, Number, Words


class ItemRef(Model):
    """An item of an instrument."""

    instrument: Kebab
    item: Ident


class SamePair(Model):
    """Two answers with one meaning."""

    first: Number | str
    second: Number | str


class Correspondence(Model):
    """Two items that ask the same; only the answers listed under ``same`` may be carried over, either way."""

    first: ItemRef
    second: ItemRef
    say: Words
    same: tuple[SamePair, ...] = Field(min_length=1)
    evidence: Evidence
