"""Fuzz the readers of hostile bytes, guided by coverage: ``python tests/fuzz/run.py [TARGET …] --minutes N``.

Needs atheris (``pip install atheris``) beside the project. One target after the other, each in a process of its own
that ends at the first finding: an exception, a failed assertion, or an input that takes longer than five seconds.
The finding is a file in ``.fuzz/TARGET/findings``; give that file for ``--again`` to see it once more. What covers
something new is kept in ``.fuzz/TARGET/corpus`` and is where the next run begins.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("urls", "feeds", "pages", "classes")
SECONDS_EACH = 5
"""What one input may take. Production gives more; instrumented code is slower than what production runs."""

MEGABYTES = 2048
"""What the process may grow to: libFuzzer's measure, the fuzzer's own tables included."""


def main() -> int:
    """Run the targets asked for; the number of those that found something is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help=f"of {', '.join(NAMES)}; all by default",
    )
    parser.add_argument("--minutes", type=float, default=10, help="for each target (default: 10)")
    parser.add_argument(
        "--again",
        type=Path,
        metavar="FILE",
        help="run the one target on this input, unguided",
    )
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.targets) - set(NAMES):
        parser.error(f"no such target: {', '.join(unknown)}")
    sys.path.insert(0, str(ROOT))
    if given.again:
        _target(given.targets[0]).run(given.again.read_bytes())
        return 0
    if given.inside:
        _fuzz(given.targets[0], given.inside, given.minutes)  # does not return
    return sum(_in_process(name, given.minutes) for name in given.targets or NAMES)


def _target(name):
    from tests.fuzz.targets import TARGETS

    return TARGETS[name]


def _in_process(name: str, minutes: float) -> bool:
    """Whether fuzzing this target found something."""
    print(f"== {name}, {minutes:g} minutes", flush=True)
    folder = ROOT / ".fuzz" / name
    for part in ("corpus", "findings"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        __file__,
        name,
        "--minutes",
        str(minutes),
        "--inside",
        str(folder),
    ]
    ended = subprocess.run(command, check=False, cwd=ROOT, preexec_fn=lambda: os.nice(19))
    print(
        f"== {name}:",
        f"see {folder / 'findings'}" if ended.returncode else "nothing found",
        flush=True,
    )
    return bool(ended.returncode)


def _fuzz(name: str, folder: Path, minutes: float) -> None:
    import atheris

    # Before anything of them is imported: only then are their branches counted.
    with atheris.instrument_imports(include=["pipeline", "idna"]):
        target = _target(name)
    for number, seed in enumerate(target.seeds()):
        (folder / "corpus" / f"seed-{number:03}").write_bytes(seed)
    words = folder / "words.dict"
    words.write_text("".join(f'"{_quoted(word)}"\n' for word in target.words.split()))
    options = [
        f"-max_total_time={round(minutes * 60)}",
        f"-timeout={SECONDS_EACH}",
        f"-rss_limit_mb={MEGABYTES}",
        f"-max_len={target.max_length}",
        f"-dict={words}",
        f"-artifact_prefix={folder / 'findings'}/",
        "-len_control=20",  # long inputs early: a whole feed is where it begins
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder / "corpus")], target.run)
    atheris.Fuzz()


def _quoted(word: str) -> str:
    return "".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in word)


if __name__ == "__main__":
    sys.exit(main())
