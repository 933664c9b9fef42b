"""What is due for a person, as read in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from yyassess.report.text import mark
from yyassess.rulebook.book import Rulebook

ACTIONS = {
    "end": ("✘", "red", "终止", "End"),
    "suspend": ("‖", "yellow", "暂停", "Suspend"),
    "resume": ("▶", "green", "恢复", "Resume"),
    "reassess_now": ("!", "bold red", "立即重新评估", "Assess again now"),
    "check": ("?", "cyan", "核实", "Check"),
}
ASSESSMENTS = {
    "immediate": ("即时评估", "immediate assessment"),
    "full": ("完整评估", "full assessment"),
    "routine": ("常规评估", "routine assessment"),
}
LISTS = {
    "ends": ("终止", "ends"),
    "by_registration": ("按户籍，须核实", "by registration, check"),
    "changes": ("当地规定不同", "other terms here"),
    "apply": ("可申请", "apply for"),
}


def show_due(result: Mapping[str, Any], state: Mapping[str, Any], book: Rulebook, lang: str) -> None:
    """What is due, each with its events, source and evidence; then warnings, and how many events are known."""
    out = Console(highlight=False)
    en = lang == "en"
    out.print(f"[bold]{'Due' if en else '待办'}[/bold]  {result['on']}")
    if not result["due"]:
        out.print(f"  {'nothing' if en else '无'}")
    for item in result["due"]:
        sign, colour, *names = ACTIONS[item["action"]]
        out.print(f"[{colour}]{sign} {names[en]}[/]  [dim]{'since' if en else '自'}[/dim] {item['since']}")
        out.print(f"    {escape(item['say'][lang])}")
        for line in _about(item, book, lang):
            out.print(f"    {escape(line)}")
        because = "; ".join(_event(e, book, lang) for e in item["because"])
        out.print(f"    {'because' if en else '因为'}: {escape(because)}")
        out.print(f"    [dim]{escape(_source(item, book, lang))} · {mark(item['evidence'], lang)}[/dim]")
    for warning in result["warnings"]:
        events = "; ".join(_event(e, book, lang) for e in warning["events"])
        rest = ": ".join(filter(None, (warning["say"][lang], events)))
        missing = ", ".join(warning.get("missing", ()))
        out.print(f"[yellow]! {escape(rest)}{escape(f' ({missing})') if missing else ''}[/yellow]")
    count = len(state["events"])
    out.print(f"[dim]{f'{count} events known' if en else f'已知事件 {count} 个'}[/dim]")


def _about(item: Mapping[str, Any], book: Rulebook, lang: str) -> Iterable[str]:
    """The assessment or the programmes that an item is about, a line each."""
    en = lang == "en"
    if assessment := item.get("assessment"):
        kind = ASSESSMENTS[assessment["kind"]][en]
        id = assessment.get("instrument")
        name = book.instruments[id].short[lang] if id else _programmes([assessment["programme"]], book, lang)
        yield f"{kind}: {name}"
    if item["programmes"]:
        yield _programmes(item["programmes"], book, lang)
    for key, names in LISTS.items():
        if item.get(key):
            yield f"{names[en]}: {_programmes(item[key], book, lang)}"


def _programmes(ids: Iterable[str], book: Rulebook, lang: str) -> str:
    names = []
    for id in ids:
        texts = next((t[id] for t in book.programmes.values() if id in t), None)
        names.append(texts.texts[0].name[lang] if texts else id)
    return ("、" if lang == "zh" else ", ").join(names)


def _event(event: Mapping[str, Any], book: Rulebook, lang: str) -> str:
    kind = book.events.kinds[event["kind"]]
    details = []
    for name, detail in kind.details.items():
        if name in event:
            codes = detail.fact(book).codes
            value = event[name]
            shown = codes[value].name[lang] if value in codes else str(value)
            shown = book.places[value].name[lang] if value in book.places else shown
            details.append(f"{detail.name[lang]} {shown}")
    told = f" ({', '.join(details)})" if details else ""
    return f"{event['date']} {kind.name[lang]}{told}"


def _source(item: Mapping[str, Any], book: Rulebook, lang: str) -> str:
    document = book.documents[item["source"]["document"]]
    return " ".join(filter(None, (document.title[lang], document.number, item["source"]["clause"])))
