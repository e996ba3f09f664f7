"""A wrong name in a declaration is an error at start-up that names the resource, the name and the nearest right one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.features.contacts.resources import CONTACTS
from app.kit.checks import BadDeclaration, check, require_sound
from app.kit.resource import RowAction, Section, Trash


def test_the_declarations_of_the_product_are_sound() -> None:
    assert check(CONTACTS) == []


@pytest.mark.parametrize(
    ("change", "wrong", "right"),
    [
        ({"list": ("name", "compny")}, "compny", "company"),
        ({"filters": ("statsu",)}, "statsu", "status"),
        ({"search": ("emial",)}, "emial", "email"),
        ({"form": (Section("Person", "first_nam"),)}, "first_nam", "first_name"),
        ({"sort": "-crated_at"}, "crated_at", "created_at"),
        ({"trash": Trash(cascade=("enrolment",))}, "enrolment", "enrolments"),
        ({"parent": "clint"}, "clint", "client"),
        ({"area": "peopel"}, "peopel", "people"),
        ({"rights": {"Manger": "see"}}, "Manger", "Manager"),
        ({"rights": {"Agent": "sea"}}, "sea", "see"),
        ({"unique": (("client", "e_mail"),)}, "e_mail", "email"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_name_is_told_with_the_nearest_right_one(change: dict[str, Any], wrong: str, right: str) -> None:
    found = check(replace(CONTACTS, **change))
    assert len(found) == 1
    assert found[0].startswith("contact: ")
    assert repr(wrong) in found[0]
    assert repr(right) in found[0]


def test_all_problems_are_told_at_once_and_stop_the_start() -> None:
    broken = replace(CONTACTS, list=("nam",), area="nowhere", url="contacts/")
    with pytest.raises(BadDeclaration) as refused:
        require_sound([broken, replace(CONTACTS, name="other")])
    assert len(str(refused.value).splitlines()) >= 3


def test_two_resources_may_not_share_a_name_or_an_address() -> None:
    with pytest.raises(BadDeclaration, match="Two resources"):
        require_sound([CONTACTS, CONTACTS])


def test_actions_are_verbs_that_roles_can_be_given() -> None:
    verbs = replace(CONTACTS, actions=(RowAction("call", "Call", run=lambda row, *, actor: ""),)).verbs()
    assert verbs[-1] == "call"
    assert "see" in verbs
