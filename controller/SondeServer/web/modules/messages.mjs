// SPDX-License-Identifier: Apache-2.0
// What stands in the graph's place: no data and how to get some, a token or tenant that is needed, a refusal.
import { byId, element } from "./dom.mjs";
import { tenantPattern } from "./tenantmenu.mjs";

/**
 * @param {string} title
 * @param {...Node} content
 */
function showMessage(title, ...content) {
    // The profiles keep their timeline beside the message.
    const panel = byId(document.body.dataset.page === "profiles" ? "message" : "view-message");
    // The same message again would take the focus out of the token field.
    if (!panel.hidden && panel.dataset.title === title) return;
    panel.dataset.title = title;
    panel.replaceChildren(element("div", { class: "card" }, element("h2", {}, title), ...content));
    panel.hidden = false;
}

/** Gives the place back to what the message stood for. */
export function hideMessage() {
    byId("message").hidden = true;
    byId("view-message").hidden = true;
}

/** No service has ever sent a profile: how to start an agent, with this controller's address. */
export function showNothingYet() {
    const address = location.origin + location.pathname.replace(/\/$/, "");
    const swift = `import SondeAgent\n\nlet sonde = try Sonde.start(.init(service: "shop"))`;
    const environment = `SONDE_SERVICE=shop SONDE_URL=${address} ./shop`;
    showMessage("No profiles yet",
        element("p", {}, "This controller is ready and waits for a first service. Link the agent:"),
        element("pre", {}, element("code", {}, swift)),
        element("p", {}, "and start the service; the environment says where and under which name:"),
        element("pre", {}, element("code", {}, environment)),
        element("p", {}, "Without changing the code, for any native program:"),
        element("pre", {}, element("code", {}, `SONDE_URL=${address} sonde run --service shop -- ./shop`)),
        element("p", { class: "quiet" }, "The first profile arrives about ten seconds later; this page shows it by itself."));
}

/**
 * @param {string} what the service and type that were asked for
 * @param {string} range in words
 * @param {() => void} widen
 */
export function showNothingHere(what, range, widen) {
    const button = element("button", { type: "button", class: "primary" }, "Last 24 hours");
    button.addEventListener("click", widen);
    showMessage(`No samples of ${what}: ${range}`,
        element("p", {}, "The service may have been idle, stopped or not yet profiled in this range. A service that uses no CPU time has no CPU samples."),
        button);
}

/**
 * @param {string} reason the controller's own words
 * @param {boolean} refused whether a token was sent
 * @param {(token: string) => void} use
 */
export function askForToken(reason, refused, use) {
    ask(refused ? "The token was refused" : "A token is needed", reason, {
        id: "token", label: "Token", button: "Use this token",
        field: { type: "password", autocomplete: "current-password", placeholder: "sonde_…" },
    }, [
        element("p", { class: "quiet" }, "An administrator makes one with "),
        element("pre", {}, element("code", {}, "sonde token create --role viewer --name you")),
    ], use);
}

/**
 * @param {string} reason the controller's own words
 * @param {(tenant: string) => void} use
 */
export function askForTenant(reason, use) {
    ask("A tenant is needed", reason, {
        id: "tenant-wanted", label: "Tenant", button: "Use this tenant",
        field: { type: "text", pattern: tenantPattern, placeholder: "night" },
    }, [element("p", { class: "quiet" }, "This controller keeps tenants apart. Its name is what SONDE_TENANT says where the services run.")], use);
}

/**
 * A form with one field in the graph's place.
 *
 * @param {string} title
 * @param {string} reason
 * @param {{ id: string, label: string, button: string, field: Record<string, string> }} what
 * @param {Node[]} notes
 * @param {(value: string) => void} use
 */
function ask(title, reason, what, notes, use) {
    const field = /** @type {HTMLInputElement} */ (element("input", {
        id: what.id, required: true, spellcheck: "false", ...what.field,
    }));
    const form = element("form", { class: "token" },
        element("label", { for: what.id }, what.label), field,
        element("button", { type: "submit", class: "primary" }, what.button));
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        use(field.value.trim());
    });
    showMessage(title, element("p", {}, reason), form, ...notes,
        element("p", { class: "quiet" }, "It is kept in this browser only."));
    if (field.isConnected) field.focus();
}

/**
 * @param {string} title
 * @param {string} reason
 * @param {() => void} retry
 */
export function showFailure(title, reason, retry) {
    const button = element("button", { type: "button", class: "primary" }, "Try again");
    button.addEventListener("click", retry);
    showMessage(title, element("p", {}, reason), button);
}
