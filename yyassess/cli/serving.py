"""The command that runs the phone form."""

from __future__ import annotations

from pathlib import Path

import click

from yyassess.cli.common import problem, rulebook, shared_options


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--db", default=None, help="Database URL (default: a SQLite file in the working folder).")
@click.option("--place", default=None, help="The place preselected on the form.")
@click.option(
    "--demo/--no-demo", default=True, show_default=True, help="A demo person and assessment on the first start."
)
@shared_options
def serve(
    host: str,
    port: int,
    db: str | None,
    place: str | None,
    demo: bool,
    form: str,
    lang: str,
    folders: tuple[Path, ...],
) -> None:
    """Run the phone form."""
    try:
        from webapp import BadSetting, DemoExposed, PortTaken
        from webapp import serve as run
        from webapp.storage import KeyFileError
    except ImportError as error:
        raise problem(
            "yyassess[web]",
            error.name,
            None,
            "未安装网页组件：pip install 'yyassess[web]'",
            "the form is not installed: pip install 'yyassess[web]'",
        ) from None
    book = rulebook(folders)
    if place is not None:
        place = book.place(place).id
    try:
        run(host=host, port=port, db=db, rules=[str(f) for f in folders], demo=demo, place=place)
    except PortTaken as error:
        raise problem(f"{host}:{port}", None, None, f"无法监听：{error}", str(error)) from None
    except DemoExposed as error:
        raise problem("--host", host, None, f"演示账号的密码人人皆知，不能对网络开放：{error}", str(error)) from None
    except BadSetting as error:
        raise problem("YYASSESS_…", None, None, f"环境变量无法读取：{error}", str(error)) from None
    except KeyFileError as error:
        raise problem("--db", None, None, f"密钥文件不能使用：{error}", str(error)) from None
