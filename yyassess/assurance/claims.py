"""What a check claims once nothing was found: one sentence for each thing that is proved, enumerated or sampled."""

from __future__ import annotations

from yyassess.rulebook.basics import Text

#: Claim -> sentence. A claim bears the code of the finding that would refute it.
CLAIMS: dict[str, Text] = {
    code: Text(zh=zh, en=en)
    for code, zh, en in (
        # instruments
        ("band-gap", "每个可能的得分都落在一个分段里", "every score that can occur lies in a band"),
        ("cut-unreachable", "每个分段都有人能落进去", "every band can be reached"),
        ("table-out-of-range", "查表不会查到表外", "no lookup falls outside its table"),
        ("cell-unreachable", "表里的每一格是否用得到", "which cells of a table can be reached"),
        ("table-not-monotone", "表里往更差的方向走，结果不会变轻", "in a table, a worse cell never gives a better result"),
        ("line-never", "有序规则的每一行都会轮到", "every line of ordered rules is used by somebody"),
        ("line-overlap", "写成区间的行不重叠", "lines written as ranges do not overlap"),
        ("line-gap", "写成区间的行之间没有漏掉的值", "no value falls between lines written as ranges"),
        ("level-not-listed", "得出的等级都在等级表里", "every level that can result is listed"),
        ("level-unreachable", "每一级都有答案能评到", "every level is reached by some answers"),
        ("grade-not-monotone", "任何答案变差，等级都不会变好", "whatever answers get worse, the grade never gets better"),
        ("adjustment-never", "每条等级变更都可能成立", "every adjustment can hold"),
        ("adjustment-lowers", "等级变更不会把等级改轻", "no adjustment makes a grade milder"),
        ("adjustment-conflict", "等级变更之间不矛盾", "adjustments do not contradict one another"),
        ("hint-never", "每条提示都可能出现", "every hint can appear"),
        ("decision-never", "每条判读都可能被指出", "every decision can be named by a result"),
        ("item-unused", "每项指标都有用", "every item serves for something"),
        # programmes
        ("never-satisfiable", "每个项目都有人能符合", "somebody can meet the criteria of every programme"),
        ("criterion-never-matters", "每个条件单独起作用", "every criterion decides something by itself"),
        ("part-never-matters", "条件的每个部分都起作用", "every part of every criterion decides something"),
        ("same-programme", "没有两个项目说的是同一件事", "no two programmes say the same"),
        ("override-contradicts", "地方文本与上级文本不互相排斥，也不收回上级给的", "no local text contradicts the text around it or takes away what that gives"),
        ("override-pays-less", "地方文本给的不比上级少", "no local text pays less than the text around it"),
        # benefits
        ("benefit-overlap", "没有人同时落在金额不同的两行里", "nobody falls under two rows with different amounts"),
        ("benefit-gap", "凡符合条件的人都有一行待遇", "whoever is eligible has a benefit row"),
        ("benefit-never", "每行待遇都有人能得到", "somebody can get every benefit row"),
        ("service-never", "每项服务都有人能用到", "somebody is offered every service"),
        ("effect-never", "每个停止或终止的情形都可能发生，也不是对谁都成立", "every suspension can happen, and none happens to everybody"),
        ("amount-negative", "金额不会是负数", "no amount can be negative"),
        ("amount-above-cap", "金额不会超过自己的上限", "no amount can exceed its cap"),
        ("indicator-never", "每个指标都数得到人", "every indicator can count somebody"),
        # interactions
        ("interaction-never", "写了衔接规定的两个项目确有人同时符合", "of every two programmes with an interaction, somebody is eligible for both"),
        ("always-dropped", "让位的项目仍有人真正得到", "a programme that gives way is still granted to somebody"),
        ("dropped-for-dropped", "没有人为一个自己也得不到的项目让位", "nobody gives way to something that is itself not granted"),
        ("higher-only-incomparable", "只能就高的两项，金额总能比较", "where only the higher is paid, the amounts always compare"),
        # fairness
        ("worse-grade-loses", "等级更重不会失去资格", "a worse grade never loses a programme"),
        ("worse-grade-gets-less", "等级更重不会得到更少", "a worse grade never gets less"),
        ("older-loses", "年纪更大不会失去资格", "growing older never loses a programme"),
        ("older-gets-less", "年纪更大不会得到更少", "growing older never gets less"),
        ("longer-loses", "时间更长不会失去资格", "a longer time never loses a programme"),
        ("longer-gets-less", "时间更长不会得到更少", "a longer time never gets less"),
        # time, sources, facts
        ("version-gap", "各文本的施行期没有空档和重叠，到期的有后文", "the periods of all texts neither leave holes nor overlap, and none ends with nothing after it"),
        ("amount-hole", "分日期的金额从第一天起就有", "dated amounts begin on the first day"),
        ("evidence-marks", "每个数字都有依据标记，标记该带的说明都带了", "every figure has an evidence mark with the words it needs"),
        ("document-unused", "每份文件都有规则引用", "every document is cited by a rule"),
        ("fact-unused", "每个事实都有表格或规则用到，并容得下量表的结果", "every fact is used, and holds what its instrument yields"),
        # pathways
        ("path-line-never", "筛查路径的每一行都会用到", "every line of a pathway is used by somebody"),
        ("path-result-unreachable", "每个结果都可能得到", "every result can be reached"),
        ("path-rescreen-gap", "每个走完的人都知道什么时候复筛", "everybody who is done is told when to screen again"),
        # sampled
        ("evaluators-disagree", "规则引擎与参照算法结论相同（随机人员）", "the rules engine and the reference evaluator agree (random people)"),
        ("undecided", "限时内没有证明、改用随机试验的问题", "questions not decided in time, tried on random people instead"),
    )
}  # fmt: skip
