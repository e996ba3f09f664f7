"""Uploaded pictures: checked by content, drawn anew, shown only with the row they belong to."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from app.core import storage


def picture(kind: str = "PNG", size: tuple[int, int] = (900, 300)) -> bytes:
    drawn = BytesIO()
    Image.new("RGB", size, "teal").save(drawn, kind)
    return drawn.getvalue()


def with_logo(data: bytes, name: str = "logo.png") -> dict[str, Any]:
    return {"name": "Logo Ltd", "kind": "company", "time_zone": "Europe/London", "language": "en", "currency": "EUR",
            "owner": "1", "logo": (BytesIO(data), name)}  # fmt: skip


def add_client(admin: Any, data: bytes, name: str = "logo.png") -> Any:
    return admin.post("/clients/add", data=with_logo(data, name), content_type="multipart/form-data")


@pytest.mark.parametrize("kind", storage.FORMATS)
def test_a_picture_is_kept_small_and_shown_with_its_client(app: Any, admin: Any, kind: str) -> None:
    answer = add_client(admin, picture(kind))
    assert answer.status_code == 302
    shown = admin.get(f"{answer.headers['Location']}/picture/logo")
    assert shown.status_code == 200
    assert shown.mimetype == "image/png"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert max(Image.open(BytesIO(shown.data)).size) <= storage.LARGEST_SIDE


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<script>alert(1)</script>",
     picture()[:60], b"%PDF-1.7"],
)  # fmt: skip
def test_what_is_no_picture_is_refused_beside_its_field_and_nothing_is_kept(app: Any, admin: Any, data: bytes) -> None:
    with app.app_context():
        before = set(storage.folder().iterdir())
    answer = add_client(admin, data, "logo.png")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "not a picture" in text
    assert "Logo Ltd" in text
    with app.app_context():
        assert set(storage.folder().iterdir()) == before


def test_a_refused_form_leaves_no_file_behind(app: Any, admin: Any) -> None:
    assert add_client(admin, picture()).status_code == 302
    with app.app_context():
        before = set(storage.folder().iterdir())
    assert add_client(admin, picture()).status_code == 422, "the name is taken"
    with app.app_context():
        assert set(storage.folder().iterdir()) == before


def test_editing_keeps_the_picture_until_it_is_removed(app: Any, admin: Any) -> None:
    url = add_client(admin, picture()).headers["Location"]
    data = {k: v for k, v in with_logo(b"").items() if k != "logo"}
    answer = admin.post(f"{url}/edit", data={**data, "version": 1, "name": "Kept Ltd"})
    assert answer.status_code == 302, answer.get_data(as_text=True)
    assert admin.get(f"{url}/picture/logo").status_code == 200
    assert admin.post(f"{url}/edit", data={**data, "version": 2, "logo": "remove"}).status_code == 302
    assert admin.get(f"{url}/picture/logo").status_code == 404


def test_no_other_column_or_file_is_handed_out(app: Any, admin: Any) -> None:
    url = add_client(admin, picture()).headers["Location"]
    for name in ("name", "nosuch", "..", "password"):
        assert admin.get(f"{url}/picture/{name}").status_code == 404
    with app.app_context():
        for name in ("../secret_key", "/etc/passwd", "", "a/b.png", "x..png"):
            assert storage.path_of(name) is None


def test_the_logo_is_shown_to_nobody_who_does_not_see_the_client(app: Any, admin: Any) -> None:
    url = add_client(admin, picture()).headers["Location"]
    assert app.test_client().get(f"{url}/picture/logo").status_code == 302
    admin.post(f"/clients/action/switch_off/{url.rsplit('/', 1)[1]}")
    admin.post(f"{url}/delete")
    assert admin.get(f"{url}/picture/logo").status_code == 404
