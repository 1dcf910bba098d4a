// SPDX-License-Identifier: Apache-2.0
// Finding and making elements; text goes in as text, never as markup.

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
    const found = document.getElementById(id);
    if (!found) throw new Error(`cannot find the element #${id}: got nothing; want one`);
    return found;
}

/**
 * @param {string} id
 * @returns {HTMLInputElement}
 */
export function inputById(id) {
    return /** @type {HTMLInputElement} */ (byId(id));
}

/**
 * @param {string} tag
 * @param {Record<string, string | boolean>} attributes `true` sets an attribute without a value
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value === true) made.setAttribute(name, "");
        else if (value !== false) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
}

/**
 * Sets text only where it differs, so that a poll that changes nothing touches nothing.
 *
 * @param {HTMLElement} target
 * @param {string} text
 */
export function setText(target, text) {
    if (target.textContent !== text) target.textContent = text;
}

/**
 * Closes the popover that an element is in.
 *
 * @param {HTMLElement} inside
 */
export function closePopover(inside) {
    const popover = /** @type {(HTMLElement & { hidePopover?: () => void }) | null} */ (
        inside.closest("[popover]"));
    popover?.hidePopover?.();
}
