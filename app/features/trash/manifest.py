"""What this feature contributes: the trash."""

from flask_babel import lazy_gettext as _l

from app.features.trash.views import TrashView
from app.kit.menus import Entry
from app.kit.resource import Feature

FEATURE = Feature(
    name="trash",
    views=(TrashView,),
    menu=(Entry("data", _l("Trash"), "/trash/", "trash", ("see", "trash"), 90),),
    rights={"Manager": (("can_see", "trash"),), "Agent": (("can_see", "trash"),)},
)
