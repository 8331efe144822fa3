"""The command ``python benchmarks``."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rows
from harness import report
from harness.children import Company
from harness.environments import Environments
from harness.errors import BenchmarkError
from harness.figures import figure
from harness.report import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.model import Row

MISSED = 1
FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure rows, print the table, and return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    known = load_rows()
    if options.list:
        print("\n".join(f"{name:24}{row.work}" for name, row in known.items()))
        return 0
    unknown = set(options.rows) - known.keys()
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    environments = Environments(options.environments, options.python)
    environments.remove_unused()
    results: list[Result] = []
    failures: list[str] = []
    for name in options.rows or known:
        try:
            result = measure(name, known[name], environments, options.rounds)
        except BenchmarkError as error:
            failures.append(str(error))
            print(f"{error}\n", file=sys.stderr)
        else:
            results.append(result)
            print(f"{report.contestants(result)}\n", flush=True)
    print(report.bars(results))
    if options.json:
        _write_json(options.json, results, environments)
    if failures:
        print("\n".join(["", *failures]), file=sys.stderr)
        return FAILED
    missed = any(one.held is False for result in results for one in result.figures)
    return MISSED if missed and options.strict else 0


def load_rows() -> dict[str, Row]:
    """Return each row by its name, in the order of the alphabet."""
    names = sorted(module.name for module in pkgutil.iter_modules(rows.__path__))
    return {name: importlib.import_module(f"rows.{name}").ROW for name in names}


def measure(name: str, row: Row, environments: Environments, rounds: int | None) -> Result:
    """Let the contestants of a row take turns, and compare them.

    Raises:
        BenchmarkError: one of them failed, or does not do the work, or has no environment.
    """
    samples: dict[str, list[float]] = {}
    with row.stage(environments) as stage:
        company = Company(name, row, environments, stage)
        for contestant in row.contestants:
            company.rehearse(contestant)
        for _ in range(rounds or row.rounds):
            for contestant in row.contestants:
                for part, seconds in company.perform(contestant).items():
                    samples.setdefault(f"{contestant.name}: {part}" if part else contestant.name, []).append(seconds)
    return Result(name, row, samples, tuple(figure(bar, samples) for bar in row.bars))


def _write_json(path: Path, results: Iterable[Result], environments: Environments) -> None:
    used = {one.environment for result in results for one in result.row.contestants}
    versions = {environment.name: environments.versions(environment) for environment in used}
    document = report.document(results, versions, environments.python_version)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure fleece beside its peers.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows to measure; default: all")
    parser.add_argument("--list", action="store_true", help="list the rows, and measure nothing")
    parser.add_argument("--rounds", type=_positive, help="turns that each contestant has (default: as the row says)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument("--strict", action="store_true", help=f"end with {MISSED} when a bar is missed")
    parser.add_argument("--python", default=sys.executable, help="the contestants' Python: a version or a path")
    parser.add_argument(
        "--environments",
        type=Path,
        default=Path(__file__).parents[1] / "results" / "environments",
        metavar="DIR",
        help="where the environments are kept",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number
