"""Do the measured tolerances notice a small change of a page? By hand:

    nox -s drifts

Ten pages get one small change each, of a learning rate by a tenth, of a seed, of one
layer. A change is noticed if the page then prints what its recording does not allow.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from page_runner.runner import PageRunner

ROOT = Path(__file__).parents[2]
NOTICED = 9  # of the ten, at least
DRIFTS = {  # page: what stands there once, at first; what takes its place
    "22_one_step_then_many": ("learning_rate = 1e-4", "learning_rate = 1.1e-4"),
    "23_linear_regression": ("manual_seed(0)", "manual_seed(1)"),
    "24_logistic_regression": ("learning_rate = 0.01", "learning_rate = 0.011"),
    "26_neural_network": ("learning_rate = 0.1", "learning_rate = 0.11"),
    "34_several_labels": ("learning_rate = 1e-3", "learning_rate = 1.1e-3"),
    "35_rings": ("sizes = [2, 9, 9, 9, 9, 1]", "sizes = [2, 9, 9, 9, 9, 9, 1]"),
    "36_diabetes": ("lr=0.1)", "lr=0.11)"),
    "33_mnist_logistic_regression": ("learning_rate = 1e-3", "learning_rate = 1.1e-3"),
    "37_mnist_deep_classifier": ("lr=0.01, momentum=0.5", "lr=0.011, momentum=0.5"),
    "42_fully_connected": ("lr=0.1)", "lr=0.11)"),
}


def plant(folder: Path, stem: str, old: str, new: str) -> Path:
    """A copy of a page, with its recording beside it, in which `old` is `new` once."""
    script = folder / "snippets" / f"{stem}.py"
    text = (ROOT / "snippets" / script.name).read_text(encoding="utf-8")
    if old not in text:
        sys.exit(f"{script.name} has no {old!r}: say what drifts there now")
    script.write_text(text.replace(old, new, 1), encoding="utf-8")
    return script


def main() -> None:
    """Run the changed pages, print what noticed each change, and count."""
    with tempfile.TemporaryDirectory() as temporary, PageRunner("cpu") as runner:
        folder = Path(temporary)
        shutil.copytree(ROOT / "tests" / "expected", folder / "tests" / "expected")
        (folder / "snippets").mkdir()
        shutil.copy(ROOT / "snippets" / "load.py", folder / "snippets")
        scripts = [plant(folder, stem, *change) for stem, change in DRIFTS.items()]
        for script in scripts:
            runner.start(script)
        noticed = 0
        for script in scripts:
            problems = runner.finish(script).problems
            noticed += bool(problems)
            old, new = DRIFTS[script.stem]
            said = problems[0].splitlines()[0] if problems else "not noticed"
            print(f"{script.stem}: {old} → {new}\n    {said}", flush=True)
    print(f"{noticed} of {len(DRIFTS)} noticed")
    sys.exit(noticed < NOTICED)


if __name__ == "__main__":
    main()
