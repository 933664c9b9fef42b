"""Deliberate faults in Python code: which there are in a module, and how one of them is put in while it is loaded."""

from __future__ import annotations

import ast
import copy
import importlib
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[1]
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.Break: ast.Continue, ast.Continue: ast.Break,
}  # fmt: skip
GENERIC = ("Literal", "Choice", "dict", "list", "tuple", "set", "frozenset")


@dataclass(frozen=True)
class Mutant:
    """One change of one module: the place of the node in the walk over its tree, and which change."""

    file: str
    line: int
    what: str
    node: int
    change: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


# -- mutants --------------------------------------------------------------------------------------------------------------
def mutants(file: str) -> Iterator[Mutant]:
    """Every mutant of a module; words, annotations and messages of errors, bodies of classes and imports are left alone."""
    tree = ast.parse((TOP / file).read_text(encoding="utf-8"))
    left_alone = aside(tree)
    held = {id(node) for holder in holders(tree) for node in ast.walk(holder.node)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in held and id(node) not in left_alone:
            for change, what in changes(node):
                yield Mutant(file, getattr(node, "lineno", 0), what, number, change)


def aside(tree: ast.AST) -> set[int]:
    """Nodes that no test could care about: annotations, docstrings, error messages, imports for the type checker."""
    found: set[int] = set()
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        match node:
            case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=annotation):
                parts = [annotation]
            case ast.FunctionDef(returns=returns, decorator_list=decorators):
                parts = [returns, *decorators]
            case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom() | ast.Assert():
                parts = [node]
            case ast.Raise(exc=ast.Call(args=arguments)):
                parts = list(arguments)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                parts = [node]
            case ast.JoinedStr(values=values):
                parts = list(values)
            case ast.ClassDef(bases=bases, keywords=keywords, decorator_list=decorators):
                parts = [*bases, *keywords, *decorators]
            case ast.Subscript(value=ast.Name(id=name)) if name in GENERIC:
                parts = [node]
        found.update(id(inner) for part in parts if part is not None for inner in ast.walk(part))
    return found


def changes(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The changes of one node, and what they are called."""
    match node:
        case ast.Compare(ops=ops) if type(ops[0]) in SWAPPED:
            yield "operator", f"{ast.unparse(node)}: {type(ops[0]).__name__} -> {SWAPPED[type(ops[0])].__name__}"
        case ast.BoolOp(op=op):
            yield "operator", f"{ast.unparse(node)[:60]}: {type(op).__name__} -> {SWAPPED[type(op)].__name__}"
        case ast.BinOp(op=op, left=left) if type(op) in SWAPPED and not isinstance(left, (ast.Constant, ast.JoinedStr)):
            yield "operator", f"{ast.unparse(node)[:60]}: {type(op).__name__} -> {SWAPPED[type(op)].__name__}"
        case ast.UnaryOp(op=ast.Not()):
            yield "unwrap", f"{ast.unparse(node)[:60]}: not dropped"
        case ast.Constant(value=bool() as value):
            yield "constant", f"{value} -> {not value}"
        case ast.Constant(value=int() as value):
            yield "constant", f"{value} -> {value + 1}"
        case ast.Return(value=ast.Constant(value=None)) | ast.Return(value=None):
            return
        case ast.Return():
            yield "none", f"{ast.unparse(node)[:60]} -> return None"
        case ast.If(test=test) | ast.IfExp(test=test):
            yield "negate", f"if {ast.unparse(test)[:60]}: negated"
        case ast.Break() | ast.Continue():
            yield "operator", f"{type(node).__name__} -> {SWAPPED[type(node)].__name__}"
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield "drop", f"{ast.unparse(node)[:60]} dropped"


def install(mutant: Mutant) -> None:
    """Put a mutant into the module that is loaded: its function gets other code, its constant another value.

    Raises:
        ImportError: the constant cannot be computed any more.
    """
    path = TOP / mutant.file
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wanted = list(ast.walk(tree))[mutant.node]
    [holder] = [h for h in holders(tree) if any(node is wanted for node in ast.walk(h.node))]
    in_defaults = isinstance(holder.node, ast.FunctionDef) and any(n is wanted for n in ast.walk(holder.node.args))

    class Change(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            if node is wanted:
                return ast.copy_location(changed(copy.copy(node), mutant.change), node)
            return self.generic_visit(node)

    whole = ast.fix_missing_locations(Change().visit(tree))
    module = importlib.import_module(mutant.file.removesuffix(".py").replace("/", "."))
    if isinstance(holder.node, ast.FunctionDef):
        function = _function(vars(getattr(module, holder.inside)) if holder.inside else vars(module), holder.node.name)
        old = function.__code__
        [function.__code__] = [
            code
            for code in _codes(compile(whole, str(path), "exec", dont_inherit=True))
            if (code.co_qualname, code.co_firstlineno) == (old.co_qualname, old.co_firstlineno)
        ]
        if in_defaults:
            expressions = (ast.Expression(d) for d in holder.node.args.defaults)
            function.__defaults__ = tuple(eval(compile(e, str(path), "eval"), vars(module)) for e in expressions)
        return
    before = dict(vars(module))
    try:
        exec(compile(ast.Module([holder.node], []), str(path), "exec", dont_inherit=True), vars(module))
    except Exception as error:
        raise ImportError(str(mutant)) from error
    for name, value in before.items():
        if vars(module)[name] is not value:
            for other in [m for n, m in sys.modules.items() if n.startswith("yyassess.")]:
                if vars(other).get(name) is value:
                    setattr(other, name, vars(module)[name])


@dataclass(frozen=True)
class Holder:
    """A function, a method or a constant: what can be changed in a module that is loaded."""

    node: ast.stmt
    inside: str = ""
    """The class of a method."""


def holders(tree: ast.Module) -> Iterator[Holder]:
    """Everything in a module whose mutants can be put in place."""
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef):
            yield from (Holder(part, statement.name) for part in statement.body if isinstance(part, ast.FunctionDef))
        elif isinstance(statement, (ast.FunctionDef, ast.Assign, ast.AnnAssign)):
            yield Holder(statement)


def _function(scope: Mapping[str, Any], name: str) -> Any:
    """The plain function behind a name, whatever it is wrapped in."""
    found = scope[name]
    while not isinstance(found, types.FunctionType):
        inner = (getattr(found, way, None) for way in ("__wrapped__", "__func__", "fget", "func"))
        found = next(part for part in inner if part is not None)
    while hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    return found


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _codes(part)


def changed(node: Any, change: str) -> ast.AST:
    """One changed node; what is taken out stays where it is never reached, so that a closure keeps its names."""
    match change:
        case "operator" if isinstance(node, ast.Compare):
            node.ops = [SWAPPED[type(node.ops[0])](), *node.ops[1:]]
        case "operator" if isinstance(node, (ast.BoolOp, ast.BinOp)):
            node.op = SWAPPED[type(node.op)]()
        case "operator":
            return SWAPPED[type(node)]()
        case "unwrap":
            operand: ast.AST = node.operand
            return operand
        case "constant":
            return ast.Constant(not node.value if isinstance(node.value, bool) else node.value + 1)
        case "none":
            return ast.Return(ast.IfExp(ast.Constant(True), ast.Constant(None), node.value))
        case "negate":
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case "drop":
            return ast.If(ast.Constant(False), [node], [])
    return node  # type: ignore[no-any-return]
