"""Training data: looked at, checked, written for others, reviewed by a person.

FILE is a .jsonl, .json, .parquet or .txt file, or `hf:NAME` or `hf:NAME:SPLIT` for a data set by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tmbr.cli.app import data

File = Annotated[
    str, typer.Argument(metavar="FILE", help="A file, or hf:NAME[:SPLIT] for a data set by name.")
]
From = Annotated[
    str | None, typer.Option("--from", help="Its format; by default recognised from the content.")
]
TOKENIZER = "A tokenizer by path or hub name, or nano."


@data.command()
def stats(
    file: File,
    form: From = None,
    model: Annotated[str | None, typer.Option(help=f"{TOKENIZER} Without it, no tokens.")] = None,
) -> int:
    """Count rows, turns, roles, tokens, tools, lengths, sources and duplicates.

    Reads traces (the solved episodes), rows, pairs, and others' formats; see `tmbr data convert`.

    \b
    Examples:
      tmbr data stats runs/collect/traces.jsonl --model nano
      tmbr data stats hf:tatsu-lab/alpaca
    """
    from tmbr.cli.data import stats as run

    return run(file, form, model)


@data.command()
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Files, or hf:NAME[:SPLIT].")],
    form: From = None,
) -> int:
    """Name file, line and key of whatever is wrong; exit code 2 if anything is.

    Turns that do not alternate, calls that are not answered, arguments that are no JSON, tools that are
    not offered, empty assistant turns, loss elsewhere than on the assistant. Of traces every episode is
    checked, and then the rows that the solved ones give.

    \b
    Examples:
      tmbr data validate rows.jsonl
      tmbr data validate runs/collect/traces.jsonl others.parquet
    """
    from tmbr.cli.data import validate as run

    return run(files, form)


@data.command()
def convert(
    file: File,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A .jsonl, .parquet or .txt file.")],
    to: Annotated[str, typer.Option(help="The format to write.")] = "messages",
    form: From = None,
    lossy: Annotated[
        bool, typer.Option("--lossy", help="Leave out, and count, what the format does not hold.")
    ] = False,
) -> int:
    """Write data in another format, with its card beside it.

    Formats: messages, pairs (tmbr's own), trl, trl-prompt, trl-preference, sharegpt, alpaca,
    prompt-response, text; traces are read. A row that is bad, or that the format cannot hold, goes to
    OUT's side file NAME.bad.jsonl, with file, line, key and why.

    \b
    Examples:
      tmbr data convert runs/collect/traces.jsonl data/train.jsonl --to sharegpt
      tmbr data convert hf:tatsu-lab/alpaca data/alpaca.parquet --to messages
    """
    from tmbr.cli.data import convert as run

    return run(file, out, to, form, lossy)


@data.command()
def show(
    file: File,
    row: Annotated[int, typer.Option(min=1, help="Which one, by its line.")] = 1,
    form: From = None,
    mask: Annotated[bool, typer.Option("--mask", help="As tokens, those marked that train.")] = False,
    model: Annotated[str, typer.Option(help=TOKENIZER)] = "nano",
    template: Annotated[
        str | None, typer.Option(help="Chat template: a bundled one's name, or a Jinja file.")
    ] = None,
) -> None:
    """Print one sample, or what of it will train through a tokenizer and a chat template.

    What trains is in colour on a terminal, and in ⟦ ⟧ elsewhere. Says when a template cannot give the
    mask, or strips thoughts from earlier turns.

    \b
    Examples:
      tmbr data show runs/collect/traces.jsonl --row 3
      tmbr data show rows.jsonl --mask --model nano
    """
    from tmbr.cli.show import show as run

    run(file, row, form, (model, template) if mask else None)


@data.command()
def review(
    file: Annotated[Path, typer.Argument(help="traces.jsonl, or rows or pairs.")],
    form: From = None,
    page: Annotated[bool, typer.Option("--page", help="As a page in a browser.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page; 0 is a free one.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--apply", help="Write what was kept and cut to this file, and end.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Format of --apply; by default that of FILE.")] = None,
) -> None:
    """Decide by hand: keep, drop, cut here, note; in the terminal or, with --page, in a browser.

    Decisions are kept at once in FILE's NAME.decisions.jsonl, where the last one of a trajectory
    counts; the same command goes on where it stopped. --apply writes what was decided.

    \b
    Examples:
      tmbr data review runs/collect/traces.jsonl --page
      tmbr data review runs/collect/traces.jsonl --apply data/reviewed.jsonl --to messages
    """
    from tmbr.cli.review import apply_decisions
    from tmbr.cli.review import review as run

    if out is not None:
        apply_decisions(file, form, out, to)
    else:
        run(file, form, page, port)


@data.command()
def check() -> None:
    """Say which benchmark data is found; `tmbr data validate` checks files.

    \b
    Example:
      tmbr data check
    """
    from tmbr.cli.tasks import describe

    for line in describe(generated=False):
        typer.echo(line)
