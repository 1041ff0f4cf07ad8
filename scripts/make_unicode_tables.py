#!/usr/bin/env python3
"""Writes src/align/unicode_tables.inc: the classes of characters of BERT's tokenizer, asked of the tokenizers library
(which transformers' BertTokenizer is made of) code point by code point. Its Unicode is older than anybody's: what was
assigned since Unicode 8 is neither mark nor punctuation to it, so that no library's tables will do.

usage: make_unicode_tables.py > src/align/unicode_tables.inc       (needs: pip install tokenizers)
"""
import tokenizers
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
OFF = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
clean = BertNormalizer(**{**OFF, "clean_text": True})
ideographs = BertNormalizer(**{**OFF, "handle_chinese_chars": True})
strip = BertNormalizer(**{**OFF, "strip_accents": True})


def between(code):
    return f"x{chr(code)}x"


def words(code):
    return [word for word, _ in BertPreTokenizer().pre_tokenize_str(between(code))]


def ranges(belongs):
    start = last = None
    for code in filter(belongs, SCALARS):
        if start is not None and code != last + 1:
            yield f"{{0x{start:X},0x{last:X}}}"
            start = None
        start = code if start is None else start
        last = code
    yield f"{{0x{start:X},0x{last:X}}}"


def show(name, belongs):
    print(f"constexpr CodeRange {name}[] = {{")
    line = "   "
    for entry in ranges(belongs):
        if len(line) + len(entry) > 118:
            print(line)
            line = "   "
        line += f" {entry},"
    print(line + "};")


print(f"// Made by scripts/make_unicode_tables.py from tokenizers {tokenizers.__version__}; do not edit.")
show("marks", lambda c: strip.normalize_str(between(c)) == "xx")
show("punctuation", lambda c: words(c) == ["x", chr(c), "x"])
show("controls", lambda c: clean.normalize_str(between(c)) == "xx")
show("spaces", lambda c: words(c) == ["x", "x"])
show("ideographs", lambda c: ideographs.normalize_str(between(c)) == f"x {chr(c)} x")
