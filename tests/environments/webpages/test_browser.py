"""Live sites in a real browser: each control is there, where a person sees it and as what it is."""

from __future__ import annotations

import json
import re
import subprocess
from html import unescape
from pathlib import Path

import pytest

from tests.support.browser import BROWSER, FLAGS
from tmbr.environments.webpages import to_html
from tmbr.environments.webpages.sites import Control, State, generate, play

#: Asks the browser itself: what each element is, whether and where it is drawn, what it is called,
#: and whether a click in its middle would hit it.
LOOK = """
<script>
const seen = {};
for (const node of document.querySelectorAll("a, button, input, select")) {
  node.scrollIntoView({block: "center"});
  const box = node.getBoundingClientRect();
  const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  const labelled = node.labels && node.labels.length;
  const label = labelled ? node.labels[0].firstChild.textContent : node.innerText;
  seen[node.getAttribute("backend_node_id")] = {
    tag: node.tagName.toLowerCase(), type: node.type || "", label: label.trim(),
    width: box.width, height: box.height, hit: hit === node,
    value: node.value || "", checked: !!node.checked, disabled: !!node.disabled,
    options: node.options ? [...node.options].map(option => option.text) : [],
  };
}
const told = document.createElement("pre");
told.id = "seen";
told.textContent = JSON.stringify({mode: document.compatMode, title: document.title, seen});
document.body.append(told);
</script>
"""
TAGS = {
    "link": ("a", ""),
    "button": ("button", ""),
    "textbox": ("input", "text"),
    "checkbox": ("input", "checkbox"),
    "combobox": ("select", "select-one"),
}


@pytest.fixture(scope="module")
def browser() -> str:
    if BROWSER is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    return BROWSER


def look(browser: str, state: State, folder: Path) -> dict:  # type: ignore[type-arg]
    """What the browser says of a state's page."""
    page = folder / "page.html"
    page.write_text(to_html(state.page.root).replace("</body>", f"{LOOK}</body>"), encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [browser, *FLAGS, profile, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-500:]
    told: dict = json.loads(unescape(found[1]))  # type: ignore[type-arg]
    return told


def check(node: str, control: Control, state: State, drawn: dict) -> None:  # type: ignore[type-arg]
    tag, kind = TAGS[control.kind]
    assert (drawn["tag"], drawn["label"]) == (tag, control.label), node
    assert not kind or drawn["type"] == kind
    assert drawn["width"] > 5
    assert drawn["height"] > 5
    assert drawn["hit"], f"{control.label} is covered, or not where it seems to be"
    assert not drawn["disabled"]
    filled = state.filled.get(control.field, "")
    if control.kind == "checkbox":
        assert drawn["checked"] == bool(filled)
    if control.kind == "textbox":
        assert drawn["value"] == filled
    if control.kind == "combobox":
        assert drawn["value"] == (filled or control.options[0])
        assert tuple(drawn["options"]) == control.options


@pytest.mark.parametrize("seed", [0, 1])
def test_every_control_is_seen_and_can_be_clicked(browser: str, seed: int, tmp_path: Path) -> None:
    """One site's pages on the straight way, one of each kind, in the state in which they are left."""
    visit = generate(seed)
    pages = {done.state.at[0]: done.state for done in play(visit)}
    assert set(pages) >= {"results", "item", "details", "review"}
    for state in pages.values():
        told = look(browser, state, tmp_path)
        assert told["mode"] == "CSS1Compat"  # standards mode: the page is HTML without excuses
        assert told["title"] == visit.site.title
        assert set(told["seen"]) == set(state.page.controls)
        for node, control in state.page.controls.items():
            check(node, control, state, told["seen"][node])
