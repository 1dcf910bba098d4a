// SPDX-License-Identifier: Apache-2.0
// Asks again while somebody looks: not in a hidden tab, slower where answers are slow or absent.

/** Agents deliver every ten seconds. */
const usualMs = 5_000;
const longestMs = 60_000;

/** Runs one task at a time, with a pause after each. */
export class Poller {
    /** @param {() => Promise<boolean>} task whether it went well */
    constructor(task) {
        this.task = task;
        this.timer = 0;
        this.failures = 0;
        this.tookMs = 0;
        document.addEventListener("visibilitychange", () => this.plan());
    }

    /** @returns {number} the pause before the next run */
    pauseMs() {
        const afterFailure = usualMs * 2 ** Math.min(this.failures, 4) * (this.failures > 0 ? 0.4 : 1);
        // An answer that took long is asked for less often: at most a tenth of the time.
        return Math.min(Math.max(afterFailure, this.tookMs * 9), longestMs);
    }

    /** Plans the next run, instead of the one that was planned. */
    plan() {
        clearTimeout(this.timer);
        if (document.hidden) return;
        this.timer = setTimeout(() => this.run(), this.pauseMs());
    }

    async run() {
        clearTimeout(this.timer);
        const began = performance.now();
        const went = await this.task();
        this.tookMs = performance.now() - began;
        this.failures = went ? 0 : this.failures + 1;
        this.plan();
    }
}
