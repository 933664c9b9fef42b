"""The wheel holds all that runs: rules, templates, style sheets; and it works away from the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


def run(*command: object, cwd: Path) -> str:
    """Run outside the checkout's influence and return what was printed."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"} and not name.startswith("YYASSESS")
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(target: str, source: Path, folder: Path) -> Path:
    """Build a `wheel` or an `sdist` from `source` into `folder`."""
    run(sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", folder, cwd=source)
    [built] = folder.iterdir()
    return built


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", TOP, tmp_path_factory.mktemp("wheel"))


def test_wheel_holds_rules_pages_and_styles(wheel: Path) -> None:
    names = contents(wheel)
    assert "yyassess/rules/vocabulary.yaml" in names
    assert "webapp/static/vendor/weui-2.6.26/weui.min.css" in names
    assert "webapp/static/vendor/weui-2.6.26/LICENSE.txt" in names
    assert any(name.startswith("webapp/templates/") and name.endswith(".html") for name in names)
    assert any(name.endswith(".dist-info/licenses/THIRD_PARTY_NOTICES.md") for name in names)


def test_wheel_holds_every_rule_file(wheel: Path) -> None:
    rules = TOP / "rules"
    expected = {f"yyassess/rules/{path.relative_to(rules).as_posix()}" for path in rules.rglob("*.yaml")}
    assert expected
    assert expected <= contents(wheel)


def test_wheel_holds_a_compiled_catalogue_for_each_translation(wheel: Path) -> None:
    names = contents(wheel)
    for catalogue in (TOP / "webapp").glob("translations/*/LC_MESSAGES/*.po"):
        assert catalogue.with_suffix(".mo").relative_to(TOP).as_posix() in names


def test_wheel_holds_no_tests_and_no_second_copy_of_the_rules(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in contents(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"yyassess", "webapp"}


def test_wheel_built_from_the_source_package_is_the_same(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "sdist").mkdir()
    (tmp_path / "wheel").mkdir()
    sdist = build("sdist", TOP, tmp_path / "sdist")
    run(sys.executable, "-m", "tarfile", "-e", sdist, tmp_path / "source", cwd=tmp_path)
    [source] = (tmp_path / "source").iterdir()
    assert contents(build("wheel", source, tmp_path / "wheel")) == contents(wheel)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venv that holds the wheel, and borrows only its dependencies; returns its folder of programs."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    run(*pip, wheel, cwd=folder)
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    # A folder named in a .pth file is searched, but its own .pth files are not read: the checkout stays out.
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(own) / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n", encoding="utf-8")
    return python.parent


def test_installed_package_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = "import yyassess, webapp; print(yyassess.__file__); print(webapp.__file__)"
    for place in run(installed / "python", "-c", code, cwd=tmp_path).splitlines():
        assert Path(place).is_relative_to(installed.parent)


def test_installed_command_lists_the_instruments(installed: Path, tmp_path: Path) -> None:
    printed = run(installed / "yyassess", "instruments", "--format", "json", cwd=tmp_path)
    assert "gbt-42195-2022" in {instrument["id"] for instrument in json.loads(printed)}
