"""The progress bar (CLI-04): its colour and its length, from whole numbers."""

from __future__ import annotations

from app.features.clients.enums import Bar

LOW_PERCENT = 15  # of the enrolments in running campaigns, below which there is soon nobody left to contact


def bar(running_campaigns: int, enrolled: int, to_be_contacted: int) -> Bar:
    """Grey without a running campaign; red with nobody enrolled, or fewer than 15 % left to contact; else green."""
    if not running_campaigns:
        return Bar.GREY
    if not enrolled:
        return Bar.RED_EMPTY
    return Bar.GREEN if 100 * to_be_contacted >= LOW_PERCENT * enrolled else Bar.RED


def percent_done(enrolled: int, to_be_contacted: int) -> int:
    """Contacted enrolments in percent, rounded down, so that 100 means everybody; 0 with nobody enrolled."""
    return 100 * (enrolled - to_be_contacted) // enrolled if enrolled else 0
