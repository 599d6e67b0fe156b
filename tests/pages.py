"""The fenced blocks of the README and of docs/, which the tests run where they stand.

A block's info string is its language and what becomes of it:

    ```python file=mygame.py       saved in the page's folder; `append` adds to what an earlier block saved
    ```python run                  run by Python in that folder
    ```console                     each line after "$ " is a command; it must succeed in that folder
    ```console output              the same, and what it prints must be what stands below it ("..." fits anything)
    ```console server              the command runs on until the end of the page, and must listen soon
    ```python shown                only looked at, but Python must compile
    ```text                        only looked at, as are cddl and json

All blocks of a page share one folder and are done in order. A block that says nothing of this is an error.
Commands of `make` are done in the repository. Where a page says port 8080, 8443 or 9000 the tests take a free one.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Literal

from tests.requirements import REPOSITORY

Use = Literal["file", "run", "commands", "server", "shown"]

FENCE = re.compile(r"^( *)(`{3,}|~{3,}) *([^\n]*)\n(.*?)^\1\2[`~]* *$", re.MULTILINE | re.DOTALL)
FILES: set[Use] = {"file", "shown"}
USES: dict[str, set[Use]] = {
    "python": FILES | {"run"},
    "console": {"commands", "server", "shown"},
    **dict.fromkeys(("js", "html", "css", "toml", "ini", "text", "cddl", "json"), FILES),
}
SHOWN_BY_DEFAULT = {"text", "cddl", "json"}


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, what it says of itself, and its text."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def where(self) -> str:
        """Name the block's place as editors do."""
        return f"{self.page.name}:{self.line}"

    @property
    def file(self) -> str:
        """Name the file that the block is saved as; empty for none."""
        return next((word.removeprefix("file=") for word in self.words if word.startswith("file=")), "")

    @property
    def use(self) -> Use | None:
        """Tell what becomes of the block; None if it does not say."""
        if self.file:
            return "file"
        if self.language in SHOWN_BY_DEFAULT or "shown" in self.words:
            return "shown"
        if self.language == "console":
            return "server" if "server" in self.words else "commands"
        return "run" if "run" in self.words else None

    def commands(self) -> Iterator[tuple[str, str]]:
        """Yield each command of a console block with the output that stands below it."""
        for entry in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, _, output = entry.partition("\n")
            while command.endswith("\\"):
                more, _, output = output.partition("\n")
                command = f"{command}\n{more}"
            yield command, output

    def problem(self) -> str:
        """Tell what is wrong with the block, and where; empty for nothing."""
        known = {"append", "output", "run", "server", "shown", f"file={self.file}"}
        if not self.language:
            return f"{self.where} has no language"
        if self.language not in USES:
            return f"{self.where} is in {self.language}, for which there is no rule"
        if unknown := set(self.words) - known:
            return f"{self.where} says {', '.join(sorted(unknown))}, which means nothing here"
        if self.use not in USES[self.language]:
            return f"{self.where} does not say what becomes of it: file=..., run or shown"
        if self.use in {"commands", "server"} and not self.text.startswith("$ "):
            return f"{self.where} does not start with a command"
        return self._syntax_error() if self.language == "python" else ""

    def _syntax_error(self) -> str:
        try:
            # A block that goes on inside a class is indented.
            compile(dedent(self.text), self.where, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except SyntaxError as error:
            return f"{self.where}: {error}"
        return ""


def all_pages() -> list[Path]:
    """List the README and the pages of docs/."""
    built = REPOSITORY / "docs" / "_build"
    found = (page for page in (REPOSITORY / "docs").rglob("*.md") if built not in page.parents)
    return [page for page in (REPOSITORY / "README.md", *sorted(found)) if page.exists()]


def blocks(page: Path) -> list[Block]:
    """List the fenced blocks of a page, without the directives of Sphinx."""
    text = page.read_text(encoding="utf-8")
    return [
        _block(page, text.count("\n", 0, fence.start()) + 1, *fence.group(1, 3, 4))
        for fence in FENCE.finditer(text)
        if not fence[3].startswith("{")
    ]


def save(block: Block, folder: Path, text: str | None = None) -> None:
    """Save a block as the file that it names; the text may be given anew."""
    path = folder / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if "append" in block.words else "w", encoding="utf-8") as file:
        file.write(block.text if text is None else text)


def _block(page: Path, line: int, indent: str, info: str, text: str) -> Block:
    language, *words = info.split() or [""]
    return Block(page, line, language, tuple(words), re.sub(f"^{indent}", "", text, flags=re.MULTILINE))
