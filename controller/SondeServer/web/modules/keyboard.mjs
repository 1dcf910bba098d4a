// SPDX-License-Identifier: Apache-2.0
// The page's keys, and the help that lists them: one table for both.
import { byId, element } from "./dom.mjs";

/**
 * @typedef {object} Binding
 * @property {string[]} keys as `KeyboardEvent.key`
 * @property {string} label
 * @property {string} does
 * @property {() => void} run
 * @property {boolean} [graph] only where the focus is on the graph or nowhere
 */

/**
 * @param {Binding[]} bindings
 */
export function listenToKeys(bindings) {
    byId("help-keys").replaceChildren(...bindings.map((binding) => element("tr", {},
        element("th", { scope: "row" }, element("kbd", {}, binding.label)), element("td", {}, binding.does))));
    document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
        const target = /** @type {HTMLElement} */ (event.target);
        const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
        // A dialog or an open menu has the keys for itself.
        if (target.closest("dialog, [popover]")) return;
        const onGraph = target === document.body || target.id === "canvas" || target.id === "flame-scroll";
        const binding = bindings.find((entry) => entry.keys.includes(event.key));
        if (!binding || typing || (binding.graph && !onGraph)) return;
        event.preventDefault();
        binding.run();
    });
}
