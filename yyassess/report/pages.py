"""One documentation page an instrument, written from the data: ``python -m yyassess.report.pages docs/instruments``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from yyassess.report.text import LICENCES, MARKS
from yyassess.rulebook.book import Rulebook
from yyassess.rulebook.instrument import Band, Count, Instrument, Item, Matrix, Mean, Mode, Rules, Sum, Worst

HIGHER = {"more_able": "分高者能力好 / higher is more able", "worse": "分高者更差 / higher is worse", "neither": "—"}


def both(text: Any) -> str:
    """A text in both languages on one line, safe inside a table."""
    return f"{text['zh']} · {text['en']}".replace("|", "\\|").replace("\n", " ")


def evidence(of: Any) -> str:
    """An evidence mark with its words."""
    shown = f"{MARKS[of.mark][0]} ({of.mark}{', ' + of.confidence if of.confidence else ''})"
    return f"{shown}: {of.words}".replace("|", "\\|") if of.words else shown


def page(book: Rulebook, it: Instrument) -> str:
    """The Markdown page of an instrument."""
    return "\n".join(_lines(book, it)) + "\n"


def _lines(book: Rulebook, it: Instrument) -> Iterator[str]:
    source = book.documents[it.source.document]
    yield f"# {it.name['zh']} · {it.name['en']}"
    yield ""
    yield "<!-- Written from the rule file by `python -m yyassess.report.pages`; do not edit. -->"
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| 编号 id | `{it.id}` |"
    yield f"| 依据 source | {both(source.title)}{' ' + source.number if source.number else ''}{', ' + it.source.clause if it.source.clause else ''} |"
    yield f"| 证据 evidence | {evidence(it.evidence)} |"
    yield f"| 许可 licence | {' / '.join(LICENCES[it.licence.status])}; {both(it.licence.owner)}; {both(it.licence.say)} |"
    yield f"| 许可核对 licence checked | {it.licence.verified_on}, {evidence(it.licence.evidence)} |"
    yield f"| 条目 items | {'随附 / shipped' if it.licence.items == 'shipped' else '不随附，只录总分 / not shipped, totals only'} |"
    yield f"| 方向 direction | {HIGHER[it.higher_score]} |"
    yield f"| 回答者 respondent | {', '.join(it.respondent)} |"
    for title, text in (
        ("施测者 administered by", it.administered_by),
        ("方法 method", it.method),
        ("复评 reassessment", it.reassess),
        ("说明 note", it.note),
        ("不计算 not computed", it.not_computed),
    ):
        if text:
            yield f"| {title} | {both(text)} |"
    yield from _levels(it)
    yield from _items(it)
    yield from _steps(it)
    yield from _rules(it)


def _levels(it: Instrument) -> Iterator[str]:
    if not it.levels:
        return
    yield from ("", "## 等级 Levels", "", "| | 代码 code | 名称 name |", "|---|---|---|")
    for level in it.levels:
        advice = f"<br>{both(level.advice)}" if level.advice else ""
        yield f"| {level.level} | `{level.code}` | {both(level.name)}{advice} |"


def _items(it: Instrument) -> Iterator[str]:
    for dimension in it.dimensions:
        yield from ("", f"## {dimension.code or ''} {both(dimension.name)}".replace("  ", " "))
        for item in dimension.items:
            yield from ("", f"### {item.code or ''} {both(item.name)} `{item.id}`".replace("  ", " "))
            if item.scope:
                yield from ("", both(item.scope))
            yield from _options(it, item)
            if item.evidence:
                yield from ("", f"证据 evidence: {evidence(item.evidence)}")
            if item.disagreement:
                yield from ("", f"来源不一致 sources disagree: {both(item.disagreement)}")


def _options(it: Instrument, item: Item) -> Iterator[str]:
    if item.range:
        yield from ("", f"{item.range[0]} – {item.range[1]}")
        return
    yield from ("", "| 得分 score | 含义 meaning |", "|---|---|")
    for option in it.ladders[item.ladder] if item.ladder else item.options:
        answer = option.answer if option.id is None or option.score is None else f"{option.id} ({option.score})"
        yield f"| {answer} | {both(option.say)} |"


def _steps(it: Instrument) -> Iterator[str]:
    if not it.steps:
        return
    yield from ("", "## 计分 Scoring", "", "| | | 证据 evidence |", "|---|---|---|")
    for step in it.steps:
        yield f"| `{step.id}` {both(step.name)} | {_step(step)} | {evidence(step.evidence)} |"


def _step(step: Any) -> str:
    match step:
        case Sum():
            what = (
                step.dimension or (", ".join(step.items) if step.items != "all" else "all items") or ", ".join(step.of)
            )
            more = f"; reversed {', '.join(step.reverse.items)}" if step.reverse else ""
            more += "".join(f"; +{b.add} if `{b.when}`" for b in step.bonus)
            more += f"; at least {step.at_least}" if step.at_least is not None else ""
            return f"sum of {what}{more}" + (f"; at most {step.at_most}" if step.at_most is not None else "")
        case Mean():
            return f"mean of {step.items if step.items == 'all' else ', '.join(step.items)}"
        case Count():
            return f"count where `{step.when}`"
        case Worst():
            return f"{'largest' if step.pick == 'most' else 'smallest'} of {', '.join(step.of)}"
        case Band():
            return f"`{step.of}`: " + ", ".join(f"from {c.at}: {c.level}" for c in step.cuts)
        case Matrix():
            flag = " **未核对 unconfirmed**" if step.status == "unconfirmed" else ""
            rows = "; ".join(" ".join(map(str, row)) for row in step.cells)
            return f"rows `{step.rows}`, columns `{step.columns}`: {rows}{flag}"
        case Rules():
            lines = [f"`{r.when}`: {r.value}" if r.when else f"else {r.value}" for r in step.rules]
            return "<br>".join(line.replace("|", "\\|") for line in lines)
        case Mode():
            return f"most frequent where `{step.when}`, tie: nearest to `{step.tie_nearest}`"
    raise TypeError(type(step).__name__)


def _rules(it: Instrument) -> Iterator[str]:
    if it.adjustments:
        yield from (
            "",
            "## 等级变更 Level changes",
            "",
            "| | 条件 when | 效果 effect | 证据 evidence |",
            "|---|---|---|---|",
        )
        for a in it.adjustments:
            effect = f"= {a.set_level}" if a.set_level is not None else f"+{a.raise_by}"
            yield f"| `{a.id}` {both(a.say)} | `{a.when}` | {effect} | {evidence(a.evidence)} |"
    if it.settings:
        yield from ("", "## 可选设置 Settings", "", "| | | 默认 default |", "|---|---|---|")
        for s in it.settings:
            default = "须选定 must be chosen" if s.default is None else str(s.default)
            yield f"| `{s.id}` {both(s.say)} | {', '.join(map(str, s.choices))} | {default} |"
    if it.decisions:
        yield from (
            "",
            "## 本项目的判读 Decisions",
            "",
            "| | 问题 point | 采用 taken | 理由 reason |",
            "|---|---|---|---|",
        )
        for d in it.decisions:
            proposed = " (proposed)" if d.proposed else ""
            yield f"| {d.id}{proposed} | {both(d.point)} | {both(d.taken)} | {both(d.reason)} |"
    if it.hints:
        yield from ("", "## 提示 Hints", "", "| | |", "|---|---|")
        for h in it.hints:
            yield f"| {h.id} ({h.severity}) | {both(h.say)} |"


def write_pages(book: Rulebook, folder: Path) -> list[Path]:
    """Write all pages and their index; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    index = ["# 量表 Instruments", "", "| | | 等级 levels | 许可 licence | 证据 evidence |", "|---|---|---|---|---|"]
    for it in book.instruments.values():
        file = folder / f"{it.id}.md"
        file.write_text(page(book, it), encoding="utf-8")
        written.append(file)
        levels = f"{it.levels[0].level}–{it.levels[-1].level}" if it.levels else "—"
        index.append(
            f"| [{it.id}]({it.id}.md) | {both(it.name)} | {levels} | {it.licence.status} | {it.evidence.mark} |"
        )
    readme = folder / "README.md"
    readme.write_text("\n".join(index) + "\n", encoding="utf-8")
    return [*written, readme]


def main(arguments: Sequence[str]) -> None:
    """Write the pages into the folder named."""
    write_pages(Rulebook.load(), Path(arguments[0] if arguments else "docs/instruments"))


if __name__ == "__main__":
    main(sys.argv[1:])
