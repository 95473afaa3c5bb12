"""Which blocks of a document are run, and what is compared of their outputs."""

from __future__ import annotations

import subprocess

import pytest

from tests.docs.__main__ import rewritten
from tests.docs.blocks import blocks, examples
from tests.docs.running import outputs, shape

PAGE = """Say it:

```bash
word=hello
```

<!-- needs: an hour -->
```bash
sleep 3600
```

```bash
echo "$word 1.5 times"
```

```text
hello 2.25 times
```
"""


def test_a_block_is_run_unless_the_comment_before_it_says_what_it_needs() -> None:
    assert [example.commands for example in examples(PAGE)] == ["word=hello\n", 'echo "$word 1.5 times"\n']
    assert [block.needs for block in blocks(PAGE)] == [None, "an hour", None, None]


def test_the_blocks_of_a_document_share_a_shell() -> None:
    assert outputs(examples(PAGE)) == ["", "hello 1.5 times"]


def test_a_command_that_fails_says_why() -> None:
    failing = examples("```bash\necho lost >&2; false\n```\n")

    with pytest.raises(subprocess.CalledProcessError) as failed:
        outputs(failing)

    assert failed.value.__notes__ == ["lost\n"]


def test_numbers_may_differ_from_what_is_shown_and_words_may_not() -> None:
    assert shape("in 1.5 s, 2 orders", "text") == shape("in 12 s, 10,000 orders", "text")
    assert shape("in 1.5 s", "text") != shape("in 1.5 minutes", "text")
    assert shape("1 done", "text") != shape("2 done", "text"), "a line's first word is what the line is of"


def test_a_document_shows_what_its_commands_print_when_it_is_written_anew() -> None:
    assert rewritten(PAGE) == PAGE.replace("2.25", "1.5")


def test_json_is_compared_by_its_keys_all_the_way_down() -> None:
    assert shape('{"a": [{"b": 1}]}', "json") == shape('{"a": [{"b": "x"}]}', "json")
    assert shape('{"a": [{"b": 1}]}', "json") != shape('{"a": [{"c": 1}]}', "json")
