"""Screening pathways: lines that are never used, results nobody reaches, results without a day for the next screen.

A screen may be done or not, and facts may be unknown: here conditions are three-valued, as in `yyassess.screen`.
"""

from __future__ import annotations

from typing import Any

from yyassess.assessment.screening import screen
from yyassess.assurance.findings import Evidence, Notebook
from yyassess.assurance.situations import newest_document
from yyassess.assurance.world import PATIENCE, World
from yyassess.conditions.smt import Encoder, Symbol, Truth, compare, conj, disj, neg
from yyassess.conditions.tree import Flag, facts_of
from yyassess.rulebook.book import Rulebook

ALWAYS = Truth(True, False)


def check_pathway(book: Rulebook, id: str, notebook: Notebook) -> None:
    """Checks one pathway."""
    _Pathway(book, id, notebook).run()


class _Pathway:
    def __init__(self, book: Rulebook, id: str, notebook: Notebook) -> None:
        self.book, self.id, self.notebook = book, id, notebook
        self.pathway = book.pathways[id]
        self.origin = book.origins[("pathway", id)]
        self.trees = book.trees[f"pathway:{id}"]
        self.day = notebook.on or newest_document(book)
        place = self.pathway.place if self.pathway.place in book.places else next(iter(book.places))
        self.world = World(book.at(place, self.day))
        self.z3 = self.world.z3
        self.limits: list[Any] = []
        self.symbols: dict[str, Symbol] = {}
        self.screens = {c.instrument: self._screen(c.instrument) for s in self.pathway.stages for c in s.choose}
        for instrument in book.instruments:
            if instrument not in self.screens and any(
                self._names(instrument) & set(facts_of(t)) for t in self.trees.values()
            ):
                self.screens[instrument] = self._screen(instrument)
        self.done: dict[str, Any] = {}
        self.encoder = Encoder(self.symbol)
        for stage in self.pathway.stages:
            self._stage(stage)
        self.facts = [n for n in self.symbols if n in book.facts]

    def run(self) -> None:
        lines = [
            (kind, number, line.when, getattr(line, "say", None) or line.name)
            for kind in ("entry", "stages", "cautions", "flags", "decisions")
            for number, line in enumerate(getattr(self.pathway, kind))
        ]
        for kind, number, when, say in lines:
            if when is not None:
                self._useful(kind, number, say, self.truth(when).yes)
        for number, stage in enumerate(self.pathway.stages):
            for choice in stage.choose:
                if choice.when is not None:
                    name = self.book.instruments[choice.instrument].short
                    self._useful("stages", number, name, self.truth(choice.when).yes)
        graded = self._grading()
        self._consequences(graded)

    # -- symbols --------------------------------------------------------------------------------------------------
    @staticmethod
    def _names(instrument: str) -> set[str]:
        word = instrument.replace("-", "_")
        return {f"{word}_{what}" for what in ("done", "level", "positive")}

    def _screen(self, instrument: str) -> Any:
        """An instrument that may have been done, with one of its levels."""
        z3, word = self.z3, instrument.replace("-", "_")
        done, level = z3.Bool(f"{instrument} done"), z3.Int(f"{instrument} level")
        levels = self.book.instruments[instrument].levels
        self.limits.append(z3.Or([level == lv.level for lv in levels]) if levels else z3.Not(done))
        marked = [lv for lv in levels if lv.positive is not None]
        positive = disj(level == lv.level for lv in marked if lv.positive)
        known = conj((done, disj(level == lv.level for lv in marked)))
        self.symbols[f"{word}_done"] = Symbol(done)
        self.symbols[f"{word}_level"] = Symbol(level, done)
        self.symbols[f"{word}_positive"] = Symbol(positive, known)
        return done, level, Symbol(positive, known)

    def _stage(self, stage: Any) -> None:
        screens = [self.screens[c.instrument] for c in stage.choose]
        self.done[stage.id] = disj(done for done, _, _ in screens)
        known = disj(positive.known for _, _, positive in screens)
        some = disj(conj((positive.known, positive.value)) for _, _, positive in screens)
        none = disj(conj((positive.known, neg(positive.value))) for _, _, positive in screens)
        self.symbols[f"{stage.id}_done"] = Symbol(self.done[stage.id])
        self.symbols[f"{stage.id}_positive"] = Symbol(some, known)
        self.symbols[f"{stage.id}_conflict"] = Symbol(conj((some, none)))

    def symbol(self, name: str) -> Symbol:
        """A name of the pathway's conditions; facts of the vocabulary may be unknown."""
        if name not in self.symbols:
            if name == "on_day" or name.startswith("lies_in:"):
                return self.world.person.symbol(name)
            fact = self.book.facts[name]
            symbol = self.world.person.symbol(name)
            instrument = fact.grade_of or fact.code_of
            known = self.z3.Bool(f"known {name}")
            if instrument in self.screens:
                done, level, _ = self.screens[instrument]
                known = done
                if fact.grade_of:
                    self.limits.append(compare("=", symbol.value, level))
            self.symbols[name] = Symbol(symbol.value, known)
            self.limits.extend(self.world.axioms(self.world.person, [name]))
        return self.symbols[name]

    def truth(self, when: str | None) -> Truth:
        """A condition as written; without one it always holds."""
        return ALWAYS if when is None else self.encoder.truth(self.trees[when])

    # -- questions --------------------------------------------------------------------------------------------------
    def find(self, wanted: Any) -> Any:
        if wanted is False:
            return None
        solver = self.z3.Solver()
        solver.set("timeout", PATIENCE)
        solver.add(*self.limits)
        solver.add(wanted)
        return solver.model() if solver.check() == self.z3.sat else None

    def _useful(self, kind: str, number: int, say: Any, wanted: Any) -> bool:
        self.notebook.count("proved", "path-line-never", self.id)
        if self.find(wanted) is not None:
            return True
        self._add("path-line-never", (kind, number), (f"{kind} {number + 1}",), {}, part=say)
        return False

    def lines(self) -> list[tuple[str, Any]]:
        """Result and condition of each line of the grading: a line counts when it is true and none before it is."""
        started = disj(self.done.values())
        earlier: list[Any] = []
        found: list[tuple[str, Any]] = []
        for line in self.pathway.grading:
            truth = self.truth(line.when)
            found.append((line.result, conj((started, truth.yes, *(neg(e) for e in earlier)))))
            earlier.append(truth.yes)
        return found

    def graded(self) -> dict[str, Any]:
        """When each result is given."""
        found: dict[str, Any] = {}
        for result, here in self.lines():
            found[result] = disj((found.get(result, False), here))
        return found

    def _grading(self) -> dict[str, Any]:
        for number, (line, (_, here)) in enumerate(zip(self.pathway.grading, self.lines(), strict=True)):
            self._useful("grading", number, line.say, here)
        graded = self.graded()
        for number, outcome in enumerate(self.pathway.results):
            self.notebook.count("proved", "path-result-unreachable", self.id)
            if self.find(graded.get(outcome.code, False)) is None:
                self._add("path-result-unreachable", ("results", number), (outcome.code,), {})
        return graded

    def _consequences(self, graded: dict[str, Any]) -> None:
        for number, action in enumerate(self.pathway.actions):
            self._useful(
                "actions", number, action.say, conj((self._among(action.results, graded), self.truth(action.when).yes))
            )
        earlier: list[Any] = []
        for number, line in enumerate(self.pathway.rescreen):
            holds = conj((self._among(line.results, graded), self.truth(line.when).yes))
            self._useful("rescreen", number, line.say, conj((holds, *(neg(e) for e in earlier))))
            earlier.append(holds)
        if not earlier:
            return
        enters = disj(self.truth(c.when).yes for c in self.pathway.entry)
        settled = [
            disj((self.done[s.id], self.truth(s.when).no if s.when else False, s.optional)) for s in self.pathway.stages
        ]
        for number, outcome in enumerate(self.pathway.results):
            self.notebook.count("proved", "path-rescreen-gap", self.id)
            here = conj((graded.get(outcome.code, False), *settled, enters, *(neg(e) for e in earlier)))
            model = self.find(here)
            if model is not None:
                self._gap(number, outcome.code, self.case(model))

    def used(self) -> dict[Any, Any]:
        """For each line, with all it says, when it is used; equal for pathways that do the same for everybody."""
        found: dict[Any, Any] = {}

        def note(kind: str, line: Any, *whens: Any) -> None:
            said = line.model_dump_json(exclude={"when", "choose"})
            for number, when in enumerate(whens):
                found[(kind, said, number)] = disj((found.get((kind, said, number), False), when))

        for kind in ("entry", "cautions", "flags", "decisions"):
            for line in getattr(self.pathway, kind):
                truth = self.truth(line.when)
                note(kind, line, truth.yes, truth.no)
        for stage in self.pathway.stages:
            truth = self.truth(stage.when)
            note("stages", stage, truth.yes, truth.no)
            for choice in stage.choose:
                chosen = self.truth(choice.when)
                note(f"choose {stage.id}", choice, chosen.yes, chosen.no)
        graded = self.graded()
        found |= {("grading", result, 0): here for result, here in graded.items()}
        for action in self.pathway.actions:
            note("actions", action, conj((self._among(action.results, graded), self.truth(action.when).yes)))
        earlier: list[Any] = []
        for line in self.pathway.rescreen:
            holds = conj((self._among(line.results, graded), self.truth(line.when).yes))
            note("rescreen", line, conj((holds, *(neg(e) for e in earlier))))
            earlier.append(holds)
        return found | {("results", r.model_dump_json(), 0): True for r in self.pathway.results}

    def _among(self, results: tuple[str, ...], graded: dict[str, Any]) -> Any:
        return disj(graded.values()) if not results else disj(graded.get(r, False) for r in results)

    def _gap(self, number: int, code: str, case: dict[str, Any]) -> None:
        found = screen(case, on=self.day, pathway=self.id, rules=self.book)
        if found["result"] and found["result"]["code"] == code and found["complete"] and found["rescreen"] is None:
            self._add("path-rescreen-gap", ("results", number), (code,), case)
        else:
            self.notebook.doubt("path-rescreen-gap", self.id)

    # -- people -------------------------------------------------------------------------------------------------------
    def case(self, model: Any) -> dict[str, Any]:
        """The person of a model: the screens done, and the facts that are known."""

        def true(bit: Any) -> bool:
            return bit if isinstance(bit, bool) else self.z3.is_true(model.eval(bit, model_completion=True))

        names = [n for n in self.symbols if n in self.book.facts and true(self.symbols[n].known)]
        kept = [n for n in names if not (self.book.facts[n].grade_of or self.book.facts[n].code_of)]
        case = self.world.case(model, [Flag(n) for n in kept])
        day = self.day.isoformat()
        case["assessments"] = [
            {"instrument": i, "date": day, "grade": {"level": model.eval(level, model_completion=True).as_long()}}
            for i, (done, level, _) in self.screens.items()
            if true(done)
        ]
        return case

    def _add(self, code: str, path: tuple[str | int, ...], parts: tuple[str, ...], case: Any, **fields: Any) -> None:
        how = f"yyassess screen --pathway {self.id} --on {self.day}" if case else None
        self.notebook.add(code, self.origin, path, self.id, parts, Evidence(case, how), **fields)


def recipes(book: Rulebook, id: str) -> dict[str, dict[str, Any]]:
    """For each result of a pathway, somebody who gets it; kept with the rulebook."""
    kept: dict[str, Any] = book.__dict__.setdefault("_recipes", {})
    if id not in kept:
        walk = _Pathway(book, id, Notebook())
        models = {code: walk.find(wanted) for code, wanted in walk.graded().items()}
        kept[id] = {code: walk.case(model) for code, model in models.items() if model is not None}
    found: dict[str, dict[str, Any]] = kept[id]
    return found


def walk_of(book: Rulebook, id: str) -> _Pathway:
    """A pathway as formulas."""
    return _Pathway(book, id, Notebook())
