"""The fenced blocks of the docs say what becomes of them."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests import pages

PAGE = """
# A page

```python file=game/rules.py
speed = 1
```

1. In a list:

   ```python file=game/rules.py append
   speed += 1
   ```

```console output
$ ls game \\
    -1
rules.py
$ true
```

````console server
$ twistd meteor
````

```{note}
A directive is no block.
```
"""


class DocsTests(SynchronousTestCase):
    """All pages that are there."""

    def test_every_block_has_a_rule(self) -> None:
        """No block is without a language or a use, and Python compiles."""
        problems = [block.problem() for page in pages.all_pages() for block in pages.blocks(page)]
        self.assertEqual(list(filter(None, problems)), [])


class BlockTests(SynchronousTestCase):
    """The reading of a page."""

    def page(self, text: str) -> list[pages.Block]:
        """Read the blocks of a page with the text."""
        page = Path(self.mktemp())
        page.write_text(text)
        return pages.blocks(page)

    def test_reads_the_blocks(self) -> None:
        """Each has its line, its language and its use; the text is as it stands, without a list's indent."""
        self.assertEqual(
            [(block.line, block.language, block.use, block.text) for block in self.page(PAGE)],
            [
                (4, "python", "file", "speed = 1\n"),
                (10, "python", "file", "speed += 1\n"),
                (14, "console", "commands", "$ ls game \\\n    -1\nrules.py\n$ true\n"),
                (21, "console", "server", "$ twistd meteor\n"),
            ],
        )
        self.assertEqual([block.problem() for block in self.page(PAGE)], [""] * 4)

    def test_saves_files(self) -> None:
        """A block is saved as its file; one that appends goes on where the last one stopped."""
        folder = Path(self.mktemp())
        for block in self.page(PAGE)[:2]:
            pages.save(block, folder)
        self.assertEqual((folder / "game" / "rules.py").read_text(), "speed = 1\nspeed += 1\n")

    def test_reads_commands(self) -> None:
        """A command may go on over lines; what stands below it is its output."""
        self.assertEqual(
            list(self.page(PAGE)[2].commands()),
            [("ls game \\\n    -1", "rules.py\n"), ("true", "")],
        )

    def test_refuses_blocks_without_a_rule(self) -> None:
        """Each of these would be text that nobody checks."""
        for info, text, problem in (
            ("", "x", "has no language"),
            ("cobol", "x", "is in cobol, for which there is no rule"),
            ("python", "x", "does not say what becomes of it"),
            ("js run", "x", "does not say what becomes of it"),
            ("python rnu", "x", "says rnu, which means nothing here"),
            ("console", "ls", "does not start with a command"),
            ("python shown", "x = = y", "invalid syntax"),
        ):
            (block,) = self.page(f"```{info}\n{text}\n```\n")
            self.assertIn(problem, block.problem())
