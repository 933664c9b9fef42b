"""Files taken from other projects are exactly those that THIRD_PARTY_NOTICES.md lists."""

import hashlib
import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
VENDORED = TOP / "webapp" / "static" / "vendor"
NOTICES = (TOP / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
LISTED = dict(re.findall(r"^\| `(webapp/static/vendor/[^`]+)` \| `([0-9a-f]{64})` \|$", NOTICES, re.MULTILINE))


def test_each_vendored_file_is_listed_with_its_sha256():
    found = {
        path.relative_to(TOP).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDORED.rglob("*")
        if path.is_file()
    }
    assert found == LISTED


def test_weui_comes_with_its_licence():
    assert "webapp/static/vendor/weui-2.6.26/weui.min.css" in LISTED
    licence = (VENDORED / "weui-2.6.26" / "LICENSE.txt").read_text(encoding="utf-8")
    assert "Tencent" in licence
    assert "MIT License" in licence


def test_notices_name_the_package_that_the_script_accepts():
    script = (TOP / "scripts" / "vendor_weui.py").read_text(encoding="utf-8")
    integrity = re.search(r'^INTEGRITY = "(sha512-[^"]+)"$', script, re.MULTILINE)
    assert integrity is not None
    assert integrity[1] in NOTICES


def test_weui_loads_nothing_from_another_host():
    css = (VENDORED / "weui-2.6.26" / "weui.min.css").read_text(encoding="utf-8")
    assert "@import" not in css
    targets = re.findall(r"url\(\s*[\"']?([^\"')]{0,20})", css)
    assert targets
    assert [target for target in targets if not target.startswith(("data:", "#", "%23"))] == []
