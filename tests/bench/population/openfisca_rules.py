"""GB/T 42195-2022, the long-term care grade and six programmes of Zhoushan in OpenFisca, only to compare speed.

OpenFisca has no unknown: an answer or fact that is missing counts as its default here, which is less work than ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from openfisca_core.entities import build_entity
from openfisca_core.periods import DateUnit
from openfisca_core.simulation_builder import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

Person = build_entity(key="person", plural="persons", label="Person", is_person=True)
DAY = "2026-11"


def given(name: str, kind: type, columns: dict[str, str], column: str) -> type[Variable]:
    columns[name] = column
    return type(
        name, (Variable,), {"value_type": kind, "entity": Person, "definition_period": DateUnit.MONTH, "label": column}
    )


def computed(name: str, kind: type, formula: Any) -> type[Variable]:
    return type(
        name,
        (Variable,),
        {"value_type": kind, "entity": Person, "definition_period": DateUnit.MONTH, "label": name, "formula": formula},
    )


def run(source: Path, out: Path) -> int:
    """Read, compute, write."""
    schema = pq.read_schema(source)
    gb = [n for n in schema.names if n.startswith("gbt-42195-2022.")]
    adl = [n for n in schema.names if n.startswith("ltci-2021-37.")]
    columns: dict[str, str] = {}
    variables: list[type[Variable]] = []
    for place, name in enumerate([*gb, *adl]):
        variables.append(given(f"item_{place}", int, columns, name))
    items = [f"item_{n}" for n in range(len(gb) + len(adl))]
    first, second = items[: len(gb)], items[len(gb) :]
    facts = {
        "coma": bool, "destitute_support": bool, "cost_borne_by_destitute_support": bool, "disabled_through_age": bool,
        "disabled_months": int, "basic_medical_insured": bool, "lives_in_institution": bool, "recognised_hardship": bool,
        "dementia": bool, "hypertension": bool, "diabetes": bool, "employee": bool, "resident": bool, "age": int, "events": int,
    }  # fmt: skip
    variables += [given(n, k, columns, n) for n, k in facts.items()]

    def total(names: list[str]) -> Any:
        return lambda person, period: sum(person(n, period) for n in names)

    def level(person: Any, period: Any) -> Any:
        score = person("gb_total", period)
        base = np.select([score >= 90, score >= 66, score >= 46, score >= 30], [0, 1, 2, 3], 4)
        raised = np.minimum(base + (person("dementia", period) | (person("events", period) >= 2)), 4)
        return np.where(person("coma", period), 4, raised)

    def grade(person: Any, period: Any) -> Any:
        bands = []
        for name, cuts in (("l_adl", (100, 65, 45)), ("l_cog", (16, 4, 2)), ("l_per", (12, 4, 2))):
            score = person(name, period)
            bands.append(np.select([score >= c for c in cuts], [0, 1, 2], 3))
        table = np.array([[0, 0, 1, 1], [1, 1, 1, 2], [2, 2, 2, 3], [3, 3, 4, 5]])
        return table[bands[0], np.maximum(bands[1], bands[2])]

    def first_false(*names: Any) -> Any:
        def formula(person: Any, period: Any) -> Any:
            checks = [np.logical_not(n(person, period)) for n in names]
            return np.select(checks, list(range(1, len(checks) + 1)), 0)

        return formula

    def old(age: int) -> Any:
        return lambda p, t: p("age", t) >= age

    variables += [
        computed("gb_total", int, total(first)),
        computed("l_adl", int, total(second[:10])),
        computed("l_cog", int, total(second[10:14])),
        computed("l_per", int, total(second[14:])),
        computed("gb_level", int, level),
        computed("ltci_level", int, grade),
        computed(
            "p_subsidy",
            int,
            first_false(
                old(60),
                lambda p, t: (p("gb_level", t) >= 2) & (p("gb_level", t) <= 4),
                lambda p, t: ~(p("destitute_support", t) & p("cost_borne_by_destitute_support", t)),
            ),
        ),
        computed(
            "p_ltci",
            int,
            first_false(
                lambda p, t: p("employee", t) | p("resident", t) | p("basic_medical_insured", t),
                lambda p, t: p("disabled_through_age", t) | (p("disabled_months", t) >= 6),
                lambda p, t: (p("ltci_level", t) >= 3) & (p("ltci_level", t) <= 5),
            ),
        ),
        computed("p_tcm", int, first_false(old(65))),
        computed("p_grade", int, first_false(lambda p, t: p("gb_level", t) >= 0)),
        computed("p_chronic", int, first_false(old(60), lambda p, t: p("hypertension", t) | p("diabetes", t))),
        computed(
            "p_adaptation",
            int,
            first_false(old(60), lambda p, t: ~p("lives_in_institution", t), lambda p, t: p("recognised_hardship", t)),
        ),
    ]
    system = TaxBenefitSystem([Person])
    system.add_variables(*variables)
    wanted = [n for n in columns.values() if n in schema.names]
    extra = [
        "id",
        "birth_date",
        "diagnoses",
        "insurance_scheme",
        *(n for n in schema.names if n.startswith("care_risk_events.")),
    ]
    table = pq.read_table(source, columns=list(dict.fromkeys([*wanted, *extra])))
    rows = len(table)
    simulation = SimulationBuilder().build_default_simulation(system, rows)
    for name, column in columns.items():
        values = _values(table, name, column)
        if values is not None:
            simulation.set_input(name, DAY, values)
    results = {n: simulation.calculate(n, DAY) for n in ("gb_total", "gb_level", "ltci_level")}
    for name in ("p_subsidy", "p_ltci", "p_tcm", "p_grade", "p_chronic", "p_adaptation"):
        code = simulation.calculate(name, DAY)
        results[f"{name}.status"] = pa.DictionaryArray.from_arrays(
            pa.array((code > 0).astype("int8")), pa.array(["eligible", "ineligible"])
        )
        labels = pa.array([f"criterion-{n}" for n in range(1, 5)])
        results[f"{name}.reason"] = pa.DictionaryArray.from_arrays(
            pa.array(np.maximum(code - 1, 0).astype("int8"), mask=code == 0), labels
        )
    pq.write_table(pa.table({"id": table["id"], **results}), out, compression="snappy", write_statistics=False)
    return rows


def _values(table: pa.Table, name: str, column: str) -> Any:
    import pyarrow.compute as pc

    if name == "age":
        days = pc.cast(pc.cast(table["birth_date"], pa.int32()), pa.int64()).to_numpy()
        return ((20_779 - days) / 365.2425).astype("int64")
    if name in ("employee", "resident"):
        return pc.fill_null(pc.equal(table["insurance_scheme"], name), False).to_numpy()
    if name in ("dementia", "hypertension", "diabetes"):
        lists = table["diagnoses"].combine_chunks()
        hits = pc.equal(lists.flatten(), name)
        parents = pc.list_parent_indices(lists)
        found = np.zeros(len(table), dtype=bool)
        found[np.asarray(parents.filter(hits))] = True
        return found
    if name == "events":
        counts = np.zeros(len(table), dtype="int64")
        for event in (n for n in table.column_names if n.startswith("care_risk_events.")):
            for place, code in enumerate(("once", "twice", "three_or_more"), 1):
                counts += place * pc.fill_null(pc.equal(table[event], code), False).to_numpy()
        return counts
    if column not in table.column_names:
        return None
    filler = False if pa.types.is_boolean(table[column].type) else 0
    return pc.fill_null(table[column], filler).to_numpy()
