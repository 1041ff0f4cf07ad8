#!/usr/bin/env python3
"""Writes what transformers makes of a model directory's small files, for tests/align to compare with:
tests/golden/wordpiece/code_points.json   every code point in BERT's normalizer, as hashes
tests/golden/wordpiece/options.json       BertTokenizer with the settings of tokenizer_config.json
tests/golden/tokenizer_json/              a tokenizer.json as transformers writes it, and what it gives when changed
tests/golden/preprocessing.json           EfficientNetImageProcessor (that of pillow) with keys left out

usage: make_align_golden.py               (needs: pip install transformers torch pillow; without torchvision)
"""
import hashlib
import json
import pathlib

import numpy
from tokenizers import Tokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import BertTokenizer
from transformers.models.efficientnet.image_processing_pil_efficientnet import EfficientNetImageProcessorPil

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "tests/golden"

# Letters whose case or decomposition came with Unicode 13 (U+11938) or 16 and later: some of the libraries know them.
LEFT_OUT = [(0x1C89, 0x1C8A), (0xA7CB, 0xA7DC), (0x105C9, 0x105E4), (0x10D50, 0x10D85), (0x11383, 0x113C8),
            (0x11938, 0x11938), (0x16121, 0x16128), (0x16D68, 0x16D6A), (0x16EA0, 0x16ED3)]

TEXTS = ["Metal Nut", "Café São Ångström ÉCOLE", "e\u0301 E\u0301", "\u0130stanbul ISIK", "\u4e2d\u6587 text\u4e2d\u6587",
         "\uf900\ufa10 \U0002f800", "\u65e5\u672c\u8a9e", "[MASK] [mask] a[SEP]b", "\ufb01n \u212b \u1e9e \u03a3\u03a3",
         "zero\u200bwidth\u00a0no-break", "\U000e0001tag\U000e0100", "unassigned \u0378 \U000e0fff", "A_b-C!", "",
         "\u0041\u030a\u0323 \u1e0b\u0323", "tab\tline\nfeed\x07bell", "\ud55c\uad6d\uc5b4 \u304c"]


def write(name, document, **how):
    path = GOLDEN / name
    path.write_text(json.dumps(document, ensure_ascii=True, **how) + "\n")


def code_points():
    """The words of "xAxBx…x" of 64 code points each, hashed for each 4096 of them."""
    def left_out(code):
        return 0xD800 <= code < 0xE000 or any(first <= code <= last for first, last in LEFT_OUT)

    hashes = []
    for lowercase in (True, False):
        for strip in (True, False):
            normalizer = BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=strip, lowercase=lowercase)
            all_blocks = ""
            for block in range(0, 0x110000, 0x1000):
                digest = hashlib.sha256()
                for start in range(block, block + 0x1000, 64):
                    chars = [chr(c) for c in range(start, start + 64) if not left_out(c)]
                    text = "x" + "".join(char + "x" for char in chars)
                    words = BertPreTokenizer().pre_tokenize_str(normalizer.normalize_str(text))
                    digest.update(("\x1f".join(word for word, _ in words) + "\n").encode())
                all_blocks += digest.hexdigest()[:8]
            hashes.append({"do_lower_case": lowercase, "strip_accents": strip, "blocks": all_blocks})
    write("wordpiece/code_points.json", {"left_out": LEFT_OUT, "hashes": hashes}, indent=0)


def options():
    vocabulary = str(GOLDEN / "wordpiece/vocab.txt")
    cases = []
    for config in ({}, {"do_lower_case": False}, {"strip_accents": False}, {"do_lower_case": False, "strip_accents": True},
                   {"tokenize_chinese_chars": False}, {"do_lower_case": True, "strip_accents": None}):
        tokenizer = BertTokenizer.from_pretrained(pathlib.Path(vocabulary).parent, **config)
        cases.append({"config": config, "ids": [tokenizer(text)["input_ids"] for text in TEXTS]})
    write("wordpiece/options.json", {"texts": TEXTS, "cases": cases})


def tokenizer_json():
    pieces = ["a", "broken", "metal", "nut", "##s", "caf", "##e", "##\u00e9", "cafe", "Metal", "M", "##etal", "e", "\u4e2d",
              "\u6587", "\u4e2d\u6587", "##\u6587", "[", "]", "mask", "-", "o", "##o", "b", "##b", "\u00e9", "x", "##x"]
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    folder = GOLDEN / "tokenizer_json"
    BertTokenizer(vocab={token: i for i, token in enumerate(names + pieces)}).save_pretrained(folder)
    whole = json.loads((folder / "tokenizer.json").read_text())
    texts = ["a Broken metal nuts", "CAFÉ café cafe", "Metal nut", "中文", "a中b", "[MASK] [mask]", "x\u200bx b-o", "boooo",
             "", "what", "e\u0301", "a\u0007b", "oxxo"]
    patches = [{}, {"normalizer": {"lowercase": False}}, {"normalizer": {"strip_accents": False}},
               {"normalizer": {"lowercase": False, "strip_accents": True}}, {"normalizer": {"handle_chinese_chars": False}},
               {"normalizer": {"clean_text": False}}, {"normalizer": None}, {"model": {"max_input_chars_per_word": 3}},
               {"model": {"continuing_subword_prefix": ""}}, {"model": {"unk_token": "x"}},
               {"post_processor": {"type": "BertProcessing", "sep": ["b", 28], "cls": ["a", 5]}}]
    cases = []
    for patch in patches:
        document = json.loads(json.dumps(whole))
        for key, value in patch.items():
            replaced = value is None or "type" in value
            document[key] = value if replaced else {**document[key], **value}
        tokenizer = Tokenizer.from_str(json.dumps(document))
        cases.append({"patch": patch, "ids": [tokenizer.encode(text).ids for text in texts]})
    write("tokenizer_json/expected.json", {"texts": texts, "cases": cases})


def preprocessing():
    picture = numpy.array([[[0, 51, 255], [200, 127, 3]]], numpy.uint8)  # 1 x 2
    documents = [{}, {"image_mean": 0.5}, {"include_top": False}, {"do_normalize": False}, {"rescale_offset": True},
                 {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]},
                 {"image_mean": 0.25, "image_std": 0.125, "include_top": False}, {"do_rescale": False, "include_top": False},
                 {"do_rescale": False, "image_mean": [127.0] * 3, "image_std": [128.0] * 3},
                 {"rescale_factor": 1 / 127.5, "rescale_offset": True, "do_normalize": False, "include_top": False},
                 {"do_normalize": False, "include_top": False}, {"do_normalize": False, "image_std": [0.1, 0.2, 0.3]}]
    cases = []
    for document in documents:
        processor = EfficientNetImageProcessorPil(**document, do_resize=False, do_center_crop=False)
        values = processor(picture, return_tensors="pt", input_data_format="channels_last")["pixel_values"][0]
        cases.append({"document": document, "values": [round(v, 6) for v in values.permute(1, 2, 0).flatten().tolist()]})
    write("preprocessing.json", {"picture": picture.flatten().tolist(), "cases": cases})


code_points()
options()
tokenizer_json()
preprocessing()
