"""What a browser is called on the list of one's devices; no more of it is kept."""

from __future__ import annotations

import re

#: The first that is found names it: WeChat and Edge also call themselves Chrome, and Chrome Safari.
PROGRAMS = (
    ("MicroMessenger", "WeChat"),
    ("EdgA?/", "Edge"),
    ("Firefox|FxiOS", "Firefox"),
    ("HuaweiBrowser", "Huawei"),
    ("MiuiBrowser", "Xiaomi"),
    ("UCBrowser", "UC"),
    ("QQBrowser", "QQ"),
    ("Chrome|CriOS", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("HarmonyOS|OpenHarmony", "HarmonyOS"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X|Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def device_name(agent: str) -> str:
    """Program and system of a ``User-Agent``, such as ``WeChat · iPhone``; empty when neither is known."""
    names = (next((name for sign, name in known if re.search(sign, agent)), "") for known in (PROGRAMS, SYSTEMS))
    return " · ".join(name for name in names if name)
