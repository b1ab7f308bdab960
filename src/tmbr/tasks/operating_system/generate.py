"""Own problems at a shell, each from a seed: a small tree of files, a question or a job about it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from tmbr.tasks.operating_system.wordings import WORDINGS, write

#: Raise it when the same seed gives another problem.
GENERATOR = "1"
_PLACES = ("/srv", "/home/ada", "/home/lin", "/opt", "/var/lib", "/root", "/data", "/home/kim/work")
_FOLDERS = (
    "reports", "archive", "photos", "logs", "notes", "backup", "drafts", "music", "invoices", "maps",
    "letters", "recipes", "scans", "exports", "letters old", "tickets",
)  # fmt: skip
_NAMES = (
    "alpha", "spring", "budget", "harbour", "ledger", "meadow", "orbit", "pepper", "quartz", "river",
    "saddle", "tunnel", "violet", "walnut", "yonder", "zephyr", "amber", "bridge", "copper", "drift",
)  # fmt: skip
_ENDINGS = ("txt", "log", "csv", "md", "cfg", "dat")
_WORDS = (
    "error", "granted", "timeout", "refused", "started", "warning", "renewed", "expired", "stored",
    "missing", "updated", "closed",
)  # fmt: skip
_PEOPLE = ("Alice", "Bob", "Carol", "Dmitri", "Elena", "Farid", "Grace", "Hiro")
_KEYS = ("port", "workers", "timeout", "retries", "region", "owner", "mode", "level")


@dataclass(frozen=True, slots=True)
class Problem:
    """init: the script that makes the files. answer: of a question. check: of a job, a script that
    succeeds when it is done. solution: a script whose last line is the answer, or that does the job."""

    kind: str
    instruction: str
    init: str
    solution: str
    answer: str | None = None
    check: str | None = None


@dataclass(slots=True)
class _Tree:
    """Files below one folder: relative path -> content."""

    top: str
    files: dict[str, str]

    def init(self) -> str:
        lines = ["set -e"]
        folders = {self.top, *(f"{self.top}/{path}".rpartition("/")[0] for path in self.files)}
        lines += [f"mkdir -p {shlex.quote(folder)}" for folder in sorted(folders)]
        lines += [
            f"printf %s {shlex.quote(text)} > {shlex.quote(f'{self.top}/{path}')}"
            for path, text in self.files.items()
        ]
        return "\n".join(lines)

    def ending(self, ending: str) -> list[str]:
        return [path for path in self.files if path.endswith(f".{ending}")]


def generate(seed: int) -> Problem:
    """The same problem for the same seed."""
    rng = Random(f"{GENERATOR}/{seed}")
    kind = rng.choice(list(_MAKERS))
    tree = _tree(rng)
    parts, answer, check = _MAKERS[kind](rng, tree)
    parts = {"folder": tree.top, **parts}
    instruction = write(rng.choice(WORDINGS[kind]), **parts)
    return Problem(kind, instruction, tree.init(), SOLUTIONS[kind](parts), answer, check)


def _tree(rng: Random) -> _Tree:
    top = f"{rng.choice(_PLACES)}/{rng.choice(_FOLDERS)}"
    inner = ["", *rng.sample(_FOLDERS, rng.randint(1, 3))]
    if rng.random() < 0.5:
        inner.append(f"{inner[-1]}/{rng.choice(_FOLDERS)}")
    tree = _Tree(top, {})
    for name in rng.sample(_NAMES, rng.randint(6, 12)):
        folder = rng.choice(inner)
        path = f"{folder}/{name}" if folder else name
        tree.files[f"{path}.{rng.choice(_ENDINGS)}"] = _text(rng)
    return tree


def _text(rng: Random) -> str:
    lines = [
        f"{rng.choice(_NAMES)} {rng.choice(_WORDS)} {rng.randint(1, 99)}"
        for _ in range(rng.randint(0, 8))
    ]
    return "".join(f"{line}\n" for line in lines)


Made = tuple[dict[str, str], str | None, str | None]


def _count_files(rng: Random, tree: _Tree) -> Made:
    ending = rng.choice(_ENDINGS)
    return {"ending": ending}, str(len(tree.ending(ending))), None


def _count_lines(rng: Random, tree: _Tree) -> Made:
    word = rng.choice(_WORDS)
    lines = [line for text in tree.files.values() for line in text.splitlines() if word in line]
    return {"word": word}, str(len(lines)), None


def _total_size(rng: Random, tree: _Tree) -> Made:
    ending = rng.choice(sorted({path.rpartition(".")[2] for path in tree.files}))
    size = sum(len(tree.files[path].encode()) for path in tree.ending(ending))
    return {"ending": ending}, str(size), None


def _find_file(rng: Random, tree: _Tree) -> Made:
    path = rng.choice(sorted(tree.files))
    where = f"{tree.top}/{path}"
    return {"name": where.rpartition("/")[2]}, where.rpartition("/")[0], None


def _find_text(rng: Random, tree: _Tree) -> Made:
    path = rng.choice(sorted(tree.files))
    code = f"K{rng.randint(10_000, 99_999)}"
    tree.files[path] += f"code {code}\n"
    return {"text": code}, f"{tree.top}/{path}", None


def _largest(rng: Random, tree: _Tree) -> Made:
    path = rng.choice(sorted(tree.files))
    longest = max(len(text) for text in tree.files.values())
    tree.files[path] = "x" * (longest + rng.randint(20, 400)) + "\n"
    return {}, path.rpartition("/")[2], None


def _ledger(rng: Random, tree: _Tree) -> Made:
    rows = [
        (rng.choice(_PEOPLE), rng.choice(("sold", "bought")), rng.randint(1, 500)) for _ in range(40)
    ]
    tree.files["trades.csv"] = "".join(f"{who},{what},{count}\n" for who, what, count in rows)
    who, what = rng.choice(rows)[:2]
    total = sum(count for name, did, count in rows if (name, did) == (who, what))
    return {"file": f"{tree.top}/trades.csv", "who": who, "did": what}, str(total), None


def _setting(rng: Random, tree: _Tree) -> Made:
    keys = rng.sample(_KEYS, 5)
    values = {key: str(rng.randint(1, 9000)) for key in keys}
    key = rng.choice(keys)
    lines = [f"# {other} = {rng.randint(1, 9000)}" for other in keys]
    lines += [f"{other} = {value}" for other, value in values.items()]
    rng.shuffle(lines)
    tree.files["service.conf"] = "\n".join(lines) + "\n"
    return {"key": key, "file": f"{tree.top}/service.conf"}, values[key], None


def _permissions(rng: Random, tree: _Tree) -> Made:
    ending = rng.choice(sorted({path.rpartition(".")[2] for path in tree.files}))
    mode = rng.choice(("600", "640", "660", "444", "755"))
    top = shlex.quote(tree.top)
    check = (
        f"test -z \"$(find {top} -type f -name '*.{ending}' ! -perm {mode})\" &&"
        f" test $(find {top} -type f -name '*.{ending}' | wc -l) = {len(tree.ending(ending))} &&"
        f" test -z \"$(find {top} -type f ! -name '*.{ending}' ! -perm 644)\""
    )
    return {"ending": ending, "mode": mode}, None, check


def _move(rng: Random, tree: _Tree) -> Made:
    ending = rng.choice(sorted({path.rpartition(".")[2] for path in tree.files}))
    target = f"/tmp/{rng.choice(_NAMES)}"
    names = " ".join(sorted(path.rpartition("/")[2] for path in tree.ending(ending)))
    count = len(tree.ending(ending))
    check = (
        f'test "$(ls {target} | sort | xargs)" = "$(printf "%s\\n" {names} | sort | xargs)" &&'
        f" test -z \"$(find {shlex.quote(tree.top)} -type f -name '*.{ending}')\" &&"
        f" test $(find {shlex.quote(tree.top)} -type f | wc -l) = {len(tree.files) - count}"
    )
    return {"ending": ending, "target": target}, None, check


def _replace(rng: Random, tree: _Tree) -> Made:
    old, new = rng.sample(_WORDS, 2)
    old, new = old, f"{new}-{rng.randint(2, 9)}"
    if not any(old in text for text in tree.files.values()):
        tree.files[rng.choice(sorted(tree.files))] += f"harbour {old} 5\n"
    count = sum(text.count(old) for text in tree.files.values())
    top = shlex.quote(tree.top)
    check = (
        f"! grep -rq {old} {top} && test $(grep -rhoF {new} {top} | wc -l) = {count} &&"
        f" test $(find {top} -type f | wc -l) = {len(tree.files)}"
    )
    return {"old": old, "new": new}, None, check


def _link(rng: Random, tree: _Tree) -> Made:
    path = f"{tree.top}/{rng.choice(sorted(tree.files))}"
    target = f"/usr/local/share/{rng.choice(_NAMES)}"
    check = f'test -L {target} && test "$(readlink -f {target})" = {shlex.quote(path)}'
    return {"file": path, "target": target}, None, check


_MAKERS: Mapping[str, Callable[[Random, _Tree], Made]] = {
    "count files": _count_files, "count lines": _count_lines, "total size": _total_size,
    "find file": _find_file, "find text": _find_text, "largest": _largest, "ledger": _ledger,
    "setting": _setting, "permissions": _permissions, "move": _move, "replace": _replace, "link": _link,
}  # fmt: skip


def _quoted(parts: Mapping[str, str]) -> dict[str, str]:
    return {name: shlex.quote(part) for name, part in parts.items()}


def _script(text: str) -> Callable[[Mapping[str, str]], str]:
    """A script with places for its parts: `{folder}` is quoted for the shell, `{raw[ending]}` not."""
    return lambda parts: text.format(raw=parts, **_quoted(parts))


#: How each kind is solved: the parts of its request -> a script.
SOLUTIONS: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "count files": _script("find {folder} -type f -name '*.{raw[ending]}' | wc -l"),
    "count lines": _script("grep -rhF {word} {folder} | wc -l"),
    "total size": _script(
        "find {folder} -type f -name '*.{raw[ending]}' -printf '%s\\n'"
        " | awk '{{s += $1}} END {{print s + 0}}'"
    ),
    "find file": _script("find {folder} -type f -name {name} -printf '%h\\n'"),
    "find text": _script("grep -rlF {text} {folder}"),
    "largest": _script(
        "find {folder} -type f -printf '%s %f\\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-"
    ),
    "ledger": _script(
        'awk -F , \'$1 == "{raw[who]}" && $2 == "{raw[did]}" {{s += $3}} END {{print s + 0}}\' {file}'
    ),
    "setting": _script("grep '^{raw[key]} = ' {file} | cut -d ' ' -f 3"),
    "permissions": _script("find {folder} -type f -name '*.{raw[ending]}' -exec chmod {mode} {{}} +"),
    "move": _script(
        "mkdir -p {target} && find {folder} -type f -name '*.{raw[ending]}' -exec mv -t {target} {{}} +"
    ),
    "replace": _script("grep -rlF {old} {folder} | xargs -d '\\n' sed -i 's/{raw[old]}/{raw[new]}/g'"),
    "link": _script("ln -s {file} {target}"),
}
#: The kinds that ask for a value; the others are jobs.
QUESTIONS = (
    "count files", "count lines", "total size", "find file", "find text", "largest", "ledger",
    "setting",
)  # fmt: skip
