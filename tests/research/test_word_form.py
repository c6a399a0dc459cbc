"""The record of the word's forms: of the present gateware."""

import json

import word_form


def test_the_record_is_of_the_present_gateware() -> None:
    recorded = json.loads(word_form.RECORD.read_text())
    assert recorded["sources"] == word_form.digest(), "stale: python research/word_form.py"
    assert {part: list(forms) for part, forms in recorded["found"].items()} == {
        part: list(forms) for part, forms in word_form.PARTS.items()
    }


def test_the_page_is_made_of_the_record() -> None:
    page = word_form.RECORD.with_suffix(".md").read_text(encoding="utf-8")
    found = json.loads(word_form.RECORD.read_text())["found"]
    # The versions of the tools are those of the day.
    assert page.split("\n")[4:] == word_form.document(found).split("\n")[4:]
