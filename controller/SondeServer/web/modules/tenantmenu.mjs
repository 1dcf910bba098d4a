// SPDX-License-Identifier: Apache-2.0
// The button with the tenant's name, and the menu in which another one is chosen.
import { byId, closePopover, inputById, setText } from "./dom.mjs";

/** What the controller takes for tenants' names, several of them joined by `|`. */
export const tenantPattern = "[A-Za-z0-9!_.*'\\-\\(\\)\\|]+";

/** @param {string} tenant empty hides the button */
export function showTenant(tenant) {
    byId("tenant").hidden = tenant === "";
    setText(byId("tenant"), tenant);
    inputById("tenant-name").value = tenant;
}

/** @param {(tenant: string) => void} use gets an empty name when none is to be named */
export function listenToTenantMenu(use) {
    inputById("tenant-name").pattern = tenantPattern;
    byId("tenant-form").addEventListener("submit", (event) => {
        event.preventDefault();
        closePopover(byId("tenant-form"));
        use(inputById("tenant-name").value.trim());
    });
}
