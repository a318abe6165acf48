"""``news gate``: pin pages whose text must not change with rules or versions."""

import asyncio
from pathlib import Path

import click

from pipeline.cli.options import json_option
from pipeline.cli.output import as_text, print_json, print_line, print_text
from pipeline.cli.page_sources import fetch_page, is_address, load_page_file
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.upkeep.pinned_pages import compare_answer, describe_page, find_pin, list_pins, read_answer

folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the pages and their answers are kept; belongs under version control.  [default: NEWS_GATE_DIR]",
)

_MARKS = {"keep": "something was wrongly removed", "drop": "something should go"}


@click.group()
def gate_group() -> None:
    """Pin pages of your own: a gate that shuts when one of them no longer comes out as it should.

    Each page is two files in a folder: the page as it came, and the answer, JSON that you may correct by hand.
    """


@gate_group.command("add")
@click.argument("source", metavar="URL|FILE")
@click.option("--url", help="Address of the page in FILE.")
@folder_option
@click.pass_obj
def gate_add_command(settings: Settings, source: str, url: str | None, folder: Path | None) -> None:
    """Pin a page with what comes out of it now.

    Look at the answer before you trust it; correct it where it is wrong, and the gate stays shut until that is right.

    \b
    Examples:
      news gate add https://example.org/2026/11/22/story.html
      news gate add page.html.gz --url https://example.org/story
    """
    if is_address(source):
        response, _ = asyncio.run(fetch_page(settings, source))
    else:
        response = load_page_file(Path(source), url)
    pin, about = find_pin(folder or Path(settings.gate_dir), response.url), describe_page(response)
    pin.save(about | {"expected": read_answer(settings, about, response.body)}, response.body)
    print_line(f"{pin.answer}: look whether it is right")


@gate_group.command("run")
@folder_option
@click.option("--accept", is_flag=True, help="Take what comes out now for right, and pin that.")
@json_option
@click.pass_obj
def gate_run_command(settings: Settings, folder: Path | None, accept: bool, as_json: bool) -> None:
    """Read all pinned pages again and show what comes out otherwise; the exit code is 1 if anything does.

    \b
    Examples:
      news gate run
      NEWS_RULES_DIR=rules news gate run --folder tests/gate
    """
    gate_dir = folder or Path(settings.gate_dir)
    pins = list_pins(gate_dir)
    if not pins:
        raise ConfigError(f"{gate_dir} holds no page; `news gate add URL` pins one")
    changed = []
    for pin in pins:
        about, body = pin.load()
        answer = read_answer(settings, about, body)
        if lines := compare_answer(about, answer):
            marks = about.get("marks", [])
            changed.append({"url": about["url"], "file": str(pin.answer), "diff": lines, "marks": marks})
            if accept:
                pin.save({**about, "expected": answer, "wrong": {}, "marks": []})
    if as_json:
        print_json({"pages": len(pins), "changed": changed})
    else:
        for page in changed:
            print_line()
            print_line(as_text(page["url"], "bold"), f"  {page['file']}")
            for mark in page["marks"]:
                print_line(f"marked on {mark['at'][:10]}: ", _MARKS.get(mark["kind"], f"wrong {mark['kind']}"))
            print_text("\n".join(page["diff"]))
        print_line(f"{len(pins)} pages, {len(changed)} come out otherwise")
    if changed and not accept:
        raise click.ClickException("the gate is shut; `--accept` pins what comes out now")
