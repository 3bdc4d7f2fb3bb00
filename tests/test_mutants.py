"""Pages are broken as people break them, always in the same places."""

import ast
import json
from pathlib import Path

import pytest

from page_runner.script import find_pages
from tools import mutants as tool
from tools.mutants import EACH, REASONS, Finder, Mutant, choose, how

SNIPPETS = Path(__file__).parents[1] / "snippets"
LOOP = b"""\
import torch
learning_rate = 0.1
model = nn.Sequential(nn.Linear(2, 9), nn.ReLU(), nn.Linear(9, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
for epoch in range(num_epochs):
    optimizer.zero_grad()
    loss = F.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
total = torch.relu(x[:10]).sum(dim=1)
ax.plot(epochs, losses)
assert total[0] < 3
"""


def broken(mutant: Mutant, source: bytes) -> bytes:
    return source[: mutant.start] + mutant.new.encode() + source[mutant.end :]


def test_a_loop_is_broken_in_all_these_ways() -> None:
    found = Finder("11_page", LOOP).found
    changes = {(mutant.line, mutant.kind, mutant.new) for mutant in found}
    assert changes >= {
        (2, "rate times 3", "0.3"),
        (2, "rate 10 % off", "0.11"),
        (3, "ReLU on logits", "nn.Linear(9, 1), nn.ReLU()"),
        (3, "activation gone", "nn.Identity()"),
        (3, "arguments swapped", "9, 2"),
        (3, "constant changed", "10"),
        (4, "optimizer swapped", "torch.optim.Rprop"),
        (4, "rate by 3", "0.1"),
        (5, "off by one", "num_epochs + 1"),
        (6, "zero_grad dropped", "pass"),
        (7, "loss swapped", "F.l1_loss"),
        (7, "labels shuffled", "(y).roll(1, 0)"),
        (8, "backward dropped", "pass"),
        (9, "step dropped", "pass"),
        (10, "activation gone", "x[:10]"),
        (10, "other dim", "0"),
        (10, "other split", "10:"),
        (11, "other array drawn", "epochs"),
        (11, "not drawn", "pass"),
    }
    assert not [mutant for mutant in found if mutant.line == 12], "an assert is broken"


@pytest.mark.parametrize("script", find_pages(SNIPPETS), ids=lambda path: path.stem)
def test_every_page_can_be_broken_in_eight_ways(script: Path) -> None:
    source = script.read_bytes()
    mutants = choose(script.stem, source, EACH)
    assert len(mutants) == EACH == len({broken(one, source) for one in mutants})
    assert choose(script.stem, source, EACH) == mutants
    for mutant in mutants:
        ast.parse(broken(mutant, source))
        assert broken(mutant, source) != source


def test_what_noticed_a_mutant_is_told() -> None:
    where = "14_page.py:9: cell 2: "
    assert how(f"{where}a claim of the page does not hold: assert x") == "assert"
    assert how(f"{where}printed 3 where exactly 2 was recorded") == "number or word"
    assert how(f"{where}drew 0.5 is not within 0.1") == "figure"
    assert how(f"{where}raised UserWarning: broadcast") == "warning"
    assert how(f"{where}NameError: x") == "error"


def test_reasons_are_those_of_mutants_that_there_are() -> None:
    import yaml

    reasons = yaml.safe_load(REASONS.read_text(encoding="utf-8")) or {}
    for stem, of_page in reasons.items():
        source = (SNIPPETS / f"{stem}.py").read_bytes()
        changes = {mutant.change for mutant in choose(stem, source, EACH)}
        assert set(of_page) <= changes, stem


def test_nothing_to_break_is_said() -> None:
    with pytest.raises(SystemExit, match="anything to break"):
        tool.report([], keep=False)


def test_mutants_of_other_pages_keep_their_day_and_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that could no longer be made are forgotten."""
    monkeypatch.setattr(tool, "TABLE", tmp_path / "mutants.json")

    def made(page: str) -> dict[str, object]:
        mutant = choose(page, (SNIPPETS / f"{page}.py").read_bytes(), EACH)[0]
        names = ("page", "line", "kind", "old", "new")
        found = {name: getattr(mutant, name) for name in names}
        return {**found, "by": "assert", "reason": ""}

    before = [
        {**made("12_shapes"), "date": "2026-01-02", "machine": "old"},
        {
            **made("13_numpy_and_devices"),
            "old": "no such code",
            "date": "",
            "machine": "",
        },
    ]
    tool.TABLE.write_text(json.dumps(before))
    tool.write_table([made("11_tensors")])
    new, kept = json.loads(tool.TABLE.read_text())
    assert (new["page"], new["by"]) == ("11_tensors", "assert")
    assert new["machine"] != "old"
    assert kept == before[0]
