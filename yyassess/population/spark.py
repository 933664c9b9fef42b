"""The same plan on Spark, for populations that one machine is too small for: Parquet in, Parquet out.

The plan is printed in Spark's dialect; nothing else of it is Spark's. Needs the extra ``spark`` and a Java runtime.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlglot import exp

from yyassess.assessment.errors import Faults
from yyassess.population.columns import Input, check_names
from yyassess.population.plan import Fault, Plan, Wanted, bad_of, named
from yyassess.population.sources import problem
from yyassess.population.typing import SAID
from yyassess.rulebook.book import Rulebook

CELL = "__cell"
KEPT = "__kept_"
WHOLE = ("tinyint", "smallint", "int", "bigint")


def quoted(name: str) -> str:
    """A column name in Spark's quotes."""
    return "`" + name.replace("`", "``") + "`"


def texts(values: Iterable[str]) -> str:
    """A list of texts in Spark's quotes."""
    return ", ".join(exp.Literal.string(v).sql(dialect="spark") for v in values)


def cell(used: Input, kind: str) -> tuple[str, str] | None:
    """How a column of a Spark type is read: its value, and where it cannot be; ``None`` for a wrong type."""
    raw = quoted(used.name)
    match used.type:
        case "boolean":
            return (raw, "false") if kind == "boolean" else None
        case "date":
            return (raw, "false") if kind == "date" else None
        case "code":
            return (raw, f"{raw} NOT IN ({texts(used.texts)})") if kind == "string" else None
        case "place":
            return (raw, "false") if kind == "string" else None
        case "codes":
            if kind != "array<string>":
                return None
            return raw, f"exists({raw}, x -> x IS NULL OR x NOT IN ({texts(used.texts)}))"
    by = 10**used.scale
    if kind in WHOLE:
        inside = f"{raw} BETWEEN {-(-used.low // by)} AND {used.high // by}"
        value = f"CAST({raw} AS BIGINT) * {by}L"
    elif kind in ("float", "double") or kind.startswith("decimal"):
        number = f"CAST({raw} AS DOUBLE)"
        inside = f"{number} BETWEEN {used.low / by} AND {used.high / by} AND abs({number} * {by} - round({number} * {by})) <= abs({number} * {by}) * 5e-16D"
        value = f"CAST(round({number} * {by}) AS BIGINT)"
    else:
        return None
    return f"CASE WHEN {inside} THEN {value} END", f"{raw} IS NOT NULL AND NOT coalesce({inside}, false)"


def cells(used: Iterable[Input], kinds: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """How every column is read.

    Raises:
        InputError: columns whose type cannot hold their fact, all at once.
    """
    faults, found = Faults(), {}
    for column in used:
        made = cell(column, kinds[column.name])
        if made is None:
            zh, en = f"列 {column.name} 的类型不对", f"the column {column.name} has the wrong type"
            faults.add(column.name, kinds[column.name], SAID[column.type], zh, en)
        else:
            found[column.name] = made
    faults.raise_if_any()
    return found


def statements(plan: Plan, kinds: Mapping[str, str], keep: Sequence[str], table: str) -> tuple[str, str]:
    """The SQL of the results and of the refused rows (id, and what is wrong)."""
    sheet = plan.sheet
    sql = [o.sql for o in plan.outputs]
    needed = frozenset(sheet.needed(sql)[0])
    used = [u for u in plan.inputs.used.values() if u.name in needed]
    faults = [f for f in plan.faults if needed.issuperset(sheet.needed([f.holds])[0])]
    read = cells(used, kinds)
    bad = " OR ".join(f"coalesce({b}, false)" for _, b in read.values() if b != "false") or "false"
    kept = {k: f"{KEPT}{k}" for k in keep if k != "id"}
    listed = ["id", *(f"{quoted(k)} AS {quoted(n)}" for k, n in kept.items())]
    listed += [f"{value} AS {quoted(n)}" for n, (value, _) in read.items()]
    source = f"(SELECT {', '.join(listed)}, ({bad}) OR id IS NULL AS {CELL} FROM {table}) AS p"
    for name in ("id", CELL, *kept.values()):
        sheet.input(name)
    refused = sheet.define(exp.Or(this=sheet.input(CELL), expression=bad_of(sheet, faults)))
    wanted = {"id": sheet.input("id")} | {k: sheet.input(n) for k, n in kept.items()}
    wanted |= {o.name: named(o) for o in plan.outputs}
    good = sheet.sql(wanted, source, "spark", where=exp.not_(refused))
    reasons = _reasons(plan, read, faults)
    return (
        good,
        f"SELECT id, {reasons(sheet)} AS errors FROM ({_checked(sheet, source, refused, faults)}) AS c WHERE refused",
    )


def _checked(sheet: Any, source: str, refused: Any, faults: Sequence[Fault]) -> str:
    wanted = {"id": sheet.input("id"), "refused": refused, CELL: sheet.input(CELL)}
    wanted |= {f"f{n}": f.holds for n, f in enumerate(faults)}
    text: str = sheet.sql(wanted, source, "spark")
    return text


def _reasons(plan: Plan, read: Mapping[str, Any], faults: Sequence[Fault]) -> Any:
    def listed(_: Any) -> str:
        parts = [f"CASE WHEN f{n} THEN {texts([f'{f.where}: {f.en}'])} END" for n, f in enumerate(faults)]
        parts.append(f"CASE WHEN {CELL} THEN 'a cell cannot be read or is not allowed, or the id is missing' END")
        return f"filter(array({', '.join(parts)}), x -> x IS NOT NULL)"

    return listed


def session(master: str) -> Any:
    """A Spark session.

    Raises:
        InputError: pyspark or Java is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise problem(
            "yyassess[spark]",
            "未安装 Spark 组件：pip install 'yyassess[spark]'",
            "Spark is not installed: pip install 'yyassess[spark]'",
        ) from None
    try:
        builder = SparkSession.builder.master(master).appName("yyassess")
        builder = builder.config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
        if master.startswith("local"):
            # 200 shares of the work, as on a cluster, take longer to hand out than to do on one machine.
            builder = builder.config("spark.sql.shuffle.partitions", "8")
        return builder.getOrCreate()
    except Exception as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise problem(master, f"无法启动 Spark：{said}", f"Spark cannot be started: {said}") from None


def _counts(plan: Plan, written: Any) -> dict[str, dict[str, int]]:
    """How often each level and each status occurs."""
    from pyspark.sql import functions as f

    asked: dict[tuple[str, str], Any] = {}
    for output in plan.outputs:
        values: list[Any] = []
        if output.name.endswith(".status"):
            values = list(output.labels or ())
        elif output.name.endswith(".level"):
            values = [level.level for level in plan.book.instruments[output.name.removesuffix(".level")].levels]
        column = f.col(quoted(output.name))
        if values:
            asked |= {(output.name, str(v)): f.count(f.when(column == v, 1)) for v in values}
            asked[output.name, "null"] = f.count(f.when(column.isNull(), 1))
    counts: dict[str, dict[str, int]] = {}
    if asked:
        row = written.agg(*(c.alias(str(n)) for n, c in enumerate(asked.values()))).first()
        for (name, value), number in zip(asked, row, strict=True):
            if number:
                counts.setdefault(name, {})[value] = number
    return counts


def run_on_spark(
    book: Rulebook,
    source: str,
    out: str,
    place: str,
    on: dt.date,
    known_on: dt.date | None,
    wanted: Wanted,
    keep: Sequence[str],
    ignore: Sequence[str],
    master: str,
) -> dict[str, Any]:
    """`batch` on a cluster: ``out`` becomes a folder of Parquet files, ``out.rejects`` one of JSON Lines.

    Raises:
        InputError: the input cannot be read, unknown columns, wrong types. PlanError: rules that cannot be run.
    """
    started = time.monotonic()
    spark = session(master)
    try:
        people = spark.read.parquet(source)
    except Exception as error:
        said = str(error).splitlines()[0]
        raise problem(source, f"无法读取：{said}", f"cannot be read: {said}") from None
    kinds = dict(people.dtypes)
    if "id" not in kinds:
        raise problem("id", "缺少 id 列", "the column id is missing", list(kinds)[:20])
    check_names(book, list(kinds), [*keep, *ignore])
    plan = Plan(book.at(place, on, known_on), list(kinds), wanted)
    twice = people.where("id IS NOT NULL").groupBy("id").count().where("count > 1").select("id").cache()
    again = twice.count()
    single = people.join(twice, "id", "left_anti") if again else people
    single.createOrReplaceTempView("yyassess_people")
    good, refused = statements(plan, kinds, keep, "yyassess_people")
    from pyspark.sql import functions as f

    rejects = spark.sql(refused)
    if again:
        said = f.array(f.lit("id: occurs more than once; which row counts is not known"))
        rejects = rejects.unionByName(people.join(twice, "id", "left_semi").select("id", said.alias("errors")))
    # Spark writes into a folder of its own and renames file by file when each task commits.
    spark.sql(good).write.mode("overwrite").parquet(out)
    rejects.write.mode("overwrite").json(f"{out}.rejects")
    # What was written is counted, in one pass: counting the plan would be running it again.
    written, lost = spark.read.parquet(out), spark.read.text(f"{out}.rejects").count()
    counts = _counts(plan, written)
    total, seconds = written.count(), time.monotonic() - started
    return {
        "place": plan.ruleset.place.id, "on": on.isoformat(), "ruleset": {"hash": plan.ruleset.hash, "on": on.isoformat()},
        "in": source, "out": out, "rows": total + lost, "written": total, "rejected": lost,
        "grades": {n.removesuffix(".level"): c for n, c in counts.items() if n.endswith(".level")},
        "programmes": {n.removesuffix(".status"): c for n, c in counts.items() if n.endswith(".status")},
        "seconds": round(seconds, 3), "rows_per_second": round((total + lost) / seconds),
    }  # fmt: skip
