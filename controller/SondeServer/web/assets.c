/* SPDX-License-Identifier: Apache-2.0 */
/* Embeds the pages' files with C23 #embed. */
#include "CSondeWeb.h"

static const unsigned char index_html[] = {
#embed "index.html"
};

static const struct sonde_web_asset assets[] = {
    {"index.html", "text/html; charset=utf-8", index_html, sizeof index_html},
};

const struct sonde_web_asset *sonde_web_assets(size_t *count)
{
    *count = sizeof assets / sizeof assets[0];
    return assets;
}
