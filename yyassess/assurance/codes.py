"""Every finding code of ``yyassess check``: how bad it is, and its sentence in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding. ``error``: somebody may be decided wrongly; ``warning``: look at it or say why it is meant."""

    severity: Severity
    zh: str
    en: str


E: Severity = "error"
W: Severity = "warning"
N: Severity = "note"

CODES: dict[str, Code] = {
    # -- instruments: bands, tables, levels ---------------------------------------------------------------------
    "band-gap": Code(
        E, "{step}：得分 {value} 不在任何分段里，没有等级", "{step}: the value {value} lies in no band and has no level"
    ),
    "cut-unreachable": Code(
        E, "{step}：没有任何答案能得到从 {at} 起的这一段", "{step}: no answers reach the band that begins at {at}"
    ),
    "line-gap": Code(
        W,
        "{step}：{name} 为 {value} 时，各区间都不包含它，只落到最后一行",
        "{step}: {name} = {value} lies between the ranges of the lines and falls through to the last one",
    ),
    "line-overlap": Code(
        E,
        "{step}：{name} 为 {value} 时同时符合两行（第{first}行、第{second}行），结果不同",
        "{step}: {name} = {value} meets two lines (numbers {first} and {second}) with different results",
    ),
    "line-never": Code(W, "{step}：第{number}行永远轮不到", "{step}: line {number} is never the first that holds"),
    "level-unreachable": Code(
        W, "没有任何答案能评到第 {level} 级（{name}）", "no answers lead to level {level} ({name})"
    ),
    "level-not-listed": Code(
        E, "可能得出 {level}，但等级表里没有这一级", "the result can be {level}, which is not one of the levels"
    ),
    "table-out-of-range": Code(
        E,
        "{step}：可能查到表外（第 {row} 行第 {column} 列；表为 {rows}×{columns}，从 0 数起）",
        "{step}: a lookup can fall outside the table (row {row}, column {column}; the table is {rows} by {columns}, from 0)",
    ),
    "cell-unreachable": Code(
        N,
        "{step}：第 {row} 行第 {column} 列这一格用不到",
        "{step}: the cell in row {row}, column {column} is never used",
    ),
    "table-not-monotone": Code(
        E,
        "{step}：第 {row} 行第 {column} 列更差的一格反而得到更轻的结果",
        "{step}: next to row {row}, column {column} a worse cell gives a better result",
    ),
    "grade-not-monotone": Code(
        E,
        "有一项答得更差，等级反而更好（{better} 级对 {worse} 级）",
        "with one answer worse the grade gets better (level {better} against {worse})",
    ),
    "item-unused": Code(
        W, "指标“{name}”不影响任何得分、等级或提示", "the item {name!r} touches no score, level or warning"
    ),
    "setting-unused": Code(W, "设置“{name}”没有任何作用", "the setting {name!r} has no effect"),
    "adjustment-never": Code(E, "等级变更“{name}”永远不会成立", "the adjustment {name!r} can never hold"),
    "adjustment-always": Code(W, "等级变更“{name}”总是成立", "the adjustment {name!r} always holds"),
    "adjustment-lowers": Code(
        W,
        "等级变更“{name}”会把更重的等级改轻（{before} 级改为 {after} 级）",
        "the adjustment {name!r} can make the grade milder (level {before} becomes {after})",
    ),
    "adjustment-conflict": Code(
        E,
        "两条等级变更同时成立而定级不同（{first}、{second}）",
        "two adjustments can hold at once and set different levels ({first}, {second})",
    ),
    "hint-never": Code(W, "提示“{name}”永远不会出现", "the hint {name!r} can never appear"),
    "decision-never": Code(W, "判读“{name}”永远不会被指出", "the decision {name!r} is never named by a result"),
    # -- programmes ---------------------------------------------------------------------------------------------
    "never-satisfiable": Code(
        E,
        "没有人能符合全部条件：{parts} 互相矛盾",
        "nobody can meet all criteria: {parts} contradict one another",
    ),
    "criterion-never-true": Code(E, "条件“{part}”永远不成立", "the criterion {part!r} can never be true"),
    "always-eligible": Code(
        W,
        "情况清楚的人人人符合，这些条件不起作用",
        "everybody whose facts are known is eligible: the criteria decide nothing",
    ),
    "criterion-always-true": Code(
        W, "条件“{part}”对谁都成立", "the criterion {part!r} is true of everybody whose facts are known"
    ),
    "criterion-never-matters": Code(
        W,
        "条件“{part}”不起作用：符合其余条件的人必定符合它",
        "the criterion {part!r} never matters: whoever meets the others meets it",
    ),
    "part-never-matters": Code(
        W,
        "条件“{part}”里的“{text}”不起作用：去掉以后结论不变",
        "in {part!r}, {text!r} never matters: without it the criterion says the same",
    ),
    "same-programme": Code(
        W,
        "与“{other}”的条件和待遇相同，写法不同",
        "says the same as {other!r}: the same people, the same benefits",
    ),
    "override-contradicts": Code(
        E,
        "{place} 的规定与上级“{parent}”的同名项目互相排斥：没有人两边都符合",
        "the text of {place} contradicts that of {parent}: nobody meets both",
    ),
    "override-takes-away": Code(
        W,
        "按“{parent}”符合的人，按 {place} 的规定反而不符合（{part}）",
        "somebody eligible under the text of {parent} is not under that of {place} ({part})",
    ),
    "override-pays-less": Code(
        W,
        "按 {place} 的规定得到的比上级“{parent}”少（{less} 对 {more} {unit}）",
        "the text of {place} gives less than that of {parent} ({less} against {more} {unit})",
    ),
    # -- benefits -----------------------------------------------------------------------------------------------
    "benefit-overlap": Code(
        E,
        "同一个人同时落在两行待遇里而金额不同：{first}、{second}",
        "one person falls under two benefit rows with different amounts: {first}, {second}",
    ),
    "benefit-gap": Code(E, "有人符合条件，却没有任何一行待遇", "somebody is eligible and no benefit row applies"),
    "benefit-never": Code(
        W, "没有一个符合条件的人能得到“{part}”", "nobody who is eligible can get the benefit {part!r}"
    ),
    "service-never": Code(
        W, "没有一个符合条件的人能用到服务“{part}”", "no eligible person is ever offered the service {part!r}"
    ),
    "effect-never": Code(W, "“{part}”永远不会发生", "the effect {part!r} can never happen to somebody eligible"),
    "effect-always": Code(
        E,
        "凡符合条件的人都同时被“{part}”停止或终止",
        "everybody eligible is at once suspended or ended by {part!r}",
    ),
    "amount-negative": Code(E, "“{part}”的金额可能是负数", "the amount of {part!r} can be negative"),
    "amount-above-cap": Code(W, "“{part}”的金额可能超过自己的上限", "the amount of {part!r} can exceed its own cap"),
    "indicator-never": Code(
        W, "指标“{part}”的分子或分母里不可能有人", "nobody can ever be counted by the indicator {part!r}"
    ),
    # -- interactions -------------------------------------------------------------------------------------------
    "exclusive-both-granted": Code(
        E,
        "与“{other}”互斥，但有人两项都能得到",
        "excludes {other!r}, yet somebody is granted both",
    ),
    "exclusive-both-lost": Code(
        E,
        "与“{other}”互相让位：两项都符合的人两项都得不到",
        "gives way to {other!r}, which gives way to it: whoever is eligible for both gets neither",
    ),
    "always-dropped": Code(
        E,
        "凡符合本项目的人都符合“{other}”并让位给它，没有人真正得到",
        "whoever is eligible is eligible for {other!r} too and gives way to it: nobody ever gets this",
    ),
    "dropped-for-dropped": Code(
        E,
        "让位给“{other}”，而后者又让位给“{third}”：三项都符合的人白白失去本项",
        "gives way to {other!r}, which itself gives way to {third!r}: whoever is eligible for all three loses this for nothing",
    ),
    "higher-only-incomparable": Code(
        E,
        "与“{other}”只能就高，但两边的金额无法比较",
        "only the higher of this and {other!r} is paid, and their amounts cannot be compared",
    ),
    "interaction-never": Code(
        W,
        "没有人能同时符合本项目和“{other}”，这条衔接规定不起作用",
        "nobody can be eligible for both this and {other!r}",
    ),
    "interaction-elsewhere": Code(
        W, "“{other}”与本项目不在同一个地区适用", "{other!r} never applies in a place where this programme does"
    ),
    # -- fairness -----------------------------------------------------------------------------------------------
    "worse-grade-loses": Code(
        E,
        "等级更重反而不符合：{fact} 为 {low} 时可以，{high} 时不可以（{part}）",
        "a worse grade loses the benefit: eligible with {fact} = {low}, not with {high} ({part})",
    ),
    "worse-grade-gets-less": Code(
        E,
        "等级更重反而得到更少：{fact} 为 {low} 时 {more} {unit}，{high} 时 {less}",
        "a worse grade gets less: {more} {unit} with {fact} = {low}, {less} with {high}",
    ),
    "older-loses": Code(
        E,
        "年纪更大反而不符合：{fact} 为 {low} 时可以，{high} 时不可以（{part}）",
        "growing older loses the benefit: eligible with {fact} = {low}, not with {high} ({part})",
    ),
    "older-gets-less": Code(
        E,
        "年纪更大反而得到更少：{fact} 为 {low} 时 {more} {unit}，{high} 时 {less}",
        "growing older gets less: {more} {unit} with {fact} = {low}, {less} with {high}",
    ),
    "longer-loses": Code(
        E,
        "时间更长反而不符合：{fact} 为 {low} 时可以，{high} 时不可以（{part}）",
        "a longer time loses the benefit: eligible with {fact} = {low}, not with {high} ({part})",
    ),
    "longer-gets-less": Code(
        E,
        "时间更长反而得到更少：{fact} 为 {low} 时 {more} {unit}，{high} 时 {less}",
        "a longer time gets less: {more} {unit} with {fact} = {low}, {less} with {high}",
    ),
    # -- time ---------------------------------------------------------------------------------------------------
    "version-gap": Code(W, "{start} 到 {end} 之间没有任何文本有效", "no text holds from {start} to {end}"),
    "version-overlap": Code(E, "{day} 有两个文本同时有效", "two texts hold on {day}"),
    "version-never": Code(E, "这个文本在任何一天都不会被采用", "this text is not used on any day"),
    "expired": Code(W, "文本已于 {end} 到期，之后没有规定", "the text ended on {end} and nothing follows it"),
    "amount-hole": Code(
        W,
        "“{part}”从 {start} 起有待遇，金额到 {day} 才有",
        "{part!r} is granted from {start} but has no amount before {day}",
    ),
    "amount-older-than-source": Code(
        W,
        "“{part}”从 {start} 起算，所引文件 {document} 却是 {day} 的",
        "{part!r} counts from {start}, but its source {document} is of {day}",
    ),
    "source-lapsed": Code(
        W,
        "所引文件 {document} 到 {day} 为止，规则在那以后仍然适用",
        "the source {document} was in force until {day}; the rule goes on after that",
    ),
    # -- sources ------------------------------------------------------------------------------------------------
    "recall-in-force": Code(
        W, "现行规定里的“{part}”只凭记忆，没有核对", "{part!r} rests on recall only, in a programme that is in force"
    ),
    "single-without-words": Code(
        W, "“{part}”只有一个来源，没有写明是什么来源", "{part!r} rests on one source and does not say which"
    ),
    "decision-without-name": Code(
        W, "“{part}”是本项目的判读，没有写判读编号", "{part!r} is the project's reading and names no decision"
    ),
    "figure-without-evidence": Code(E, "“{part}”有数字，却没有依据", "{part!r} is a figure without evidence"),
    "document-unused": Code(N, "没有任何规则引用这份文件", "no rule cites this document"),
    # -- facts --------------------------------------------------------------------------------------------------
    "fact-unused": Code(W, "没有任何表格或规则用到这个事实", "no form asks for this fact and no rule uses it"),
    "fact-grade-range": Code(
        E,
        "量表可以评到 {level} 级，这个事实却只容 {low} 到 {high}",
        "the instrument yields level {level}, but this fact allows {low} to {high} only",
    ),
    "fact-code-missing": Code(
        E,
        "量表可以得出 {missing}，这个事实却没有这个代码",
        "the instrument yields {missing!r}, which is not a code of this fact",
    ),
    # -- pathways -----------------------------------------------------------------------------------------------
    "path-line-never": Code(W, "{part} 永远不会用到", "{part} is never used"),
    "path-result-unreachable": Code(E, "没有任何情况会得到结果“{part}”", "nothing leads to the result {part!r}"),
    "path-rescreen-gap": Code(
        W,
        "结果为“{part}”且各步都做完的人，没有写什么时候复筛",
        "somebody with the result {part!r} and all steps done is not told when to screen again",
    ),
    # -- marks and the check itself -------------------------------------------------------------------------------
    "intended-unknown": Code(E, "intended 里的代码“{part}”不存在", "the code {part!r} under `intended` does not exist"),
    "intended-stale": Code(
        W, "intended 标了“{part}”，但没有这个问题", "{part!r} is marked as intended, but there is no such finding"
    ),
    "evaluators-disagree": Code(
        E, "两个计算方法结论不同：{first} 对 {second}", "two evaluators decide differently: {first} against {second}"
    ),
    "engine-refuses": Code(
        E, "规则引擎不接受这些规则：{message}", "the rules engine cannot take these rules: {message}"
    ),
    "undecided": Code(
        N,
        "没能在限定时间内证明（{claim}），只做了随机试验",
        "not proved within the time allowed ({claim}); tried on random cases only",
    ),
}
