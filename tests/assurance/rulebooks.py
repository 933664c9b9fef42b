"""A small rulebook in which `check` finds nothing at all, and short ways to write faults into a copy of it."""

from __future__ import annotations

from collections.abc import Mapping

from yyassess import Rulebook
from yyassess.rulebook.building import build
from yyassess.rulebook.loading import RawFile

VOCABULARY = """\
facts:
  birth: {type: date, person: true, name: {zh: 生日, en: Birthday}}
  age: {type: integer, range: [0, 130], derive: "AGE_ON(birth, on_day)", unit: {zh: 岁, en: years}, name: {zh: 年龄, en: Age}}
  months: {type: integer, range: [0, 600], unit: {zh: 个月, en: months}, name: {zh: 失能月数, en: Months of disability}}
  income: {type: decimal, decimals: 2, range: [0, 99999], name: {zh: 收入, en: Income}}
  alone: {type: boolean, name: {zh: 独居, en: Living alone}}
  insured: {type: boolean, name: {zh: 参保, en: Insured}}
  coma: {type: boolean, name: {zh: 昏迷, en: Coma}}
  scheme:
    type: code
    name: {zh: 险种, en: Scheme}
    codes: {employee: {zh: 职工, en: employees}, resident: {zh: 居民, en: residents}, none: {zh: 无, en: none}}
  ills: {type: codes, name: {zh: 疾病, en: Illnesses}, codes: {dementia: {zh: 痴呆, en: dementia}, stroke: {zh: 中风, en: stroke}}}
  home: {type: place, person: true, name: {zh: 户籍地, en: Registered at}}
  grade: {type: integer, range: [0, 1], grade_of: scale, name: {zh: 等级, en: Grade}}
  letter: {type: code, code_of: scale, name: {zh: 结果, en: Result}, codes: {well: {zh: 好, en: well}, ill: {zh: 差, en: ill}}}
"""

SOURCES = """\
documents:
  notice: {title: {zh: 通知, en: Notice}, date: 2020-01-01, evidence: verified}
"""

LICENCE = """\
licence:
  {owner: {zh: 公开, en: public}, status: government, items: shipped, say: {zh: 可用, en: may be used}, verified_on: 2020-01, evidence: verified}
respondent: [person]
"""

SCALE = f"""\
id: scale
name: {{zh: 小量表, en: Small scale}}
short: {{zh: 小, en: Small}}
kind: ability
source: {{document: notice}}
evidence: verified
{LICENCE}
higher_score: worse
levels:
  - {{level: 0, code: well, name: {{zh: 好, en: Well}}}}
  - {{level: 1, code: ill, name: {{zh: 差, en: Ill}}}}
ladders:
  steps:
    - {{score: 0, say: {{zh: 能, en: Does it}}}}
    - {{score: 1, say: {{zh: 要帮, en: With help}}}}
    - {{score: 2, say: {{zh: 不能, en: Does not}}}}
dimensions:
  - id: body
    name: {{zh: 身体, en: Body}}
    items:
      - {{id: eating, name: {{zh: 进食, en: Eating}}, ladder: steps}}
      - {{id: walking, name: {{zh: 行走, en: Walking}}, ladder: steps}}
context: [{{fact: coma, if_not_given: false}}]
steps:
  - {{id: total, kind: sum, items: all, name: {{zh: 总分, en: Total}}, evidence: verified}}
  - id: band
    kind: band
    of: total
    name: {{zh: 分段, en: Band}}
    evidence: verified
    cuts: [{{at: 0, level: 0}}, {{at: 2, level: 1}}]
grade: band
adjustments:
  - {{id: coma_worst, when: coma, set_level: 1, source: {{document: notice}}, evidence: verified, say: {{zh: 昏迷即为差, en: Coma is ill}}}}
record:
  - id: basics
    name: {{zh: 基本情况, en: Basics}}
    facts: [birth, age, months, income, alone, insured, scheme, ills, home]
"""

GRID = f"""\
id: grid
name: {{zh: 查表, en: Table}}
short: {{zh: 表, en: Table}}
kind: ability
source: {{document: notice}}
evidence: verified
{LICENCE}
higher_score: worse
levels:
  - {{level: 0, code: well, name: {{zh: 好, en: Well}}}}
  - {{level: 1, code: ill, name: {{zh: 差, en: Ill}}}}
  - {{level: 2, code: bad, name: {{zh: 重, en: Bad}}}}
ladders:
  two: [{{score: 0, say: {{zh: 能, en: Does it}}}}, {{score: 1, say: {{zh: 不能, en: Does not}}}}]
dimensions:
  - {{id: body, name: {{zh: 身体, en: Body}}, items: [{{id: eating, name: {{zh: 进食, en: Eating}}, ladder: two}}]}}
  - {{id: mind, name: {{zh: 精神, en: Mind}}, items: [{{id: memory, name: {{zh: 记忆, en: Memory}}, ladder: two}}]}}
steps:
  - {{id: rows, kind: sum, dimension: body, name: {{zh: 行, en: Rows}}, evidence: verified}}
  - {{id: columns, kind: sum, dimension: mind, name: {{zh: 列, en: Columns}}, evidence: verified}}
  - id: cells
    kind: matrix
    rows: rows
    columns: columns
    name: {{zh: 表, en: Table}}
    evidence: verified
    cells:
      - [0, 1]
      - [1, 2]
grade: cells
"""

PATHWAY = """\
id: memory
name: {zh: 记忆, en: Memory}
place: town
source: {document: notice}
evidence: verified
note: {zh: 筛查不是诊断, en: Screening is not diagnosis}
entry: [{id: old, when: age >= 60, say: {zh: 满60岁, en: Aged 60}, evidence: verified}]
stages:
  - {id: first, name: {zh: 初筛, en: First}, evidence: verified, choose: [{instrument: screen, evidence: verified}]}
results:
  - {code: fine, level: 0, name: {zh: 阴性, en: Fine}, advice: {zh: 无, en: None}}
  - {code: doubt, level: 1, name: {zh: 阳性, en: Doubt}, advice: {zh: 查, en: See}}
grading:
  - {when: first_positive, result: doubt, say: {zh: 阳性, en: Positive}, evidence: verified}
  - {result: fine, say: {zh: 阴性, en: Negative}, evidence: verified}
rescreen:
  - {results: [doubt], days: 14, say: {zh: 两周后, en: In two weeks}, evidence: verified}
  - {results: [fine], months: 12, say: {zh: 每年, en: Every year}, evidence: verified}
"""

SCREEN = f"""\
id: screen
name: {{zh: 初筛, en: Screen}}
short: {{zh: 初筛, en: Screen}}
kind: screening
source: {{document: notice}}
evidence: verified
{LICENCE}
higher_score: worse
levels:
  - {{level: 0, code: negative, name: {{zh: 阴, en: Negative}}, positive: false}}
  - {{level: 1, code: positive, name: {{zh: 阳, en: Positive}}, positive: true}}
dimensions:
  - id: words
    name: {{zh: 词, en: Words}}
    items: [{{id: forgotten, name: {{zh: 忘词, en: Words forgotten}}, range: [0, 3]}}]
steps:
  - id: result
    kind: band
    of: forgotten
    name: {{zh: 结果, en: Result}}
    evidence: verified
    cuts: [{{at: 0, level: 0}}, {{at: 1, level: 1}}]
grade: result
"""

BASE: dict[str, str] = {
    "vocabulary.yaml": VOCABULARY,
    "sources.yaml": SOURCES,
    "instruments/scale.yaml": SCALE,
    "national/place.yaml": 'places: [{id: national, code: "000000", name: {zh: 国, en: Nation}, level: national}]\n',
    "city/place.yaml": """\
places:
  - {id: city, code: "330900", name: {zh: 市, en: City}, level: city, within: national}
""",
    "town/place.yaml": """\
places:
  - {id: town, code: "330901", name: {zh: 镇, en: Town}, level: district, within: city}
  - {id: far, code: "440100", name: {zh: 远方, en: Far city}, level: city, within: national}
programmes_of: town
""",
    "far/place.yaml": """\
places:
  - {id: faraway, code: "440101", name: {zh: 远镇, en: Far town}, level: district, within: far}
""",
}


#: Files that only some faults need; a fault that changes one of them adds it.
MORE: dict[str, str] = {
    "instruments/grid.yaml": GRID,
    "instruments/screen.yaml": SCREEN,
    "pathways/memory.yaml": PATHWAY,
}


def programme(
    id: str, *criteria: str, rest: str = "", since: str = "{from: 2020-01-01}", status: str = "in_force"
) -> str:
    """The file of a programme: a head that is always in order, criteria by their conditions, and the rest as YAML."""
    lines = [
        f"id: {id}",
        f"name: {{zh: 项目{id}, en: Programme {id}}}",
        "kind: subsidy",
        f"status: {status}",
        "source: {document: notice}",
        "evidence: verified",
        f"in_force: {since}",
        "criteria:" if criteria else "not_configured: {zh: 未知, en: Not known}",
    ]
    for number, when in enumerate(criteria):
        lines.append(
            f'  - {{id: c{number}, when: "{when}", say: {{zh: 条件{number}, en: Criterion {number}}}, evidence: verified}}'
        )
    return "\n".join(lines) + "\n" + rest


def money(*rows: str) -> str:
    """Benefit rows ``amount[, unit][ if condition]``."""
    lines = ["benefits:"]
    for number, row in enumerate(rows):
        figure, _, when = row.partition(" if ")
        amount, _, unit = figure.rpartition(", ") if ", CNY" in figure else (figure, "", "")
        condition = f', when: "{when}"' if when else ""
        lines.append(
            f"  - {{id: row-{number}, say: {{zh: 第{number}行, en: Row {number}}}, amount: {quoted(amount)}, "
            f"unit: {unit or 'CNY/month'}, evidence: verified{condition}}}"
        )
    return "\n".join(lines) + "\n"


def quoted(amount: str) -> str:
    """A figure as it is, an expression in quotes."""
    return amount if amount.isdigit() else f'"{amount}"'


def interaction(kind: str, other: str) -> str:
    """One interaction with another programme."""
    return f"interactions: [{{kind: {kind}, programme: {other}, say: {{zh: 衔接, en: Interaction}}, evidence: verified}}]\n"


def changed(file: str, *changes: tuple[str, str]) -> dict[str, str]:
    """A file of the base with words replaced that stand in it exactly once."""
    text = {**BASE, **MORE}[file]
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        text = text.replace(old, new)
    return {file: text}


def rulebook(files: Mapping[str, str]) -> Rulebook:
    """The base with some files added or replaced, read and checked as any other."""
    raw = [
        RawFile(f"rules/{name}", name.rpartition("/")[0], 0, text.encode())
        for name, text in sorted({**BASE, **files}.items())
    ]
    return build(raw)
