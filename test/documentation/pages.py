# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The commands and programs of the documentation, as they stand on its pages."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', ROOT / 'SECURITY.md',
    ROOT / 'QUALITY_DECLARATION.md', ROOT / 'training' / 'README.md',
    *sorted((ROOT / 'docs').rglob('*.md')),
]  # fmt: skip
PAGES = [page for page in PAGES if page.is_file()]
FENCE = re.compile(r'^```(\w*)\n(.*?)^```', re.MULTILINE | re.DOTALL)
INLINE = re.compile(r'`((?:python -m |headpose |make |\.ci/)[^`]+)`')
ENDS_A_COMMAND = ('|', '||', '&&', ';', '&')


def name(page):
    return str(page.relative_to(ROOT))


def blocks(page, language):
    """Return the texts of a page's fenced blocks in a language; '' for commands."""
    return [text for given, text in FENCE.findall(page.read_text()) if given == language]


def commands(page):
    """Return all commands in a page's blocks, in order, each as its words."""
    found = []
    for block in blocks(page, ''):
        for line in block.replace('\\\n', ' ').splitlines():
            words = shlex.split(line, comments=True)
            while words:
                end = next((i for i, w in enumerate(words) if w in ENDS_A_COMMAND), len(words))
                found.append(words[:end])
                words = words[end + 1 :]
    return [words for words in found if words]


def inline_commands(page):
    """Return the commands within a page's sentences, with the page's placeholders in capitals."""
    prose = FENCE.sub('', page.read_text())
    return [' '.join(text.split()) for text in INLINE.findall(prose)]
