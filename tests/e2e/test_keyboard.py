"""What the keyboard does, where the focus is, and what a thumb can reach."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from app.core.db import db
from app.features.contacts.models import Contact
from tests.factories import campaigns, clients, contacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from tests.e2e.console import Console, Visitor

pytestmark = pytest.mark.browser

NAMES = ("Ada Abel", "Bela Bauer", "Cara Cohn", "Dora Dahl")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# What can be pressed, with the box that a finger meets: a label counts with its check box.
SMALL = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter(node => node.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .filter(node => !node.closest(".visually-hidden, .skip") && !node.matches(".visually-hidden"))
    .filter(node => !node.matches("td a, td .cell-link, dd a, p a, .crumbs a, .foot a, .ts-control input"))
    .map(node => node.closest("label, td.pick, .switch") ?? node)
    .map(node => ({node, box: node.getBoundingClientRect()}))
    .filter(({box}) => box.width > 0 && (box.width < 43.5 || box.height < 43.5))
    .map(({node, box}) => `${node.outerHTML.slice(0, 90)} ${Math.round(box.width)} x ${Math.round(box.height)}`)"""
RING = """node => { const style = getComputedStyle(node);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 || style.boxShadow !== "none"; }"""


@pytest.fixture(scope="module")
def rows(console: Console) -> dict[str, int]:
    """Two clients, four contacts of the first, of which the first two are of London."""
    with console.acting():
        client, other = clients.client(name="Acme Solar"), clients.client(name="Beta Dental")
        found = {"client": client.id, "other": other.id}
        for number, name in enumerate(NAMES):
            first, last = name.split()
            city = "London" if number < 2 else "Oslo"
            found[first] = contacts.contact(client, first_name=first, last_name=last, city=city).id
        campaigns.mail_account(client)
        db.session.flush()
        return found


def current(page: Page) -> Locator:
    return page.locator("tr[data-row].is-current")


def test_a_list_by_keyboard(visit: Callable[..., Visitor], rows: dict[str, int]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.goto("/contacts/")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search contacts")
    expect(search).to_be_focused()
    page.keyboard.type("jx")
    expect(search).to_have_value("jx")  # keys are text while one types
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(current(page)).to_contain_text(NAMES[0])
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(current(page)).to_contain_text(NAMES[1])
    expect(page.locator(":focus")).to_have_text(NAMES[1])
    assert page.locator(":focus").evaluate(RING) or current(page).locator("td").first.evaluate(RING)
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("1 selected")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+x")
    expect(page.locator("[data-bulk-count]")).to_have_text("3 selected")
    page.reload()
    expect(page.locator("[data-bulk-count]")).to_have_text("3 selected")
    page.keyboard.press("Escape")
    expect(page.locator("form[data-bulk]")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/contacts/{rows['Ada']}$"))


def test_keys_and_palette(visit: Callable[..., Visitor], rows: dict[str, int]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.goto("/contacts/")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Next row")
    stays_inside(page, keys)
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    opener = page.get_by_role("button", name="Search and commands")
    opener.focus()
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search pages and records")
    expect(box).to_be_focused()
    page.keyboard.type("camp")
    expect(page.get_by_role("option", selected=True)).to_have_text("Campaigns")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("camp")
    expect(page.get_by_role("option", selected=True)).to_have_text("Campaigns")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/campaigns/$"))


def stays_inside(page: Page, dialog: Locator) -> None:
    """Tab goes round inside a modal dialog (or to the browser's own bar), never to the page behind."""
    for key in ["Tab"] * 5 + ["Shift+Tab"] * 5:
        page.keyboard.press(key)
        assert dialog.evaluate(
            "node => node.contains(document.activeElement) || document.activeElement === document.body"
        )


def test_a_dialog_keeps_the_focus_and_gives_it_back(visit: Callable[..., Visitor], rows: dict[str, int]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.goto(f"/contacts/{rows['Dora']}")
    delete = page.get_by_role("link", name="Delete")
    delete.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    safe = dialog.get_by_role("link", name="Keep")
    expect(safe).to_be_focused()
    assert safe.evaluate(RING)
    stays_inside(page, dialog)
    safe.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(delete).to_be_focused()
    expect(page).to_have_url(re.compile(f"/contacts/{rows['Dora']}$"))


def test_a_form_is_saved_by_keyboard_and_guards_what_is_not(
    console: Console, visit: Callable[..., Visitor], rows: dict[str, int]
) -> None:
    visitor = visit()
    page = visitor.page
    visitor.goto("/contacts/add")
    page.keyboard.press("Control+Enter")
    page.get_by_role("alert").first.get_by_role("link", name="Client").click()
    picker = page.get_by_role("combobox", name="Client", exact=True)
    expect(picker).to_be_focused()
    assert picker.evaluate("node => node.localName") == "input", "the control one sees"
    page.keyboard.type("beta")
    expect(page.locator(".ts-dropdown").get_by_role("option")).to_have_text(["Beta Dental"])
    page.keyboard.press("Enter")
    page.get_by_label("First name").fill("Emil")
    page.locator("#email").fill("no address")
    page.keyboard.press("Control+Enter")
    summary = page.get_by_role("alert").first
    expect(summary).to_contain_text("1 field needs you")
    expect(page.get_by_label("First name")).to_have_value("Emil")
    expect(page.locator(".ts-control")).to_contain_text(["Beta Dental"])
    summary.get_by_role("link").click()
    expect(page.locator("#email")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("emil@people.example")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator("#email")).to_have_value("emil@people.example")
    assert asked == ["beforeunload"]
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Emil")
    with console.acting():
        emil = db.session.scalars(sa.select(Contact).where(Contact.first_name == "Emil")).one()
        assert (emil.client_id, emil.email) == (rows["other"], "emil@people.example")


def test_the_overview_expands_by_keyboard_and_enters_a_client(
    visit: Callable[..., Visitor], rows: dict[str, int]
) -> None:
    visitor = visit()
    page = visitor.page
    visitor.goto("/clients/")
    page.keyboard.press("j")
    page.keyboard.press("e")
    people = page.get_by_role("region", name="People with access")
    expect(people).to_be_visible()
    expect(page.get_by_role("region", name="Mail accounts")).to_contain_text("client.example")
    page.keyboard.press("e")
    expect(people).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(f"/clients/{rows['client']}$"))
    page.get_by_role("button", name="Leave Acme Solar").click()
    expect(page.get_by_role("link", name="All clients")).to_be_visible()


def test_the_theme_stays_chosen(visit: Callable[..., Visitor], rows: dict[str, int]) -> None:
    visitor = visit(color_scheme="light")
    page = visitor.page
    visitor.goto("/leads/")
    paper = lambda: page.evaluate("getComputedStyle(document.body).backgroundColor")  # noqa: E731
    light = paper()
    page.get_by_role("button", name="Switch between light and dark").press("Enter")
    dark = paper()
    assert light != dark
    visitor.goto("/contacts/")
    assert paper() == dark
    page.get_by_role("button", name="Switch between light and dark").click()
    page.reload()
    assert paper() == light


def test_filters_are_added_edited_and_removed(visit: Callable[..., Visitor], rows: dict[str, int]) -> None:
    visitor = visit()
    page = visitor.page
    listed = page.locator("tr[data-row]")
    visitor.goto(f"/contacts/?f=client:in:{rows['client']}")
    expect(page.get_by_role("button", name="Acme Solar")).to_be_visible()  # the name, not the number
    editor = page.get_by_role("dialog", name="Filter")
    page.get_by_role("button", name="Filter", exact=True).press("Enter")
    expect(editor.get_by_label("Field")).to_be_focused()
    editor.get_by_label("Field").select_option(label="City")
    expect(editor.get_by_label("Condition")).to_be_focused()
    editor.get_by_label("Value").fill("London")
    page.keyboard.press("Enter")
    expect(listed).to_have_count(2)
    chip = page.get_by_role("list", name="Filters").get_by_role("listitem").filter(has_text="City")
    chip.get_by_role("button", name="London").click()
    expect(editor.get_by_label("Value")).to_have_value("London")
    page.keyboard.press("Escape")
    expect(editor).to_be_hidden()
    chip.get_by_role("button", name="London").click()
    editor.get_by_label("Value").fill("Oslo")
    editor.get_by_role("button", name="Apply").click()
    expect(listed.first).to_contain_text("Cara Cohn")
    expect(listed).to_have_count(2)
    chip.get_by_role("link", name="Remove the filter City").press("Enter")
    expect(listed).to_have_count(4)
    page.get_by_role("button", name="Acme Solar").click()
    expect(editor.locator(".ts-control")).to_contain_text("Acme Solar")


def test_the_drawer_of_a_phone(visit: Callable[..., Visitor], rows: dict[str, int]) -> None:
    visitor = visit(**PHONE)
    page = visitor.page
    visitor.goto("/contacts/")
    menu, side = page.get_by_role("button", name="Menu"), page.locator("#side")
    expect(side).to_be_hidden()
    menu.tap()
    expect(side).to_be_visible()
    expect(side.locator(":focus")).to_have_count(1)
    stays_inside(page, side)
    page.keyboard.press("Escape")
    expect(side).to_be_hidden()
    expect(menu).to_be_focused()
    menu.tap()
    page.touchscreen.tap(380, 400)
    expect(side).to_be_hidden()
    menu.tap()
    side.get_by_role("link", name="Clients", exact=True).tap()
    expect(page).to_have_url(re.compile("/clients/$"))


def test_a_thumb_meets_every_control(visit: Callable[..., Visitor], rows: dict[str, int]) -> None:
    visitor = visit(**PHONE)
    small: dict[str, Any] = {}
    for path in (
        "/clients/",
        "/contacts/?f=city:eq:Oslo",
        f"/contacts/{rows['Ada']}",
        "/contacts/add",
        "/imports/new?resource=contact",
    ):
        visitor.goto(path)
        small[path] = visitor.page.evaluate(SMALL)
    visitor.page.locator("[data-drawer]").tap()
    small["drawer"] = visitor.page.evaluate(SMALL)
    assert not any(small.values()), "\n".join(f"{path}: {line}" for path, lines in small.items() for line in lines)


def test_cards_of_a_phone_use_its_width(visit: Callable[..., Visitor], rows: dict[str, int]) -> None:
    visitor = visit(**PHONE)
    for path in ("/contacts/", "/audit/", "/mail-accounts/"):
        visitor.goto(path)
        cells = visitor.page.locator("tr[data-row]").first.locator("td:not(.pick)")
        widths = [box["width"] for cell in cells.all() if (box := cell.bounding_box())]
        assert widths, path
        assert min(widths) > 300, (path, widths)
