"""The folder of a draft: written whole into a new place and moved, so that nothing is left half-written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from trialwright.core.finding import Refused, finding


def write(files: Mapping[str, bytes], folder: Path, force: bool = False) -> None:
    """Write the files as a folder that is not there yet.

    With `force` a folder that is there keeps its other files, and these replace theirs. `Refused` where it may not be
    written; then nothing has changed.
    """
    if folder.exists() and not folder.is_dir():
        raise Refused(finding("draft_out_wrong", path=folder))
    there = folder.is_dir() and any(folder.iterdir())
    if there and not force:
        raise Refused(finding("draft_exists", path=folder))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
            fresh = Path(beside) / "new"
            if there:
                shutil.copytree(folder, fresh, symlinks=True)
            else:
                fresh.mkdir()
            for name, content in files.items():
                (fresh / name).write_bytes(content)
            if folder.is_dir():
                folder.rename(Path(beside) / "old")
            try:
                fresh.rename(folder)
            except OSError:
                if (Path(beside) / "old").is_dir():
                    (Path(beside) / "old").rename(folder)
                raise
    except OSError as wrong:
        raise Refused(finding("folder_unwritable", path=folder, why=wrong.strerror or wrong)) from wrong
