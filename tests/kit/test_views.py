"""The generated pages, where one entity shows what holds for all."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.security.principal import system
from app.features.contacts.models import Contact
from app.kit.exporting import neutral, plain
from tests.factories import clients, contacts


@pytest.fixture
def people(app: Any) -> dict[str, int]:
    """Two clients: "Wool" with three contacts, of whom one has a percent sign in the company, and "Yarn" with one."""
    with app.app_context():
        database = app.extensions["sqlalchemy"]
        wool, yarn = clients.client(name="Wool"), clients.client(name="Yarn")
        for name, company in (("Ann", "100% 'Wool'"), ("Bob", "100 Wool"), ("Cy", "=1+1")):
            contacts.contact(wool, first_name=name, company=company, phone="+44 20 7946 0001")
        contacts.contact(yarn, first_name="Di", company="Yarn")
        database.session.commit()
        return {"wool": wool.id, "yarn": yarn.id}


def left(app: Any) -> set[str]:
    with app.app_context(), system("test"):
        return set(app.extensions["sqlalchemy"].session.scalars(sa.select(Contact.first_name)))


def test_all_matching_means_exactly_the_rows_of_the_filtered_list(app: Any, admin: Any, people: dict[str, int]) -> None:
    url = "/contacts/action_post?action=delete"
    admin.post(url, data={"all": "1", "f": f"client:eq:{people['wool']}", "q": "100% 'Wool'"})
    assert left(app) == {"Bob", "Cy", "Di"}
    admin.post(url, data={"all": "1", "f": f"client:eq:{people['wool']}"})
    assert left(app) == {"Di"}


def test_a_wrong_filter_never_widens_all_matching(app: Any, admin: Any, people: dict[str, int]) -> None:
    url = "/contacts/action_post?action=delete"
    for wrong in ({"f": "nosuch:eq:1"}, {"f": "client:eq:x"}, {"filter": "{"}, {"page": "x"}):
        assert admin.post(url, data={"all": "1", **wrong}).status_code == 400
    assert admin.post(url, data={}).status_code == 400
    assert admin.post(url, data={"ids": "1,x"}).status_code == 400
    assert left(app) == {"Ann", "Bob", "Cy", "Di"}


def test_an_export_holds_the_filtered_rows_and_no_formula(app: Any, admin: Any, people: dict[str, int]) -> None:
    answer = admin.get(f"/contacts/export.csv?f=client:eq:{people['wool']}")
    rows = list(csv.DictReader(StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert {row["first_name"] for row in rows} == {"Ann", "Bob", "Cy"}
    assert [row["company"] for row in rows if row["first_name"] == "Cy"] == ["'=1+1"]
    assert all(row["phone"].startswith("'+44") for row in rows)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="contacts.csv"'
    assert admin.get("/contacts/export.csv?f=client:eq:x").status_code == 400


def test_the_export_of_clients_is_the_tab_that_is_open(app: Any, admin: Any, people: dict[str, int]) -> None:
    admin.post(f"/clients/action/switch_off/{people['yarn']}")
    assert "Yarn" not in admin.get("/clients/export.csv").get_data(as_text=True)
    assert "Yarn" in admin.get("/clients/export.csv?tab=inactive").get_data(as_text=True)
    assert "Wool" not in admin.get("/clients/export.csv?f=health:eq:bad").get_data(as_text=True)


@pytest.mark.parametrize("text", ["=1", "+44", "-x", "@a", "\tx", "＝1", "plain", "'quoted", "", "'=1"])
def test_what_is_neutralised_comes_back_as_it_was(text: str) -> None:
    assert not neutral(text).startswith(("=", "+", "-", "@", "\t", "＝"))
    assert plain(neutral(text)) == text or text == "'=1"


def test_codes_are_searched_by_name_and_code_in_the_user_s_language(app: Any, admin: Any) -> None:
    assert admin.get("/codes/country?q=germ").get_json()["results"] == [{"id": "DE", "text": "Germany"}]
    assert admin.get("/codes/country?q=de").get_json()["results"][0]["id"] == "DE"
    assert {"id": "Europe/London", "text": "Europe/London"} in admin.get("/codes/time_zone?q=london").get_json()[
        "results"
    ]
    assert admin.get("/codes/nosuch?q=x").status_code == 404
    assert app.test_client().get("/codes/country?q=germ").status_code == 401


def test_compressed_files_are_served_to_whoever_takes_them(app: Any, client: Any) -> None:
    packed = client.get("/static/vendor/steward.css", headers={"Accept-Encoding": "gzip"}, buffered=True)
    bare = client.get("/static/vendor/steward.css", headers={"Accept-Encoding": "identity"}, buffered=True)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in bare.headers
    assert len(packed.data) < len(bare.data) / 2
    assert packed.mimetype == bare.mimetype == "text/css"
    hashed = client.get("/static/vendor/steward.css?v=1", buffered=True)
    assert "immutable" in hashed.headers["Cache-Control"]
    assert client.get("/static/../config.py").status_code == 404


def test_all_matching_of_too_many_rows_changes_none(
    app: Any, admin: Any, people: dict[str, int], monkeypatch: Any
) -> None:
    monkeypatch.setattr("app.kit.views.writing.MAX_SELECTED", 3)
    assert admin.post("/contacts/action_post?action=delete", data={"all": "1"}).status_code == 400
    assert left(app) == {"Ann", "Bob", "Cy", "Di"}
