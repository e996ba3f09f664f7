"""A user's way through the console in a real browser, with the strict CSP and the CSRF checks of production."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from app.core.db import db
from app.core.operations import engine
from app.features.campaigns.enrolling import record_activity
from app.features.campaigns.enums import ActivityKind, CampaignStatus
from app.features.campaigns.models import Campaign, Enrolment
from app.features.clients.models import Client
from app.features.contacts.models import Contact
from tests.factories import campaigns, clients, contacts
from tests.features.imports.tables import HEAD, people, xlsx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.e2e.console import Console, Visitor

pytestmark = pytest.mark.browser

ROWS = 1200  # of the sheet of contacts: three chunks of the engine


def toast(page: Page) -> Any:
    return page.locator("#toasts .toast-item").last


def row_of(page: Page, name: str) -> Any:
    return page.locator("tr[data-row]").filter(has=page.get_by_role("link", name=name, exact=True))


def test_a_wrong_password_keeps_the_name_and_says_so(console: Console, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(f"{console.url}/contacts/?q=ada")
    expect(page).to_have_url(re.compile("/login"))
    page.fill("#username", "admin")
    page.fill("#password", "not-the-password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(re.compile("name|password", re.I))
    expect(page.locator("#username")).to_have_value("admin")
    expect(page.locator("#password")).to_be_focused()
    expect(page.locator("#password")).to_have_value("")
    page.keyboard.type("quiet-river-42")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/contacts/\?q=ada$")), "on to where one wanted to go"
    context.close()


def upload(visitor: Visitor, resource: str, file: Path) -> None:
    page = visitor.page
    visitor.goto(f"/imports/new?resource={resource}")
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Read the file").click()
    expect(page).to_have_url(re.compile("/columns$"))


def test_two_sheets_become_clients_and_contacts(console: Console, visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.page
    agency = [
        ["Name", "Country", "Time zone"],
        ["Acme Solar", "Germany", "Europe/Berlin"],
        ["Beta Dental", "GB", "Mars/Base"],
    ]
    upload(visitor, "client", xlsx(console.folder / "clients.xlsx", agency))
    page.get_by_role("button", name=re.compile("plan", re.I)).click()
    expect(page.get_by_role("heading", name="1 of 2 rows will be imported")).to_be_visible()
    page.get_by_role("navigation", name="Outcomes").get_by_role("link", name=re.compile("^Error")).click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(page.locator("tr[data-row]")).to_contain_text("Mars/Base")
    page.get_by_role("button", name="Import 1 row", exact=True).click()
    expect(page).to_have_url(re.compile("/run$"))
    console.work()
    expect(page.get_by_role("link", name="Open clients")).to_be_visible()
    import_contacts(console, visitor)
    page.get_by_role("link", name="Open contacts").click()
    expect(page.locator(".foot-count")).to_contain_text("1,200 contacts")
    see_the_bell(page)
    with console.acting():
        assert db.session.scalars(sa.select(Client.name)).all() == ["Acme Solar"]
        assert db.session.scalar(sa.select(sa.func.count(Contact.id))) == ROWS


def import_contacts(console: Console, visitor: Visitor) -> None:
    page = visitor.page
    upload(visitor, "contact", xlsx(console.folder / "people.xlsx", [HEAD, *people(ROWS)]))
    plan = page.get_by_role("button", name=re.compile("plan", re.I))
    expect(plan).to_be_disabled()
    expect(page.get_by_text("Choose the client").first).to_be_visible()
    choose_client(page)
    expect(plan).to_be_enabled()
    page.reload()
    expect(plan).to_be_enabled()  # the choice is the server's, not the page's
    plan.click()
    expect(page.get_by_role("heading", name="1,200 of 1,200 rows will be imported")).to_be_visible()
    page.get_by_role("button", name="Import 1,200 rows").click()
    expect(page).to_have_url(re.compile("/run$"))
    percent = page.locator(".progress-head .figure strong")
    expect(percent).to_have_text("0%")
    number = int(re.findall(r"/imports/(\d+)/", page.url)[0])
    with console.app.app_context():
        engine.work(number, stop=lambda: True)  # one chunk of three
    expect(percent).to_have_text(re.compile("^(?!0%|100%)"))  # by itself
    console.work()
    expect(page.get_by_role("link", name="Open contacts")).to_be_visible()
    expect(percent).to_have_text("100%")


def choose_client(page: Page) -> None:
    page.get_by_label("Client of all rows").select_option(label="Acme Solar")


def see_the_bell(page: Page) -> None:
    expect(page.locator("[data-bell-count]")).to_have_text("2")
    page.get_by_role("button", name="Notifications").click()
    told = page.locator("#notifications .notification")
    expect(told).to_have_count(2)
    expect(told.first).to_contain_text("people.xlsx")
    told.first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.fixture
def running(console: Console) -> dict[str, int]:
    """A client with two campaigns, one running with 40 enrolled and 10 contacted, one a draft."""
    with console.acting() as actor:
        client = clients.client(name=f"Calder {actor and next(SERIAL)}")
        campaign, draft = campaigns.campaign(client), campaigns.campaign(client, running=False)
        some = [contacts.contact(client) for _ in range(40)]
        for number, contact in enumerate(some):
            enrolment = campaigns.enrolment(contact, campaign)
            if number < 10:
                record_activity(ActivityKind.EMAIL_SENT, contact, enrolment=enrolment)
        campaigns.enrolment(some[0], draft)
        db.session.flush()
        return {"client": client.id, "campaign": campaign.id, "draft": draft.id, "contact": some[0].id}


SERIAL = iter(range(1, 100))


def test_a_campaign_is_started_and_its_client_switched_off(
    console: Console, visit: Callable[..., Visitor], running: dict[str, int]
) -> None:
    visitor = visit()
    page = visitor.page
    visitor.goto(f"/campaigns/{running['draft']}")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".record-badges")).to_contain_text("Running")

    visitor.goto("/clients/")
    with console.acting():
        name = db.session.get_one(Client, running["client"]).name
    row = row_of(page, name)
    door = row.locator(".contacted-line a.number")
    expect(door).to_have_text("31")  # 30 of the first campaign, 1 of the one just started
    expect(row.locator(".contacted-words")).to_have_text("24% done")
    door.hover()
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("31 of 41 left")
    expect(tip).to_contain_text("2 running campaigns")
    door.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enrolments")
    expect(page.locator(".foot-count")).to_contain_text("31 enrolments")
    expect(page.locator("tr[data-row]")).to_have_count(31)
    assert all(text == "–" for text in page.locator("td[data-label='First contacted']").all_inner_texts())
    page.go_back()
    switch_off(page, row_of(page, name))
    with console.acting():
        found = db.session.scalars(sa.select(Campaign).where(Campaign.client_id == running["client"])).all()
        assert {campaign.status for campaign in found} == {CampaignStatus.STOPPED}
    visitor.goto(f"/campaigns/?f=client:in:{running['client']}")
    expect(page.locator("tr[data-row]")).to_have_count(2)
    for campaign in page.locator("tr[data-row]").all():
        expect(campaign).to_contain_text("Stopped")
        expect(campaign).to_contain_text(re.compile("switched off", re.I))
    switch_on_again(visitor, name)
    with console.acting():
        found = db.session.scalars(sa.select(Campaign).where(Campaign.client_id == running["client"])).all()
        assert {campaign.status for campaign in found} == {CampaignStatus.STOPPED}, "nothing starts by itself"


def switch_off(page: Page, row: Any) -> None:
    switch = row.get_by_role("switch")
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 running campaigns stop")
    expect(dialog).to_contain_text("31 people will not be contacted")
    expect(dialog.get_by_role("link", name="Keep on")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(switch).to_be_focused()
    expect(switch).to_have_attribute("aria-checked", "true")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    expect(toast(page)).to_contain_text(re.compile("2 campaigns|off", re.I))
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(row).to_contain_text("No campaign")
    expect(switch).to_be_focused()


def switch_on_again(visitor: Visitor, name: str) -> None:
    page = visitor.page
    visitor.goto("/clients/?tab=inactive")
    switch = row_of(page, name).get_by_role("switch")
    switch.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("stay stopped")
    dialog.get_by_role("button", name="Switch on").click()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(row_of(page, name)).to_contain_text("No campaign")


def test_a_deleted_contact_comes_back_by_undo(
    console: Console, visit: Callable[..., Visitor], running: dict[str, int]
) -> None:
    visitor = visit()
    page = visitor.page

    def enrolled() -> int:
        with console.acting():
            return db.session.scalar(
                sa.select(sa.func.count(Enrolment.id)).where(Enrolment.contact_id == running["contact"])
            )

    visitor.goto(f"/contacts/{running['contact']}")
    name = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(name)
    dialog.get_by_role("button", name="Delete").click()
    expect(toast(page)).to_contain_text(name)
    assert enrolled() == 0
    assert visitor.goto(f"/contacts/{running['contact']}").status == 404
    page.go_back()
    visitor.goto(f"/contacts/?f=client:in:{running['client']}")
    expect(page.locator(".foot-count")).to_contain_text("39 contacts")
    visitor.goto("/trash/contact/")
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.locator("tr[data-row]").get_by_role("button").last.click()
    page.get_by_role("button", name="Restore").last.click()
    expect(toast(page)).to_be_visible()
    assert enrolled() == 2

    visitor.goto(f"/contacts/{running['contact']}/delete")  # as without a script: a page of its own
    page.get_by_role("button", name="Delete").click()
    expect(toast(page)).to_contain_text(name)
    page.keyboard.press("Control+z")
    expect(toast(page)).to_contain_text(re.compile("restored|back", re.I))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert enrolled() == 2
    assert visitor.goto(f"/contacts/{running['contact']}").status == 200


def test_the_second_of_two_sees_what_the_first_saved_and_keeps_a_mix(
    console: Console, visit: Callable[..., Visitor], running: dict[str, int]
) -> None:
    console.person("jonas.weil", "Manager", running["client"])
    first, second = visit("jonas.weil"), visit()
    path = f"/contacts/{running['contact']}"
    for visitor in (first, second):
        visitor.goto(f"{path}/edit")
    first.page.get_by_label("Company").fill("Firstco")
    first.page.get_by_label("Job title").fill("First job")
    first.page.keyboard.press("Control+Enter")
    expect(first.page).to_have_url(re.compile(f"{path}$"))

    page = second.page
    page.get_by_label("Company").fill("Secondco")
    page.get_by_label("Job title").fill("Second job")
    page.get_by_label("City").fill("Oslo")
    page.keyboard.press("Control+Enter")
    box = page.get_by_role("region", name="Jonas Weil saved this before you")
    expect(box).to_be_visible()
    line = lambda label: box.get_by_role("row").filter(has=page.get_by_role("rowheader", name=label, exact=True))  # noqa: E731
    expect(line("Company")).to_contain_text(re.compile("Firstco.*Secondco", re.S))
    line("Company").get_by_role("radio").first.check()
    line("Job title").get_by_role("radio").last.check()
    page.get_by_role("button", name="Save this mix").click()
    expect(page).to_have_url(re.compile(f"{path}$"))
    with console.acting():
        contact = db.session.get_one(Contact, running["contact"])
        assert (contact.company, contact.job_title, contact.city) == ("Firstco", "Second job", "Oslo")
