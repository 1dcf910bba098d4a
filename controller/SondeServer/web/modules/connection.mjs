// SPDX-License-Identifier: Apache-2.0
// Requests to the controller: the token, the tenant, the deadline, and errors in its own words.
import { remember, remembered } from "./memory.mjs";

/** Where the token is kept. */
const tokenKey = "sonde.token";
/** Where the tenant's name is kept. */
const tenantKey = "sonde.tenant";
/** A controller that takes longer is as good as away. */
const deadlineMs = 60_000;

/** What went wrong, as the controller said it or as the browser saw it. */
export class ControllerError extends Error {
    /**
     * @param {number} status 0 when no answer came
     * @param {string} code as in docs/http-api.md; `unreachable` when no answer came
     * @param {string} message
     * @param {Record<string, any>} [details] what else the answer says
     */
    constructor(status, code, message, details = {}) {
        super(message);
        this.status = status;
        this.code = code;
        this.details = details;
    }
}

/** The controller that served this page, wherever a proxy mounted it. */
export class Connection {
    constructor() {
        this.token = remembered(tokenKey);
        this.tenant = remembered(tenantKey);
    }

    /** @param {string} token empty forgets it */
    useToken(token) {
        this.token = token;
        remember(tokenKey, token);
    }

    /** @param {string} tenant whose data is asked for; empty names nobody */
    useTenant(tenant) {
        this.tenant = tenant;
        remember(tenantKey, tenant);
    }

    /**
     * @param {string} path below `api/v1/`
     * @param {Record<string, string | number>} query
     * @param {AbortSignal} [signal]
     * @returns {Promise<any>} the answer's JSON
     */
    get(path, query, signal) {
        return this.request(path, query, { method: "GET", signal }, (answer) => answer.json());
    }

    /**
     * @param {string} path
     * @param {Record<string, string | number>} query
     * @returns {Promise<Blob>} the answer's body as it is
     */
    download(path, query) {
        return this.request(path, query, { method: "GET" }, (answer) => answer.blob());
    }

    /**
     * @param {string} path
     * @param {Record<string, string>} query
     * @param {object} body
     * @returns {Promise<any>}
     */
    patch(path, query, body) {
        const text = JSON.stringify(body);
        return this.request(path, query, { method: "PATCH", body: text }, (answer) => answer.json());
    }

    /**
     * @param {string} path
     * @param {Record<string, string>} query
     * @param {object | null} body
     * @param {AbortSignal} [signal]
     * @returns {Promise<any>}
     */
    post(path, query, body, signal) {
        const options = { method: "POST", signal, ...(body ? { body: JSON.stringify(body) } : {}) };
        return this.request(path, query, options, (answer) => answer.json());
    }

    /**
     * @param {string} path
     * @returns {Promise<any>}
     */
    remove(path) {
        return this.request(path, {}, { method: "DELETE" }, (answer) => answer.json());
    }

    /**
     * An answer without an end, read while it comes.
     *
     * @param {string} path
     * @param {Record<string, string | number>} query
     * @param {AbortSignal} signal ends it
     * @param {(text: string) => void} take gets each piece of text
     * @returns {Promise<void>} when the controller ended it
     */
    async follow(path, query, signal, take) {
        const answer = await this.request(path, query, { method: "GET", signal, endless: true }, async (got) => got);
        const reader = answer.body?.getReader();
        const decoder = new TextDecoder();
        for (;;) {
            const piece = await reader?.read();
            if (!piece || piece.done) return;
            take(decoder.decode(piece.value, { stream: true }));
        }
    }

    /**
     * @template Body
     * @param {string} path
     * @param {Record<string, string | number>} query
     * @param {{ method: string, body?: string, signal?: AbortSignal, endless?: boolean }} options
     *   `endless`: the caller's signal holds until the body ends, and there is no deadline for it
     * @param {(answer: Response) => Promise<Body>} read
     * @returns {Promise<Body>}
     */
    async request(path, query, options, read) {
        const text = new URLSearchParams(
            Object.entries(query).map(([name, value]) => [name, String(value)])).toString();
        /** @type {Record<string, string>} */
        const headers = {};
        if (this.token !== "") headers.Authorization = `Bearer ${this.token}`;
        if (this.tenant !== "") headers["X-Scope-OrgID"] = this.tenant;
        if (options.body !== undefined) headers["Content-Type"] = "application/json";
        // One signal for the caller's wish and the deadline, until the body is read.
        const limit = new AbortController();
        const abort = () => limit.abort();
        const timer = setTimeout(abort, deadlineMs);
        options.signal?.addEventListener("abort", abort);
        try {
            // Relative to the page, so that a path prefix of a reverse proxy is kept.
            const answer = await fetch(`api/v1/${path}${text === "" ? "" : `?${text}`}`, {
                method: options.method, headers, body: options.body ?? null, signal: limit.signal,
                cache: "no-store",
            });
            if (!answer.ok) throw await refusalOf(answer);
            return await read(answer);
        } catch (error) {
            if (options.signal?.aborted || error instanceof ControllerError) throw error;
            const found = error instanceof SyntaxError ? "something else than JSON" : "no answer";
            throw new ControllerError(0, "unreachable",
                `cannot reach the controller at ${location.host}: got ${found}; want an answer`);
        } finally {
            clearTimeout(timer);
            if (!options.endless) options.signal?.removeEventListener("abort", abort);
        }
    }
}

/**
 * @param {Response} answer
 * @returns {Promise<ControllerError>}
 */
async function refusalOf(answer) {
    try {
        const body = await answer.json();
        if (typeof body.message === "string") {
            return new ControllerError(answer.status, String(body.code), body.message, body);
        }
    } catch {
        // Not JSON: a proxy in between answered, and the status is all there is.
    }
    return new ControllerError(answer.status, "unknown",
        `cannot use the controller's answer: got status ${answer.status}; want 200`);
}
