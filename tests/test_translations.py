"""Every text of the product has its German one, and the pages say it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from flask_babel import force_locale

from app.kit import registry
from app.kit.fields import in_sentence, label_of
from tests.infra.databases import ADMIN_PASSWORD
from tools import messages

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%")


@pytest.fixture(scope="module")
def source() -> Catalog:
    return messages.template()


@pytest.fixture(scope="module")
def german() -> Catalog:
    return messages.read(messages.TRANSLATIONS / "de" / "LC_MESSAGES" / "messages.po")


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    messages.compile_all()


def texts(value: Any) -> list[str]:
    """The forms of a text: one, or singular and plural."""
    return list(value) if isinstance(value, list | tuple) else [value]


def test_every_text_is_translated(source: Catalog, german: Catalog) -> None:
    missing = [m.id for m in source if m.id and (m.id not in german or not messages.translated(german[m.id]))]
    assert not missing, "make messages, then translate these"


def test_no_translation_is_left_over(source: Catalog, german: Catalog) -> None:
    assert not [m.id for m in german if m.id and m.id not in source], "make messages removes these"


def test_translations_keep_the_placeholders(german: Catalog) -> None:
    """A placeholder that is lost or misspelt would break the page that shows the text."""
    wrong = []
    for message in german:
        if not message.id:
            continue
        for original, translated in zip(texts(message.id), texts(message.string), strict=True):
            if sorted(PLACEHOLDER.findall(original)) != sorted(PLACEHOLDER.findall(translated)):
                wrong.append((original, translated))
    assert not wrong


def test_labels_made_from_column_names_are_in_the_catalogue(app: Any, german: Catalog) -> None:
    with app.test_request_context():
        names = {(r.name, n): str(label_of(n, r.labels)) for r in registry.resources() for n in messages.names_of(r)}
    assert names[("contact", "job_title")] == "Job title"
    assert not {key: label for key, label in names.items() if label not in german}


def test_the_first_page_speaks_german_when_asked_to_and_english_again(admin: Any) -> None:
    assert "Search clients" in admin.get("/clients/").text
    assert admin.get("/lang/de").status_code == 302
    page = admin.get("/clients/").text
    assert '<html lang="de"' in page
    assert "Kunden suchen" in page and "Search clients" not in page
    for word in ("Kampagnen", "Papierkorb", "Änderungsprotokoll", "Abmelden"):
        assert word in page
    assert "Vorname" in admin.get("/contacts/add").text
    assert "Noch keine Kontakte" in admin.get("/contacts/").text
    admin.get("/lang/en")
    assert "Search clients" in admin.get("/clients/").text


def test_the_menu_of_the_user_offers_both_languages(admin: Any) -> None:
    page = admin.get("/clients/").text
    assert re.search(r'href="/lang/de"[^>]*>.*?Deutsch', page, re.S)
    assert re.search(r'href="/lang/en"[^>]*aria-current="true"', page)


def test_the_language_outlives_signing_out_and_in(client: Any) -> None:
    client.get("/lang/de")
    assert "Anmelden" in client.get("/login/").text
    client.post("/login/", data={"username": "admin", "password": ADMIN_PASSWORD})
    assert "Kunden suchen" in client.get("/clients/").text
    client.get("/logout/")
    assert "Anmelden" in client.get("/login/").text


def test_the_api_speaks_the_language_it_is_asked_for(admin: Any) -> None:
    told = admin.get("/api/v1/contact/999999?_l_=de").get_json()
    assert told["detail"] == "Hier ist nichts."


def test_nouns_inside_a_sentence_keep_their_capital_in_german_only(app: Any) -> None:
    contacts = registry.get("contact").plural
    with app.test_request_context():
        with force_locale("en"):
            assert in_sentence(contacts) == "contacts"
        with force_locale("de"):
            assert in_sentence(contacts) == "Kontakte"
