"""Files are replaced as a whole, or stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.files import written_whole


class DiskFullError(OSError):
    """Stands for what a full disk raises."""


def write_half(path: Path) -> None:
    with written_whole(path) as draft:
        draft.write_text("half")
        raise DiskFullError


def test_a_file_appears_with_its_folder_when_all_of_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.csv"

    with written_whole(path) as draft:
        draft.write_text("whole")
        assert not path.exists()

    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")

    with pytest.raises(DiskFullError):
        write_half(path)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
