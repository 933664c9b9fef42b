"""A small rulebook on disk that tests break in one place at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from yyassess import Rulebook, RulebookError
from yyassess.rulebook.loading import RuleError

VOCABULARY = """\
facts:
  coma:
    type: boolean
    name: {zh: 昏迷, en: Coma}
  years:
    type: integer
    range: [0, 130]
    name: {zh: 周岁, en: Years of age}
  income:
    type: decimal
    decimals: 2
    range: [0, 100000]
    name: {zh: 收入, en: Income}
  born:
    type: date
    name: {zh: 出生日期, en: Day of birth}
  scheme:
    type: code
    name: {zh: 险种, en: Scheme}
    codes:
      employee: {zh: 职工, en: employees}
      resident: {zh: 居民, en: residents}
  illnesses:
    type: codes
    name: {zh: 疾病, en: Illnesses}
    codes:
      dementia: {zh: 痴呆, en: dementia}
      stroke: {zh: 中风, en: stroke}
"""

SOURCES = """\
documents:
  notice:
    title: {zh: 通知, en: Notice}
    number: 一号
    date: 2020-01-01
    evidence: verified
"""

SCALE = """\
id: scale
name: {zh: 小量表, en: Small scale}
short: {zh: 小, en: Small}
kind: ability
source: {document: notice, clause: 附件}
evidence: verified
licence:
  owner: {zh: 公开, en: public}
  status: government
  items: shipped
  say: {zh: 可用, en: may be used}
  verified_on: 2020-01
  evidence: verified
higher_score: worse
respondent: [person]
levels:
  - {level: 0, code: well, name: {zh: 好, en: Well}}
  - {level: 1, code: ill, name: {zh: 差, en: Ill}}
ladders:
  steps:
    - {score: 0, say: {zh: 能, en: Does it}}
    - {score: 1, say: {zh: 要帮, en: With help}}
    - {score: 2, say: {zh: 不能, en: Does not}}
dimensions:
  - id: body
    name: {zh: 身体, en: Body}
    items:
      - {id: eating, name: {zh: 进食, en: Eating}, ladder: steps}
      - {id: walking, name: {zh: 行走, en: Walking}, ladder: steps}
context:
  - {fact: coma, if_not_given: false}
steps:
  - {id: total, kind: sum, items: all, name: {zh: 总分, en: Total}, evidence: verified}
  - id: preliminary
    kind: band
    of: total
    name: {zh: 初步等级, en: Preliminary grade}
    evidence: verified
    cuts: [{at: 0, level: 0}, {at: 2, level: 1}]
grade: preliminary
adjustments:
  - id: coma_worst
    when: coma
    set_level: 1
    source: {document: notice}
    evidence: verified
    say: {zh: 昏迷即为差, en: Coma is ill}
"""

ALLOWANCE = """\
id: allowance
name: {zh: 津贴, en: Allowance}
kind: allowance
status: in_force
source: {document: notice, clause: 第一条}
evidence: verified
in_force: {from: 2020-01-01}
criteria:
  - id: old-enough
    when: years >= 80
    say: {zh: 年满80周岁, en: Aged 80 or more}
    evidence: verified
  - id: insured
    when: scheme = 'employee'
    say: {zh: 参加职工医保, en: In the employees' scheme}
    evidence: verified
benefits:
  - id: money
    say: {zh: 每月补贴, en: A monthly allowance}
    amount:
      - {from: 2020-01-01, value: 100}
      - {from: 2024-01-01, value: 150}
    unit: CNY/month
    evidence: verified
"""

#: A small rulebook without a fault: four places, one in the other, one scale, one programme for the whole nation.
SMALL = {
    "vocabulary.yaml": VOCABULARY,
    "sources.yaml": SOURCES,
    "instruments/scale.yaml": SCALE,
    "national/place.yaml": 'places:\n  - {id: national, code: "000000", name: {zh: 国, en: Nation}, level: national}\n',
    "national/allowance.yaml": ALLOWANCE,
    "city/place.yaml": """\
places:
  - {id: province, code: "330000", name: {zh: 省, en: Province}, level: province, within: national}
  - {id: city, code: "330900", name: {zh: 市, en: City}, level: city, within: province, aliases: [海市]}
programmes_of: city
""",
    "city/district/place.yaml": """\
places:
  - {id: district, code: "330921", name: {zh: 区, en: District}, level: district, within: city}
""",
}


class RuleFolder:
    """A folder of rules to be broken: write files, change words in them, load."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: str | bytes) -> RuleFolder:
        """Writes a file."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def change(self, name: str, *changes: tuple[str, str]) -> RuleFolder:
        """Replaces words that stand exactly once in a file."""
        text = (self.path / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
            text = text.replace(old, new)
        return self.write(name, text)

    def line(self, name: str, words: str) -> int:
        """The number of the one line that holds some words."""
        lines = (self.path / name).read_text(encoding="utf-8").splitlines()
        [number] = [n for n, line in enumerate(lines, 1) if words in line]
        return number

    def load(self, *, cache: bool = False) -> Rulebook:
        """The rulebook of this folder alone."""
        return Rulebook.load(self.path, shipped=False, cache=cache)

    def faults(self) -> list[RuleError]:
        """What is wrong with the rules, all of it."""
        with pytest.raises(RulebookError) as caught:
            self.load()
        return caught.value.errors

    def fault(self) -> RuleError:
        """The one thing that is wrong with the rules."""
        found = self.faults()
        assert len(found) == 1, "\n".join(map(str, found))
        return found[0]
