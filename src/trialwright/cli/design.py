"""`trialwright design PROTOCOL --out DIR`: how good the analysis is, before the first participant."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

from trialwright.cli import output
from trialwright.cli.loading import protocol_at
from trialwright.core.finding import Refused, finding


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("protocol", help="folder of the protocol, with its design.yaml")
    parser.add_argument(
        "--out", metavar="DIR", default="", help="folder for design.html, .pdf and .json (default: none)"
    )
    parser.add_argument("--trials", type=int, default=None, help="trials per scenario and size (default: its own)")
    parser.add_argument("--seed", type=int, default=None, help="seed of all chance (default: its own)")
    parser.add_argument("--workers", metavar="N", type=int, default=2, help="processes of this machine (default: 2)")
    parser.add_argument(
        "--dask", metavar="ADDRESS", default="", help="a Dask scheduler whose workers simulate instead (extra: dask)"
    )
    parser.add_argument("--no-pdf", action="store_true", help="write no design.pdf")


def run(options: argparse.Namespace) -> int:
    """Compute every scenario, print the table, and write the page where a folder is named."""
    from trialwright.design.characteristics import characteristics
    from trialwright.design.page import BANNER, design_html, footer, off_level
    from trialwright.design.scenarios import MOST_TRIALS, load_scenarios
    from trialwright.design.workers import cluster, processes

    started = time.monotonic()
    if options.trials is not None and not 100 <= options.trials <= MOST_TRIALS:
        expected = f"a whole number from 100 to {MOST_TRIALS:,}"
        raise Refused(finding("option_wrong", option="--trials", given=options.trials, expected=expected))
    if options.seed is not None and options.seed < 0:
        raise Refused(finding("option_wrong", option="--seed", given=options.seed, expected="a whole number from 0"))
    if not 1 <= options.workers <= 256:
        expected = "a whole number from 1 to 256"
        raise Refused(finding("option_wrong", option="--workers", given=options.workers, expected=expected))
    protocol = protocol_at(options.protocol)
    folder = Path(options.protocol)
    design = load_scenarios(protocol, folder if folder.is_dir() else folder.parent)
    trials = design.trials if options.trials is None else options.trials
    seed = design.seed if options.seed is None else options.seed
    with cluster(options.dask) if options.dask else processes(options.workers) as pool:
        found = characteristics(
            protocol, design, trials, seed, lambda share: output.progress(f"simulating: {100 * share:.0f} %"), pool
        )
    output.progress("")
    data = _finite({"trial": protocol.document.trial, "digest": protocol.digest, **asdict(found)})
    if options.out:
        out = Path(options.out)
        try:
            out.mkdir(parents=True, exist_ok=True)
            html = design_html(protocol, design, found)
            (out / "design.html").write_text(html, "utf-8")
            (out / "design.json").write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", "utf-8")
            if not options.no_pdf:
                from trialwright.render.pdf import write_pdf

                write_pdf(html, out / "design.pdf", BANNER, footer(protocol, found))
        except OSError as wrong:
            raise Refused(finding("folder_unwritable", path=out, why=wrong.strerror or wrong)) from wrong
    if options.json:
        output.emit(data)
        return 0
    print(f"{protocol.document.trial}: {trials:,} simulated trials per scenario and size, seed {seed}")
    for one in found.two_arms:
        what = "error" if one.truth == 0 else "power"
        if not one.estimated:
            print(
                f"  {one.scenario}, {one.women} women, {one.estimator}: not estimable in any of {one.trials:,} trials"
            )
            continue
        few = f", not estimable in {one.refused:,}" if one.refused else ""
        print(
            f"  {one.scenario}, {one.women} women, {one.estimator}: bias {one.bias:+.3f}, "
            f"coverage {one.coverage:.3f} ± {one.error:.4f}, {what} {one.rejects:.3f}{few}"
        )
    for ratio in found.ratio:
        if not ratio.estimated:
            print(f"  {ratio.scenario}, {ratio.women} women: without limits in all of {ratio.trials:,} trials")
            continue
        print(
            f"  {ratio.scenario}, {ratio.women} women: coverage {ratio.coverage:.3f} ± {ratio.error:.4f}, "
            f"pooled {ratio.pooled:.3f}, without limits {ratio.without_limits}"
        )
    for share in found.proportion:
        lost = f"{share.lost}, " if share.lost else ""
        print(
            f"  {lost}{share.women} women, true rate {share.rate:g}: none seen in {share.nobody:.3f}, "
            f"coverage {share.coverage:.3f}"
        )
    for change in found.change:
        print(
            f"  {change.scenario}, {change.women} women, from {change.baseline}: bias {change.bias:+.3f} of which "
            f"regression {change.regression:+.3f}, coverage {change.coverage:.3f} ± {change.error:.4f}"
        )
    for pause in found.boundary.characteristics if found.boundary else ():
        print(
            f"  boundary, true rate {pause.rate:g}: pauses {pause.pauses:.3f}, after {pause.expected_n:.1f} on average"
        )
    for sentence in off_level(found):
        print(f"  off its level: {sentence}")
    if options.out:
        print(f"{Path(options.out) / 'design.html'} written in {time.monotonic() - started:.1f} s")
    return 0


def _finite(value: Any) -> Any:
    """Plain data without NaN, which JSON does not know."""
    if isinstance(value, float):
        return float(f"{value:.10g}") if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
