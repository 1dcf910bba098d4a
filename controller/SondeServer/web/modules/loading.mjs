// SPDX-License-Identifier: Apache-2.0
// Everything one state of the page needs from the controller, asked for together.
import { selectorOf } from "./address.mjs";
import { answersOfDiff } from "./compare.mjs";
import { functionsOfTop } from "./functions.mjs";

/** @typedef {import("./address.mjs").PageState} PageState */
/** @typedef {import("./connection.mjs").Connection} Connection */

/**
 * @typedef {object} Loaded
 * @property {import("./flamegraph.mjs").FlameAnswer} flame
 * @property {import("./timeline.mjs").Timeline} timeline
 * @property {import("./agents.mjs").Agent[]} agents
 * @property {import("./flamegraph.mjs").FlameAnswer | null} baseline what is compared with
 * @property {import("./functions.mjs").FunctionRow[] | null} top only where the graph is truncated
 */

/**
 * @param {PageState} state
 * @returns {Record<string, string | number>} what `flame`, `top` and `timeline` are asked with
 */
export function queryOf(state) {
    return { selector: selectorOf(state), type: state.type, from: state.from, until: state.until };
}

/**
 * The question that a state is compared with.
 *
 * @param {PageState} state
 * @returns {PageState}
 */
export function baselineOf(state) {
    return { ...state, from: state.from2 || state.from, until: state.until2 || state.until, filter: state.filter2 };
}

/**
 * @param {Connection} connection
 * @returns {Promise<import("./controls.mjs").Service[]>} all that the controller knows, of any time
 */
export async function loadServices(connection) {
    return (await connection.get("services", { from: 0, until: "now" })).services;
}

/**
 * The service and profile type of a state, chosen where the address does not say.
 *
 * @param {import("./controls.mjs").Service[]} services
 * @param {PageState} state
 * @returns {{ service: string, type: string }}
 */
export function chosenProfile(services, state) {
    const wanted = services.find((service) => service.name === state.service);
    if (state.service !== "" && !wanted) return { service: state.service, type: state.type };
    const busy = services.find((service) => service.agents > 0 && service.profileTypes.length > 0);
    const service = wanted ?? busy ?? services.find((entry) => entry.profileTypes.length > 0) ?? services[0];
    const types = service?.profileTypes ?? [];
    const known = types.some((type) => type.id === state.type || type.name === state.type);
    // A service without CPU profiles shows what it has, unless the address names a full type.
    const type = known || types.length === 0 || state.type.includes(":") ? state.type : types[0].id;
    return { service: service?.name ?? "", type };
}

/**
 * The profile, and what it is compared with: as a diff in one answer, so that both are cut off at
 * the same nodes and a share is exact on either side.
 *
 * @param {Connection} connection
 * @param {PageState} state
 * @param {AbortSignal} signal
 * @returns {Promise<{ flame: import("./flamegraph.mjs").FlameAnswer, baseline: import("./flamegraph.mjs").FlameAnswer | null }>}
 */
async function loadFlames(connection, state, signal) {
    const [query, before] = [queryOf(state), queryOf(baselineOf(state))];
    const maxNodes = state.nodes;
    if (state.compare !== "diff") {
        const [flame, baseline] = await Promise.all([
            connection.get("flame", { ...query, maxNodes }, signal),
            state.compare === "" ? null : connection.get("flame", { ...before, maxNodes }, signal),
        ]);
        return { flame, baseline };
    }
    const diff = await connection.get("diff", {
        type: state.type, maxNodes, leftSelector: before.selector, leftFrom: before.from, leftUntil: before.until,
        rightSelector: query.selector, rightFrom: query.from, rightUntil: query.until,
    }, signal);
    return answersOfDiff(diff);
}

/**
 * @param {Connection} connection
 * @param {PageState} state
 * @param {AbortSignal} signal
 * @returns {Promise<Loaded>}
 */
export async function loadProfile(connection, state, signal) {
    const query = queryOf(state);
    const [{ flame, baseline }, timeline, agents] = await Promise.all([
        loadFlames(connection, state, signal),
        connection.get("timeline", query, signal), loadAgents(connection, state, signal),
    ]);
    const top = flame.truncated && state.compare !== "diff"
        ? functionsOfTop(await connection.get("top", { ...query, limit: 1000 }, signal)) : null;
    return { flame, timeline, agents, baseline, top };
}

/**
 * @param {Connection} connection
 * @param {PageState} state
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("./agents.mjs").Agent[]>}
 */
export async function loadAgents(connection, state, signal) {
    const service = { ...state, filter: "" };
    return (await connection.get("agents", { selector: selectorOf(service) }, signal)).agents;
}

/**
 * Label matchers that the filter suggests.
 *
 * @param {Connection} connection
 * @param {PageState} state
 * @returns {Promise<string[]>}
 */
export async function loadMatchers(connection, state) {
    const { selector, from, until } = queryOf({ ...state, filter: "" });
    const { series } = await connection.get("series", { selector, from, until });
    /** @type {Set<string>} */
    const matchers = new Set();
    for (const { labels } of series) {
        for (const [name, value] of Object.entries(labels)) {
            if (name !== "service_name") matchers.add(`${name}=${JSON.stringify(value)}`);
        }
    }
    return [...matchers].sort().slice(0, 200);
}
