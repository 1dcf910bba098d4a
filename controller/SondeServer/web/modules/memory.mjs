// SPDX-License-Identifier: Apache-2.0
// What the browser remembers of a person's choices; it may refuse to, and then forgets.

/**
 * @param {string} key
 * @returns {string} empty when nothing is remembered
 */
export function remembered(key) {
    try {
        return localStorage.getItem(key) ?? "";
    } catch {
        return "";
    }
}

/**
 * @param {string} key
 * @param {string} value empty forgets
 */
export function remember(key, value) {
    try {
        if (value === "") localStorage.removeItem(key);
        else localStorage.setItem(key, value);
    } catch {
        // Storage is switched off in this browser: the choice holds until the page is left.
    }
}
