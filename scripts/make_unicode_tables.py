#!/usr/bin/env python3
"""Writes src/align/unicode_tables.inc: what BERT's uncased tokenizer needs to know of Unicode, from Python's unicodedata.

usage: make_unicode_tables.py > src/align/unicode_tables.inc
"""
import sys
import unicodedata

LAST = 0x30000  # planes 0 to 2; beyond lie no letters with case or accents
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic


def plain(char):
    """Lower case, decomposed, without combining marks."""
    decomposed = unicodedata.normalize("NFD", char.lower())
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")


def ranges(belongs):
    start = None
    for code in range(LAST + 1):
        inside = code < LAST and belongs(unicodedata.category(chr(code)))
        if inside and start is None:
            start = code
        if not inside and start is not None:
            yield f"{{0x{start:X},0x{code - 1:X}}}"
            start = None


def show(name, kind, entries):
    print(f"constexpr {kind} {name}[] = {{")
    line = "   "
    for entry in entries:
        if len(line) + len(entry) > 118:
            print(line)
            line = "   "
        line += f" {entry},"
    print(line + "};")


print(f"// Made by scripts/make_unicode_tables.py from Unicode {unicodedata.unidata_version}; do not edit.")
mapping = []
for code in range(0x80, LAST):
    char = chr(code)
    if code in HANGUL or unicodedata.category(char) in ("Mn", "Cs") or plain(char) == char:
        continue
    target = [ord(c) for c in plain(char)]
    if len(target) > 3:
        sys.exit(f"U+{code:X} becomes {len(target)} characters")
    mapping.append(f"{{0x{code:X},{{{','.join(f'0x{c:X}' for c in target)}}}}}")
show("plain_forms", "PlainForm", mapping)
show("combining_marks", "CodeRange", ranges(lambda category: category == "Mn"))
show("punctuation", "CodeRange", ranges(lambda category: category.startswith("P")))
show("controls", "CodeRange", ranges(lambda category: category.startswith("C")))
show("spaces", "CodeRange", ranges(lambda category: category.startswith("Z")))
