"""The progress bar's colours and the border at 15 % (CLI-04)."""

from __future__ import annotations

import pytest

from app.features.clients.progress import bar, percent_done


@pytest.mark.parametrize(
    ("running", "enrolled", "to_be_contacted", "colour"),
    [
        (0, 0, 0, "grey"),
        (0, 1000, 500, "grey"),
        (1, 0, 0, "red_empty"),
        (1, 1000, 149, "red"),  # 14.9 %
        (1, 1000, 150, "green"),  # 15 %
        (1, 1000, 151, "green"),  # 15.1 %
        (2, 1000, 0, "red"),
        (1, 1, 1, "green"),
        (1, 20, 3, "green"),  # exactly 15 %, where binary fractions would err
        (1, 10**12, 15 * 10**10 - 1, "red"),
    ],
)
def test_colour(running: int, enrolled: int, to_be_contacted: int, colour: str) -> None:
    assert bar(running, enrolled, to_be_contacted).value == colour


@pytest.mark.parametrize(
    ("enrolled", "left", "percent"), [(0, 0, 0), (3, 3, 0), (3, 1, 66), (1000, 1, 99), (1000, 0, 100), (8, 4, 50)]
)
def test_everybody_means_everybody(enrolled: int, left: int, percent: int) -> None:
    assert percent_done(enrolled, left) == percent
