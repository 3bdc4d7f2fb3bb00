"""What a reader is asked before a cell's output is shown, and which answer is right."""

import re
from dataclasses import dataclass

from page_runner.compare import tokenize

ASK = "What will it print?"


@dataclass(frozen=True)
class Prediction:
    """The question of a cell tagged `predict`, as its marker has it."""

    why: str  # shown with the output
    answers: tuple[str, ...] = ()  # to choose from; none where a number is typed
    ask: str = ASK

    def right_ones(self, printed: str) -> list[str]:
        """The answers that a cell's output bears out: one, if all is well.

        Of answers to choose from, those that occur in it, as whole words and numbers
        and with any white space. Where a number is typed, all that were printed.
        """
        if not self.answers:
            return [one.text for one in tokenize(printed) if one.kind != "word"]
        text = " ".join(printed.split())
        return [answer for answer in self.answers if _occurs(answer, text)]

    def problem(self, printed: str) -> str | None:
        """What is wrong with the question, now that the output is known."""
        right = self.right_ones(printed)
        if len(right) == 1:
            return None
        if not self.answers:
            found = f"it asks for a number, and its output has {len(right)}"
            return f"{found}: print one, or give `answers` to choose from"
        which = ", ".join(map(repr, right)) or "none"
        return f"of its answers, {which} occur in its output: exactly one is right"


def _occurs(answer: str, text: str) -> bool:
    """Whether a text has an answer in it, and not as a part of a word or number."""
    whole = r"(?<![\w.])" + re.escape(" ".join(answer.split())) + r"(?!\w|\.\d)"
    return re.search(whole, text) is not None
