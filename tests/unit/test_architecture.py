"""The code about itself: imports go one way, no figure of a standard and no name of one stands in code, no clock ticks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import yyassess
from yyassess import Rulebook

TOP = Path(yyassess.__file__).resolve().parent
LIBRARY = {
    p.relative_to(TOP.parent).as_posix(): ast.parse(p.read_text(encoding="utf-8")) for p in sorted(TOP.rglob("*.py"))
}
WEBAPP = {
    p.relative_to(TOP.parent).as_posix(): ast.parse(p.read_text(encoding="utf-8"))
    for p in sorted((TOP.parent / "webapp").rglob("*.py"))
}

#: What each part of the library may import: the parts below it, never one beside or above it.
BELOW = {
    "conditions": set[str](),
    "rulebook": {"conditions"},
    "assessment": {"rulebook", "conditions"},
    "entitlement": {"assessment", "rulebook", "conditions"},
    "report": {"entitlement", "assessment", "rulebook", "conditions"},
    "exchange": {"entitlement", "assessment", "rulebook", "conditions"},
    "population": {"entitlement", "assessment", "rulebook", "conditions"},
    "assurance": {"entitlement", "assessment", "rulebook", "conditions"},
}
WEB = {
    "flask",
    "webapp",
    "werkzeug",
    "jinja2",
    "sqlalchemy",
    "alembic",
    "babel",
    "flask_babel",
    "flask_wtf",
    "gunicorn",
}


def imports(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    """Every module imported, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield node.module or "", node
            for name in node.names:
                yield f"{node.module}.{name.name}", node


def part(module: str) -> str | None:
    """The part of the library a module belongs to."""
    names = module.split(".")
    return names[1] if names[0] == "yyassess" and len(names) > 1 and names[1] in {*BELOW, "cli"} else None


def test_the_library_has_the_parts_that_are_known_here() -> None:
    found = {p.name for p in TOP.iterdir() if (p / "__init__.py").exists()}
    assert found <= {*BELOW, "cli"}
    assert {"conditions", "rulebook", "assessment", "entitlement", "report", "assurance", "cli"} <= found


def test_imports_go_one_way() -> None:
    wrong = []
    for file, tree in LIBRARY.items():
        here = part(file.removesuffix(".py").replace("/", "."))
        if here is None or here == "cli":
            continue
        for module, node in imports(tree):
            there = part(module)
            if there is not None and there != here and there not in BELOW[here]:
                wrong.append(f"{file}:{node.lineno} imports {module}")
    assert wrong == []


def test_no_part_imports_the_public_front_it_is_shown_through() -> None:
    """`from yyassess import …` is for users and for the command; inside, it would go round in a circle."""
    wrong = []
    for file, tree in LIBRARY.items():
        if part(file.removesuffix(".py").replace("/", ".")) == "cli":
            continue
        for module, node in imports(tree):
            if module == "yyassess":
                wrong.append(f"{file}:{node.lineno}")
    assert wrong == []


def test_the_library_knows_nothing_of_the_web() -> None:
    wrong = [
        f"{file}:{node.lineno} imports {module}"
        for file, tree in LIBRARY.items()
        for module, node in imports(tree)
        if module.split(".")[0] in WEB and not file.startswith("yyassess/cli/")
    ]
    assert wrong == []


def test_the_command_imports_the_form_only_when_it_runs_it() -> None:
    for file, tree in LIBRARY.items():
        if file.startswith("yyassess/cli/"):
            found = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))]
            top = {module.split(".")[0] for node in found for module, _ in imports(node)}
            assert not top & WEB, file


def test_the_form_does_not_reach_into_the_command() -> None:
    wrong = [
        f"{file}:{node.lineno} imports {module}"
        for file, tree in WEBAPP.items()
        for module, node in imports(tree)
        if part(module) == "cli"
    ]
    assert wrong == []


def test_the_base_stays_light(tmp_path: Path) -> None:
    """What only some need (population, proofs, PDF, FHIR) is imported where it is used, not at the top of a module."""
    heavy = {"duckdb", "pyarrow", "pyspark", "z3", "weasyprint", "fhir", "numpy", "pandas", "polars"}
    wrong = []
    for file, tree in LIBRARY.items():
        if file.split("/")[1] in ("population", "exchange"):
            continue
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                wrong += [f"{file}:{node.lineno}: {m}" for m, _ in imports(node) if m.split(".")[0] in heavy]
    assert wrong == []


# ---- figures and names -------------------------------------------------------------------------------------------
CALENDAR = {"year", "month", "day"}
#: Modules whose figures are those of a file format or a page, or make up persons that do not exist.
FORMATS = {f"yyassess/population/{name}.py" for name in ("parquet_join", "typing", "page")}
MADE_UP = {"yyassess/population/synth.py"}


def is_magic(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value not in (0, 1, 2)


def figures(comparison: ast.Compare) -> Iterator[ast.AST]:
    """The figures compared; which place of a list is looked at is none."""
    places = {id(n) for s in ast.walk(comparison) if isinstance(s, ast.Subscript) for n in ast.walk(s.slice)}
    return (node for node in ast.walk(comparison) if is_magic(node) and id(node) not in places)


def about_size_or_calendar(comparison: ast.Compare) -> bool:
    for node in ast.walk(comparison):
        if isinstance(node, ast.Call) and (
            (isinstance(node.func, ast.Name) and node.func.id == "len")
            or (isinstance(node.func, ast.Attribute) and node.func.attr in ("bit_length", "len_bytes", "len_chars"))
        ):
            return True
        if isinstance(node, ast.Name) and node.id in CALENDAR:
            return True
    return False


def test_no_figure_of_a_standard_stands_in_a_comparison() -> None:
    """Limits live in rules/. What is compared here is 0, 1, 2, a length, the calendar, or a constant with a name.

    What only shows results (the command, the reports) may look at the size of a bar or the time since the last line.
    """
    wrong = [
        f"{file}:{node.lineno}: {ast.unparse(node)}"
        for file, tree in LIBRARY.items()
        if file not in FORMATS | MADE_UP and not file.startswith(("yyassess/cli/", "yyassess/report/"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and any(figures(node)) and not about_size_or_calendar(node)
    ]
    assert wrong == []


def test_no_decimal_figure_stands_where_grades_and_outcomes_are_made() -> None:
    wrong = []
    for file, tree in LIBRARY.items():
        if part(file.removesuffix(".py").replace("/", ".")) not in (
            "conditions",
            "rulebook",
            "assessment",
            "entitlement",
        ):
            continue
        # How near a misspelt word must be to be suggested is no figure of a standard.
        nearness = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "cutoff"}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, float) and id(node) not in nearness:
                wrong.append(f"{file}:{node.lineno}: {node.value}")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Decimal":
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and str(first.value) not in ("0", "1"):
                    wrong.append(f"{file}:{node.lineno}: {ast.unparse(node)}")
    assert wrong == []


def docstrings(tree: ast.AST) -> set[int]:
    """The ids of the nodes that are docstrings, of modules, classes, functions and fields."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def test_no_instrument_programme_place_or_document_is_named_in_code(book: Rulebook) -> None:
    programmes = {id for group in book.programmes.values() for id in group}
    names = {*book.instruments, *book.documents, *programmes, *book.places} - {"national"}
    wrong = []
    for file, tree in LIBRARY.items():
        if file in MADE_UP:
            continue
        said = docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node.value in names and id(node) not in said:
                wrong.append(f"{file}:{node.lineno}: {node.value!r}")
    assert wrong == []


# ---- time and chance ---------------------------------------------------------------------------------------------
CLOCKS = {"now", "today", "utcnow", "time", "localtime", "gmtime", "time_ns"}


def test_the_library_has_no_clock() -> None:
    """The day is always an argument; only a command (`yyassess`, or the `main` of a script) asks what day it is."""
    wrong = []
    for file, tree in LIBRARY.items():
        if file.startswith("yyassess/cli/"):
            continue
        commands = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "main"]
        asked = {id(n) for command in commands for n in ast.walk(command)}
        for node in ast.walk(tree):
            if (
                id(node) not in asked
                and isinstance(node, ast.Attribute)
                and node.attr in CLOCKS
                and isinstance(node.value, (ast.Name, ast.Attribute))
                and ast.unparse(node.value).split(".")[-1] in ("datetime", "date", "time", "dt")
            ):
                wrong.append(f"{file}:{node.lineno}: {ast.unparse(node)}")
    assert wrong == []


def test_no_result_rests_on_chance() -> None:
    wrong = [
        f"{file}:{node.lineno}"
        for file, tree in LIBRARY.items()
        for module, node in imports(tree)
        if module in ("random", "secrets", "uuid")
        and part(file.removesuffix(".py").replace("/", ".")) in BELOW.keys() - {"population", "assurance"}
    ]
    assert wrong == []


# ---- words -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("file", [f for f, tree in LIBRARY.items() if tree.body])
def test_a_module_says_what_it_is_for_and_each_public_name_what_it_does(file: str) -> None:
    tree = LIBRARY[file]
    silent = [] if ast.get_docstring(tree) or file.endswith("__main__.py") else [file]
    for node in tree.body:
        named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if named and not node.name.startswith("_") and not ast.get_docstring(node):
            silent.append(f"{file}:{node.lineno} {node.name}")
    assert silent == []


def test_each_name_of_the_public_api_is_there_and_documented_with_its_methods() -> None:
    for name in yyassess.__all__:
        thing = getattr(yyassess, name)
        if name == "__version__":
            continue
        assert thing.__doc__, name
        for inner, method in vars(thing).items() if isinstance(thing, type) else ():
            if not inner.startswith("_") and (
                callable(method) or isinstance(method, (property, classmethod, staticmethod))
            ):
                assert method.__doc__, f"{name}.{inner}"


def test_a_name_that_is_not_in_the_public_api_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'grade'"):
        _ = yyassess.grade
