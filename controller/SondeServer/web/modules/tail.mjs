// SPDX-License-Identifier: Apache-2.0
// Follows new lines: again after a break, until it is closed, as long as somebody looks.
import { LineReader } from "./loglines.mjs";

/** The pause before another attempt. */
const againMs = 2_000;

/** One question that is followed. */
export class Tail {
    /**
     * @param {import("./connection.mjs").Connection} connection
     * @param {{ query: string, since: string, limit: number }} question
     * @param {{ event: (event: import("./loglines.mjs").TailEvent) => void, state: (problem: string) => void }} callbacks
     *   `state`: empty when lines are followed, otherwise why not
     */
    constructor(connection, question, callbacks) {
        this.connection = connection;
        this.question = question;
        this.callbacks = callbacks;
        this.ending = new AbortController();
        void this.run();
    }

    close() {
        this.ending.abort();
    }

    async run() {
        const { signal } = this.ending;
        let since = this.question.since;
        while (!signal.aborted) {
            const began = Date.now();
            const reader = new LineReader((event) => {
                if (event.error !== undefined) this.callbacks.state(event.error);
                else this.callbacks.event(event);
            });
            try {
                const { query, limit } = this.question;
                this.callbacks.state("");
                await this.connection.follow("tail", { query, limit, ...(since === "" ? {} : { since }) }, signal, (text) => reader.add(text));
            } catch (error) {
                if (signal.aborted) return;
                this.callbacks.state(error instanceof Error ? error.message : String(error));
                const status = /** @type {{ status?: number }} */ (error).status ?? 0;
                // A question that is refused is refused again.
                if (status >= 400 && status < 500 && status !== 429) return;
            }
            await new Promise((done) => { setTimeout(done, againMs); });
            // What came while nobody was connected; lines that are known already are told apart by the callers.
            since = `${Math.ceil((Date.now() - began) / 1000) + 1}s`;
        }
    }
}
