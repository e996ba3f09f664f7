"""Draw docs/pictures/*.png from the running product: a fresh home, the sample agency, a real browser. `make pictures`.

PICTURES_PORT chooses the port; the pictures are reduced to 128 colours, which keeps each below 120 kB.
"""

from __future__ import annotations

import io
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.infra.browser import browser_running  # noqa: E402

OUT = ROOT / "docs" / "pictures"
PORT = os.environ.get("PICTURES_PORT", "8189")
URL = f"http://127.0.0.1:{PORT}"
PASSWORD = secrets.token_urlsafe(12)
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LARGEST = 120_000  # bytes

# Drawn at both widths, light and dark; the others on a light desktop only. {contact} and its like are found on the way.
MAIN = {"clients": "/clients/", "contacts": "/contacts/", "contact": "{contact}", "plan": "{plan}"}
MORE = {
    "sign-in": "/login/",
    "columns": "{columns}",
    "operations": "/operations/",
    "operation": "{operation}",
    "trash": "/trash/contact/",
    "roles": "/roles/",
}

HEADINGS = ("Firma", "First name", "Last name", "E-mail", "Phone", "City", "Status", "Remark")
ROWS = (
    ("Northgate Foods", "Lena", "Brandt", "lena.brandt@northgate.example", "+49 30 901820", "Berlin", "New", ""),
    ("Northgate Foods", "Ravi", "Nair", "ravi.nair@northgate.example", "+49 30 901821", "Berlin", "Qualified", "met at a fair"),
    ("Pine & Sons", "Mara", "Pine", "mara@pine.example", "+44 20 7946 0011", "London", "New", ""),
    ("Pine & Sons", "Owen", "Pine", "owen.at.pine.example", "+44 20 7946 0012", "London", "New", "address as on his card"),
    ("Quay Optics", "Inés", "Soler", "ines.soler@quay.example", "+34 91 123 45 67", "Madrid", "Won", ""),
)  # fmt: skip


@contextmanager
def running(home: str) -> Iterator[None]:
    """The product on a home of its own; RuntimeError when it does not come up."""
    own = {"STEWARD_HOME": home, "PORT": PORT, "STEWARD_ADMIN_PASSWORD": PASSWORD, "LOG_LEVEL": "WARNING"}
    environment = {**os.environ, **own, "DATABASE_URL": "", "REDIS_URL": "", "SAMPLE": "1", "HOST": "127.0.0.1"}
    command = [sys.executable, "run.py", "run"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            if not any("Steward is ready" in line for line in process.stdout or ()):
                raise RuntimeError("Steward did not start.")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def spreadsheet() -> bytes:
    """A small file of contacts with one wrong address in it."""
    book, file = Workbook(), io.BytesIO()
    sheet: Any = book.active
    for row in (HEADINGS, *ROWS):
        sheet.append(row)
    book.save(file)
    return file.getvalue()


def sign_in(page: Any) -> None:
    """Sign in as admin."""
    page.goto(f"{URL}/login/")
    page.fill("#username", "admin")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(f"{URL}/clients/")


def upload(page: Any, client: int) -> str:
    """Upload the file and choose its client, by place in the list; the address of the columns."""
    page.goto(f"{URL}/imports/new?resource=contact")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    page.set_input_files("input[type=file]", {"name": "autumn-fair.xlsx", "mimeType": kind, "buffer": spreadsheet()})
    page.click("[data-submit]")
    page.wait_for_url("**/columns")
    with page.expect_navigation():
        page.select_option("select[name=client]", index=client, force=True)
    return str(page.url)


def plan(page: Any, columns: str) -> str:
    """Make the plan of an uploaded file; its address."""
    page.goto(columns)
    page.click("button[name=step][value=plan]")
    page.wait_for_url("**/plan")
    page.wait_for_selector("table.plan")
    return str(page.url)


def confirm(page: Any, address: str) -> str:
    """Run a plan to its end; the address of its operation."""
    page.goto(address)
    page.click(".wizard-foot button.btn-primary")
    page.wait_for_url("**/run")
    number = page.url.rstrip("/").split("/")[-2]
    page.goto(f"{URL}/operations/{number}")
    page.wait_for_function("() => document.body.innerText.includes('Done')", timeout=30_000)
    return f"{URL}/operations/{number}"


def throw_away(page: Any) -> None:
    """Put a few contacts into the trash."""
    for _turn in range(3):
        page.goto(f"{URL}/contacts/?q=northgate")
        link = page.locator("table.rows tbody td.main a").first
        page.goto(URL + str(link.get_attribute("href")).rstrip("/") + "/delete")
        with page.expect_navigation():
            page.click("form.confirm [data-harm]")


def places(page: Any) -> dict[str, str]:
    """The addresses that are only known once the product runs."""
    page.goto(f"{URL}/contacts/?f=status:eq:qualified&f=last_activity_at:notempty")
    contact = page.locator("table.rows tbody td.main a").first.get_attribute("href")
    operation = confirm(page, plan(page, upload(page, 2)))
    return {
        "contact": f"{contact}?tab=activity",
        "operation": operation,
        "plan": plan(page, upload(page, 1)),
        "columns": upload(page, 1),
    }


def shoot(page: Any, name: str, address: str) -> None:
    """One picture of one page."""
    page.goto(address if address.startswith("http") else URL + address)
    page.wait_for_load_state("networkidle")
    save(page.screenshot(animations="disabled"), OUT / f"{name}.png")


def save(data: bytes, path: Path) -> None:
    """Reduce to a palette and store; with fewer colours where the file would be large."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    for colours in (128, 64, 32):
        small = picture.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        small.save(path, "PNG", optimize=True)
        if path.stat().st_size < LARGEST:
            break
    print(f"{path.stat().st_size:>8}  {path.relative_to(ROOT)}", flush=True)


def draw(browser: Any, names: dict[str, str], found: dict[str, str], size: dict[str, int], scheme: str) -> None:
    """All pages of `names` at one size and in one scheme."""
    context = browser.new_context(viewport=size, color_scheme=scheme, locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(20_000)
    page = context.new_page()
    tail = ("-phone" if size is PHONE else "") + ("-dark" if scheme == "dark" else "")
    if "sign-in" in names:
        shoot(page, f"sign-in{tail}", "/login/")
    sign_in(page)
    for name, address in names.items():
        if name != "sign-in":
            shoot(page, name + tail, address.format(**found))
    context.close()


def main() -> None:
    """Start, prepare, draw, stop."""
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, running(home), browser_running() as browser:
        page: Any = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(20_000)
        sign_in(page)
        found = places(page)
        throw_away(page)
        for size, scheme in ((DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")):
            names = MAIN | MORE if (size, scheme) == (DESK, "light") else MAIN
            draw(browser, names, found, size, scheme)


if __name__ == "__main__":
    main()
