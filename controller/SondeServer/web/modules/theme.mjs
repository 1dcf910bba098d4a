// SPDX-License-Identifier: Apache-2.0
// Light and dark: the system's choice, until the person chooses.
import { remember, remembered } from "./memory.mjs";

/** Where the choice is kept. */
const themeKey = "sonde.theme";
const prefersDark = () => matchMedia("(prefers-color-scheme: dark)");

/** @returns {"light" | "dark"} what is shown now */
export function currentTheme() {
    const chosen = document.documentElement.dataset.theme;
    if (chosen === "light" || chosen === "dark") return chosen;
    return prefersDark().matches ? "dark" : "light";
}

/** Applies what the person chose earlier. */
export function restoreTheme() {
    const chosen = remembered(themeKey);
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}

/** Switches; back to the system's choice when that is the same. */
export function switchTheme() {
    const wanted = currentTheme() === "dark" ? "light" : "dark";
    if ((wanted === "dark") === prefersDark().matches) {
        delete document.documentElement.dataset.theme;
        remember(themeKey, "");
    } else {
        document.documentElement.dataset.theme = wanted;
        remember(themeKey, wanted);
    }
}

/** @param {() => void} changed called when the system's choice changes */
export function watchSystemTheme(changed) {
    prefersDark().addEventListener("change", changed);
}
