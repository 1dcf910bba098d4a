/* SPDX-License-Identifier: Apache-2.0 */
/* Embeds the page's files with C23 #embed, and joins modules and styles into one file each. */
#include "CSondeWeb.h"

static const unsigned char index_html[] = {
#embed "index.html"
};

static const unsigned char icon_svg[] = {
#embed "icon.svg"
};

static const unsigned char page_css[] = {
#embed "styles/base.css" suffix(, )
#embed "styles/layout.css" suffix(, )
#embed "styles/parts.css" suffix(, )
#embed "styles/views.css"
};

/* The modules as one, so that a page load is a handful of requests and needs no build step.
   Opening a comment before each file comments out everything up to the end of its first block
   comment, and that is where a module keeps its imports: in one file they are not needed, because
   every top-level name is distinct. Tests/Web/unit/bundle.test.mjs keeps both rules.
   Order: what a module needs while it is evaluated stands before it.  */
#define JOINED prefix('/', '*', ) suffix(, )
static const unsigned char page_js[] = {
#embed "modules/format.mjs" JOINED
#embed "modules/timerange.mjs" JOINED
#embed "modules/address.mjs" JOINED
#embed "modules/memory.mjs" JOINED
#embed "modules/connection.mjs" JOINED
#embed "modules/dom.mjs" JOINED
#embed "modules/theme.mjs" JOINED
#embed "modules/flamegraph.mjs" JOINED
#embed "modules/pathid.mjs" JOINED
#embed "modules/visible.mjs" JOINED
#embed "modules/span.mjs" JOINED
#embed "modules/search.mjs" JOINED
#embed "modules/trees.mjs" JOINED
#embed "modules/compare.mjs" JOINED
#embed "modules/functions.mjs" JOINED
#embed "modules/walk.mjs" JOINED
#embed "modules/colour.mjs" JOINED
#embed "modules/textfit.mjs" JOINED
#embed "modules/painter.mjs" JOINED
#embed "modules/gestures.mjs" JOINED
#embed "modules/flameview.mjs" JOINED
#embed "modules/frameinfo.mjs" JOINED
#embed "modules/timeline.mjs" JOINED
#embed "modules/timelineview.mjs" JOINED
#embed "modules/tableview.mjs" JOINED
#embed "modules/status.mjs" JOINED
#embed "modules/agents.mjs" JOINED
#embed "modules/agentsview.mjs" JOINED
#embed "modules/poller.mjs" JOINED
#embed "modules/downloads.mjs" JOINED
#embed "modules/tenantmenu.mjs" JOINED
#embed "modules/messages.mjs" JOINED
#embed "modules/controls.mjs" JOINED
#embed "modules/loading.mjs" JOINED
#embed "modules/keyboard.mjs" JOINED
#embed "modules/searchbox.mjs" JOINED
#embed "modules/keys.mjs" JOINED
#embed "modules/words.mjs" JOINED
#embed "modules/sourcelines.mjs" JOINED
#embed "modules/completion.mjs" JOINED
#embed "modules/loglines.mjs" JOINED
#embed "modules/probes.mjs" JOINED
#embed "modules/tail.mjs" JOINED
#embed "modules/loglist.mjs" JOINED
#embed "modules/probecard.mjs" JOINED
#embed "modules/suggestions.mjs" JOINED
#embed "modules/probeeditor.mjs" JOINED
#embed "modules/sourceview.mjs" JOINED
#embed "modules/probesview.mjs" JOINED
#embed "modules/liveview.mjs" JOINED
#embed "modules/explore.mjs" JOINED
#embed "modules/comparemenu.mjs" JOINED
#embed "modules/profilesview.mjs" JOINED
#embed "modules/page.mjs" JOINED
#embed "modules/start.mjs" JOINED
    '\n',
};

static const struct sonde_web_asset assets[] = {
    {"index.html", "text/html; charset=utf-8", index_html, sizeof index_html},
    {"icon.svg", "image/svg+xml", icon_svg, sizeof icon_svg},
    {"page.css", "text/css; charset=utf-8", page_css, sizeof page_css},
    {"page.js", "text/javascript; charset=utf-8", page_js, sizeof page_js},
};

const struct sonde_web_asset *sonde_web_assets(size_t *count)
{
    *count = sizeof assets / sizeof assets[0];
    return assets;
}
