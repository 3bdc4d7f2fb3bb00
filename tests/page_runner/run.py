"""What running a page gave; all that the runner needs to know to judge and keep it."""

from dataclasses import dataclass, field

from nbformat import NotebookNode

from page_runner.claims import Claim

PICTURES = ("image/svg+xml", "image/png", "image/jpeg")  # the first is published

MAX_MESSAGE = 10_000  # letters of a message that somebody is to read


def shortened(text: str) -> str:
    """A message without its middle, where it is too long to be read."""
    half = MAX_MESSAGE // 2
    if len(text) <= MAX_MESSAGE:
        return text
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} letters ...]\n{text[-half:]}"


@dataclass
class Failure:
    """What stopped a page: an exception, and the line of the script it came from."""

    line: int
    kind: str
    message: str
    traceback: str = ""


@dataclass(frozen=True)
class Complaint:
    """Something that a page may not do or suffer, and the line that it came from."""

    line: int
    kind: str  # the category of a warning, or words: "error in a thread"
    message: str
    is_warning: bool = False
    is_hidden: bool = (
        False  # by plain Python, as what one library deprecates for another
    )

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


@dataclass
class Run:
    """What running a page gave."""

    outputs: dict[int, list[NotebookNode]] = field(default_factory=dict)
    failure: Failure | None = None
    failed_cell: int | None = None
    figures: dict[int, list[str]] = field(default_factory=dict)  # what each shows
    warnings: list[Complaint] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    claims: dict[int, Claim] = field(default_factory=dict)  # asserts that ran, by line
    unclaimed: list[int] = field(default_factory=list)  # lines of those that did not
    seconds: float = 0.0
    result: float | None = None
    data: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)  # load.py's COPIES
    files: dict[str, str] = field(default_factory=dict)  # published, by name
    versions: dict[str, str] = field(default_factory=dict)
    device_name: str = ""
    on_gpu: bool = False
    processor: str = ""  # and its instruction set: `AMD EPYC, AVX512`

    def printed(self) -> dict[int, str]:
        """What each code cell printed or showed as text (its stdout and last value)."""
        return {number: text_of(outputs) for number, outputs in self.outputs.items()}

    def written(self) -> dict[int, str]:
        """What each code cell wrote to stderr; warnings are in `warnings`."""
        return {number: stderr_of(outputs) for number, outputs in self.outputs.items()}

    def drawn(self) -> dict[int, str]:
        """What the figures of each code cell show."""
        return {number: "\n".join(shown) for number, shown in self.figures.items()}


def text_of(outputs: list[NotebookNode]) -> str:
    """The comparable text of a cell: its stdout, and values that are not pictures."""
    parts = []
    for output in outputs:
        if output.output_type == "stream":
            parts.append(output.text if output.name == "stdout" else "")
        elif not any(kind in PICTURES for kind in output.data):
            parts.append(output.data.get("text/plain", "") + "\n")
    return "".join(parts)


def stderr_of(outputs: list[NotebookNode]) -> str:
    """What a cell wrote to stderr."""
    return "".join(out.text for out in outputs if out.get("name") == "stderr")
