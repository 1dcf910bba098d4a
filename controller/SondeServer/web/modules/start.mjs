// SPDX-License-Identifier: Apache-2.0
// Starts the page; the last part of page.js.
import { Page } from "./page.mjs";

/** Kept reachable for the browser's console, and for the benchmark. */
Object.assign(window, { sonde: new Page() });
