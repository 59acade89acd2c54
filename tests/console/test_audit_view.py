"""How an audit looks while it works: its tasks, and the job that is under way."""

from __future__ import annotations

from pathlib import Path

import evofool
from evofool.audits.job import AuditStep
from evofool.console.audit_view import AuditView


def test_every_step_of_an_audit_is_described_with_that_of_the_job_under_way(tmp_path: Path) -> None:
    seconds = iter(range(100_000))
    view = AuditView(now=lambda: float(next(seconds)))
    lines, shares, titles = [], [], set()

    def observe(step: AuditStep) -> None:
        view.note(step)
        snapshot = view.describe(step)
        lines.append(snapshot.line)
        shares.append(snapshot.share)
        titles.add(snapshot.title)
        assert snapshot.rows[0][0] == "tasks"

    evofool.audit("digits", budget=12_000, out=tmp_path / "audit", observer=observe)
    assert shares[-1] == 1
    assert all(share is not None and 0 <= share <= 1 for share in shares)
    assert lines[-1].startswith("tasks 16/16  gradients: FGSM and PGD  elapsed ")
    assert any("fooling images by CPPNs" in line and "generation" in line for line in lines)
    assert any("real images by one pixel" in line and "success" in line for line in lines)
    assert any("gradients: FGSM and PGD" in line and "parts " in line for line in lines)
    assert "digits · audit · scores of real images" in titles
