"""A sheet of named column formulas: each distinct formula is written once, however many rules use it.

A formula is a `sqlglot` expression over input columns and other formulas. `Sheet.stages` puts what is wanted in an
order in which every stage needs only earlier ones; `Sheet.sql` prints that as one nested SELECT of any dialect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlglot import exp

#: Formulas deeper than this are a mistake in the rules (or in us), not a plan.
MAX_DEPTH = 2000


class Sheet:
    """Named formulas over the columns of a table."""

    def __init__(self) -> None:
        self.inputs: dict[str, None] = {}
        self._formulas: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        self._depth: dict[str, int] = {}
        self._needs: dict[str, tuple[str, ...]] = {}

    def input(self, name: str) -> Any:
        """A column of the table."""
        self.inputs.setdefault(name)
        return exp.column(name, quoted=True)

    def define(self, formula: Any) -> Any:
        """The column that holds a formula; an equal formula gives the same column."""
        if isinstance(formula, (exp.Column, exp.Literal, exp.Boolean)):
            return formula
        text = formula.sql()
        name = self._names.get(text)
        if name is None:
            name = self._names[text] = f"_{len(self._names)}"
            needs = tuple(dict.fromkeys(c.name for c in formula.find_all(exp.Column)))
            self._formulas[name] = formula
            self._needs[name] = needs
            self._depth[name] = 1 + max((self._depth.get(n, 0) for n in needs), default=0)
            if self._depth[name] > MAX_DEPTH:
                raise RecursionError("the rules build on one another too deeply")
        return exp.column(name, quoted=True)

    def needed(self, wanted: Iterable[Any]) -> tuple[list[str], list[str]]:
        """The input columns and the formulas (in order) that some columns need."""
        found: set[str] = set()
        stack = [c.name for w in wanted for c in w.find_all(exp.Column)]
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack.extend(self._needs.get(name, ()))
        return [n for n in self.inputs if n in found], [n for n in self._formulas if n in found]

    def formula(self, name: str) -> Any:
        """The formula of a name."""
        return self._formulas[name]

    def stages(self, wanted: Sequence[Any]) -> list[dict[str, Any]]:
        """The formulas that some columns need, as stages: each needs only the stages before it."""
        _, names = self.needed(wanted)
        staged: dict[int, dict[str, Any]] = {}
        for name in names:
            staged.setdefault(self._depth[name], {})[name] = self._formulas[name]
        return [staged[depth] for depth in sorted(staged)]

    def sql(self, wanted: Mapping[str, Any], table: str, dialect: str, where: Any = None) -> str:
        """One SELECT of the wanted columns from ``table`` (a table name, or a SELECT in parentheses)."""
        columns = list(wanted.values()) + ([where] if where is not None else [])
        inputs, _ = self.needed(columns)
        stages = self.stages(columns)
        # What a stage hands on: what later stages or the result still need.
        after: list[set[str]] = []
        live = {c.name for w in columns for c in w.find_all(exp.Column)}
        for stage in reversed(stages):
            after.append(set(live))
            live = (live - set(stage)) | {n for name in stage for n in self._needs[name]}
        after.reverse()
        source = f"SELECT {self._list(inputs, dialect)} FROM {table}"
        known = list(inputs)
        for stage, kept in zip(stages, after, strict=True):
            known = [n for n in known if n in kept]
            made = [exp.alias_(f, n, quoted=True).sql(dialect=dialect) for n, f in stage.items()]
            listed = ", ".join([self._list(known, dialect), *made] if known else made)
            known += list(stage)
            source = f"SELECT {listed} FROM ({source}) AS s"
        result = ", ".join(exp.alias_(w, alias, quoted=True).sql(dialect=dialect) for alias, w in wanted.items())
        condition = f" WHERE {where.sql(dialect=dialect)}" if where is not None else ""
        return f"SELECT {result} FROM ({source}) AS s{condition}"

    def _list(self, names: Iterable[str], dialect: str) -> str:
        return ", ".join(exp.column(n, quoted=True).sql(dialect=dialect) for n in names)
