"""Every kind of page, wide and narrow, light and dark: axe finds nothing (WCAG 2.2 A and AA), the browser complains about
nothing, nothing scrolls sideways, one heading and a title.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.core.db import db
from app.core.operations import engine
from app.features.campaigns.models import Campaign
from app.features.clients import sample
from app.features.contacts.models import Contact
from app.kit import trash
from app.kit.importing import flow, source
from tests.features.imports.tables import HEAD, people, xlsx
from tests.infra.databases import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.e2e.console import Console, Visitor

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOURS = ["color-contrast", "link-in-text-block"]  # what the theme may change
ASK = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"], preload: false}).then(found =>
    found.violations.map(v => `${v.id}: ${v.nodes.map(n => n.target + " " + n.failureSummary).slice(0, 3).join(" | ")}`))"""
SHAPE = """() => ({wide: document.documentElement.scrollWidth - innerWidth, title: document.title,
    headings: [...document.querySelectorAll("h1")].map(node => node.textContent.trim())})"""
SIZES = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


@dataclass
class Stop:
    """A page to look at: a path, what to do there, and what it answers."""

    path: str
    act: Callable[[Page], None] | None = None
    status: int = 200
    username: str = "admin"


@pytest.fixture(scope="module")
def stops(console: Console) -> dict[str, Stop]:
    """Every kind of page, by name, over the sample agency."""
    with console.acting() as actor:
        sample.make()
        db.session.flush()
        first, gone = db.session.scalars(sa.select(Contact).order_by(Contact.id).limit(2)).all()
        ids = {"client": first.client_id, "contact": first.id}
        ids["campaign"] = db.session.scalar(sa.select(sa.func.min(Campaign.id)))
        trash.delete(gone, cascade=("enrolments",), actor=actor)
    console.person("anna.agent", "Agent")
    ids |= imports(console, ids["client"])
    return signed_out() | lists() | records(ids) | others(ids)


def imports(console: Console, client_id: int) -> dict[str, int]:
    """An import at each of its steps: at its columns, planned, done with errors."""
    from app.core.security.principal import acting_as, principal_by_id

    found = {}
    file = xlsx(console.folder / "people.xlsx", [HEAD, *people(60), ["X", None, "broken@", None, None, None]])
    with console.app.test_request_context():
        admin = principal_by_id(_admin_id())
        with acting_as(admin):
            for name in ("columns", "plan", "run"):
                operation = flow.begin(flow.importable("contact", admin), source.take_path(file), admin, client_id)
                db.session.commit()
                found[name] = operation.id
                if name != "columns":
                    flow.make_plan(operation, at_once=True)
                if name == "run":
                    flow.confirm(operation, admin, flow.token(operation))
                    db.session.commit()
    with console.app.app_context():
        engine.work(found["run"])
    return found


def _admin_id() -> int:
    from flask_appbuilder.security.sqla.models import User

    return db.session.scalar(sa.select(User.id).where(User.username == "admin"))


def signed_out() -> dict[str, Stop]:
    return {
        "sign-in": Stop("/login/", username=""),
        "sign-in refused": Stop("/login/", refuse, username=""),
    }


def lists() -> dict[str, Stop]:
    return {
        "overview": Stop("/clients/"),
        "overview with a row open": Stop("/clients/", expand),
        "overview with the switch's dialog": Stop("/clients/", switch),
        "list": Stop("/contacts/"),
        "list with rows picked": Stop("/contacts/", pick),
        "list with a row's menu": Stop("/contacts/", row_menu),
        "list with the filter editor": Stop("/contacts/", add_filter),
        "list, filtered": Stop("/contacts/?f=status:in:new,won&q=a"),
        "list with a wrong filter": Stop("/contacts/?f=status:eq:nonsense", status=400),
        "list with nothing found": Stop("/contacts/?q=nobodyatall"),
        "campaigns": Stop("/campaigns/"),
        "mail accounts": Stop("/mail-accounts/"),
        "trash": Stop("/trash/contact/"),
        "empty trash": Stop("/trash/lead/"),
        "imports": Stop("/imports/"),
        "operations": Stop("/operations/"),
        "notifications": Stop("/notifications/"),
        "the bell": Stop("/leads/", bell),
        "people": Stop("/people/"),
        "audit trail": Stop("/audit/"),
    }


def records(ids: dict[str, int]) -> dict[str, Stop]:
    contact, client = f"/contacts/{ids['contact']}", f"/clients/{ids['client']}"
    return {
        "record with a list": Stop(client),
        "record with its history": Stop(f"{contact}?tab=history"),
        "add form": Stop("/contacts/add"),
        "add form with errors": Stop("/contacts/add", send_errors),
        "edit form": Stop(f"{contact}/edit"),
        "edit conflict": Stop(f"{contact}/edit", conflict),
        "confirmation": Stop(f"{contact}/delete"),
        "campaign": Stop(f"/campaigns/{ids['campaign']}"),
    }


def others(ids: dict[str, int]) -> dict[str, Stop]:
    return {
        "import, file": Stop("/imports/new?resource=contact"),
        "import, wrong file": Stop("/imports/new?resource=contact", send_no_file),
        "import, columns": Stop(f"/imports/{ids['columns']}/columns"),
        "import, plan": Stop(f"/imports/{ids['plan']}/plan"),
        "import, result": Stop(f"/imports/{ids['run']}/run"),
        "operation": Stop(f"/operations/{ids['run']}"),
        "roles": Stop("/roles/"),
        "role matrix": Stop("/roles/", second_role),
        "profile": Stop("/people/me"),
        "palette": Stop("/people/me/password", palette),
        "keys": Stop("/people/add", lambda page: page.evaluate("document.getElementById('keys').showModal()")),
        "not found": Stop("/nothing/here", status=404),
        "no right": Stop("/audit/", status=403, username="anna.agent"),
        "an agent without clients": Stop("/clients/", says_who_can_grant, username="anna.agent"),
    }


def refuse(page: Page) -> None:
    page.fill("#username", "nobody")
    page.fill("#password", "wrong")
    page.locator(".sign-in .btn-primary").click()
    page.get_by_role("alert").wait_for()


def says_who_can_grant(page: Page) -> None:
    page.get_by_text("can give you access").wait_for()


def expand(page: Page) -> None:
    page.locator("[data-expand]").first.click()
    page.get_by_role("region", name="People with access").wait_for()
    page.locator(".expander .ts-wrapper").wait_for()


def switch(page: Page) -> None:
    page.get_by_role("switch").first.click()
    page.get_by_role("dialog").get_by_role("link").first.wait_for()


def pick(page: Page) -> None:
    page.locator("tr[data-row] td.pick input").first.check()
    page.locator("form[data-bulk]").wait_for()


def row_menu(page: Page) -> None:
    button = page.locator("tr[data-row]").first.locator("[popovertarget]")
    button.scroll_into_view_if_needed()
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    button.click()  # a menu closes when the page scrolls
    page.locator(".menu:popover-open").wait_for()


def add_filter(page: Page) -> None:
    page.locator("[data-add-filter]").click()
    page.locator("#filter-editor form").wait_for()
    page.locator("#filter-editor .ts-wrapper").wait_for()


def bell(page: Page) -> None:
    page.locator("[data-bell]").click()
    page.locator("#notifications .notification").first.wait_for()


def send_errors(page: Page) -> None:
    page.fill("#email", "no address")
    page.locator("[data-submit]").click()
    page.locator(".field-error").first.wait_for()


def send_no_file(page: Page) -> None:
    page.locator("[data-submit]").click()
    page.locator(".field-error").first.wait_for()


def conflict(page: Page) -> None:
    """Somebody else saves while this form is open: the same form, posted by the page behind its own back."""
    page.evaluate("""async () => {
        const data = new FormData(document.querySelector("form[data-form]"));
        data.set("company", "Company " + Math.random());
        await fetch(location.href, {method: "POST", body: data});
    }""")
    page.fill("#company", "Mine")
    page.locator("[data-submit]").click()
    page.locator(".conflict").wait_for()


def second_role(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^Manager")).first.click()
    page.get_by_role("heading", level=1, name="Manager").wait_for()


def palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.locator(".palette-item").first.wait_for()


@pytest.fixture(scope="module")
def tours(console: Console, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visitor]]:
    """tours(username, size) -> the one browser of that kind, with axe in each of its pages."""
    assert AXE.exists(), "npm ci brings axe-core"
    open_: dict[tuple[str, str], Any] = {}

    def tour(username: str, size: str) -> Visitor:
        from tests.e2e.console import Visitor

        key = (username, size)
        if key not in open_:
            options: dict[str, Any] = {"viewport": SIZES[size], "reduced_motion": "reduce"}
            if username:
                open_[key] = console.open(browser, username, **options)
            else:
                open_[key] = Visitor(console, browser.new_context(**options).new_page())
            open_[key].page.context.add_init_script(path=AXE)
        return open_[key]

    yield tour
    for visitor in open_.values():
        visitor.close()


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_pages_are_clean(console: Console, tours: Callable[..., Visitor], stops: dict[str, Stop], size: str) -> None:
    wrong = {name: found for name, stop in stops.items() if (found := look_at(stop, tours(stop.username, size)))}
    assert not wrong, "\n".join(f"{name}: {line}" for name, lines in wrong.items() for line in lines)


def look_at(stop: Stop, visitor: Visitor) -> list[str]:
    """What is wrong with a page."""
    page = visitor.page
    visitor.complaints.clear()
    page.emulate_media(color_scheme="light")
    answer = visitor.goto(stop.path)
    wrong = [] if answer.status == stop.status else [f"answers {answer.status}"]
    try:
        if stop.act:
            stop.act(page)
        wrong += [f"light: {line}" for line in page.evaluate(ASK, {"type": "tag", "values": TAGS})]
        wrong += shape_of(page)
        page.emulate_media(color_scheme="dark")
        page.locator("html[data-bs-theme=dark]").wait_for(state="attached")
        wrong += [f"dark: {line}" for line in page.evaluate(ASK, {"type": "rule", "values": COLOURS})]
    except Exception as error:  # the other pages are looked at all the same
        wrong.append(f"{type(error).__name__}: {str(error)[:300]}")
    return wrong + visitor.complaints


def shape_of(page: Page) -> list[str]:
    shape = page.evaluate(SHAPE)
    headings = [text for text in shape["headings"] if text]
    wrong = [f"scrolls {shape['wide']} px sideways"] if shape["wide"] > 0 else []
    wrong += [f"headings {headings}"] if len(headings) != 1 else []
    wrong += [f"title {shape['title']!r}"] if not shape["title"].removesuffix(" - Steward").strip() else []
    return wrong


def test_the_list_of_stops_names_every_area_of_the_menu(console: Console, stops: dict[str, Stop], visit: Any) -> None:
    visitor = visit()
    visitor.goto("/clients/")
    linked = {link.get_attribute("href") for link in visitor.page.locator(".side-nav a").all()}
    covered = {stop.path.split("?")[0] for stop in stops.values()} | {"/trash/", "/leads/"}
    assert linked <= covered, linked - covered
