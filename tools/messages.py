"""Bring translations/*/LC_MESSAGES/messages.po up to date with the texts in code, templates and declarations.

Beside what Babel finds in the files, labels that are made from column names (`app.kit.fields.label_of`) are asked of the
declared entities, because no file holds them. `make messages` runs it; `--compile` writes the .mo files that the
product reads.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

TRANSLATIONS = ROOT / "translations"
KEYWORDS: dict[str, Any] = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
COMMENT = "made from a name"


def template() -> Catalog:
    """Every text of the product, untranslated."""
    catalog = Catalog(project="Steward", charset="utf-8", fuzzy=False)
    methods, options = parse_mapping_cfg(io.StringIO((ROOT / "babel.cfg").read_text()))
    for name, _line, message, comments, context in extract_from_dir(ROOT, methods, options, KEYWORDS):
        catalog.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    for label in sorted(derived_labels()):
        catalog.add(label, auto_comments=[] if label in catalog else [COMMENT])
    return catalog


def derived_labels() -> set[str]:
    """Labels that `label_of` makes from names, of every column and relation of every declared entity, and the verbs of rights."""
    from app.factory import load_features
    from app.kit import registry
    from app.kit.fields import LABELS, in_words
    from app.kit.resource import CRUD

    if not registry.resources():
        load_features()
    return {*CRUD, *map(in_words, rights())} | {
        in_words(name)
        for resource in registry.resources()
        for name in names_of(resource)
        if name not in resource.labels and name not in LABELS
    }


def rights() -> Iterator[str]:
    """The names of rights that the matrix of roles shows in words: "change_owner"."""
    from app.kit import registry

    for feature in registry.features():
        views = [
            *feature.views,
            *(r.view for r in feature.resources if r.view),
            *(r.api for r in feature.resources if r.api),
        ]
        for view in views:
            yield from (getattr(view, "method_permission_name", None) or {}).values()
            yield from (name.removeprefix("can_") for name in getattr(view, "base_permissions", None) or ())
        yield from (verb for resource in feature.resources for verb in resource.verbs())
        yield from (pair[0].removeprefix("can_") for pairs in feature.rights.values() for pair in pairs)


def names_of(resource: Any) -> Iterator[str]:
    """Every name a label may be asked for."""
    import sqlalchemy as sa

    mapper = sa.inspect(resource.model)
    yield from (*mapper.column_attrs.keys(), *mapper.relationships.keys())
    yield from (*resource.list, *resource.more, *resource.filters, *resource.field_names())
    yield from (name for section in resource.show or () for name in section.names)
    yield from resource.transfer.columns if resource.transfer else ()
    yield resource.model.__tablename__  # the audit trail names entities by their tables


def catalogues() -> list[Path]:
    """The .po files there are."""
    return sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))


def read(path: Path) -> Catalog:
    """A .po file."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def translated(message: Message) -> bool:
    """Whether every form of a text has its translation."""
    return all(message.string) if isinstance(message.string, list | tuple) else bool(message.string)


def update() -> None:
    """Add new texts to every catalogue, drop those that are gone, and say how many wait for a translation."""
    source = template()
    for path in catalogues():
        catalog = read(path)
        made = catalog.creation_date
        catalog.update(source, no_fuzzy_matching=True)
        catalog.creation_date = made  # or every run would change the file
        write(path, catalog)
        waiting = sum(1 for message in catalog if message.id and not translated(message))
        print(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {waiting} not translated")


def write(path: Path, catalog: Catalog) -> None:
    """Store a .po file in the order of its texts, which keeps differences between two versions small."""
    with path.open("wb") as file:
        write_po(file, catalog, width=120, include_lineno=False, sort_output=True, ignore_obsolete=True)


def compile_all() -> None:
    """Write a .mo file beside each .po file."""
    for path in catalogues():
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, read(path))


def main() -> None:
    """Update, or compile."""
    if "--compile" not in sys.argv[1:]:
        update()
    compile_all()


if __name__ == "__main__":
    main()
