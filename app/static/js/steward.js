// Everything a page may need; each controller finds its own markup and does nothing without it.
import "./theme.js";
import "./drawer.js";
import "./popover.js";
import "./dialog.js";
import "./toast.js";
import "./table.js";
import "./selection.js";
import "./select.js";
import "./filters.js";
import "./clients.js";
import "./forms.js";
import "./keys.js";
import "./bell.js";
import "./poll.js";
import "./palette.js";
import "./matrix.js";
import "./stock.js";
