// SPDX-License-Identifier: Apache-2.0
// What the controller says about agents, summed up in words.
import { formatAge, formatBytes, formatCount, formatTime } from "./format.mjs";

/**
 * @typedef {object} Agent one entry of `GET /api/v1/agents`
 * @property {string} service
 * @property {string} instance
 * @property {string} version
 * @property {string} host
 * @property {number} pid
 * @property {"connected" | "away"} state
 * @property {number} startedMs
 * @property {number} lastSeenMs
 * @property {string} agentVersion
 * @property {string[]} notes
 * @property {string[]} problems
 * @property {{ enabled: boolean, hertz: number, samples: number,
 *   desired: { enabled: boolean, hertz: number } | null }} cpu
 * @property {number} ownCPUPercent
 * @property {number} processCPUPercent
 * @property {number} ownMemoryBytes
 * @property {number} threads
 * @property {number} profilesSent
 * @property {Record<string, number>} losses
 * @property {string[]} missingDebugInfo
 * @property {string[]} buildIDs the program's own first
 */

/**
 * The strip's line.
 *
 * @param {Agent[]} agents
 * @returns {{ text: string, level: "good" | "warn" | "none" }}
 */
export function summaryOf(agents) {
    const connected = agents.filter((agent) => agent.state === "connected");
    if (connected.length === 0) {
        const text = agents.length === 0 ? "No agent connected"
            : `No agent connected; ${formatCount(agents.length, "agent")} away`;
        return { text, level: "none" };
    }
    const parts = [`${formatCount(connected.length, "agent")} connected`];
    const rates = new Set(connected.map(rateText));
    parts.push(rates.size === 1 ? [...rates][0] : "different rates");
    const cost = Math.max(...connected.map((agent) => agent.ownCPUPercent));
    parts.push(`own cost ${connected.length > 1 ? "up to " : ""}${cost.toFixed(2)} % of a core`);
    const lost = connected.reduce((sum, agent) => sum + lostBy(agent), 0);
    parts.push(lost === 0 ? "nothing lost" : `${formatCount(lost, "loss").replace(/losss$/, "losses")}`);
    const problems = connected.reduce((sum, agent) => sum + agent.problems.length, 0);
    if (problems > 0) parts.push(formatCount(problems, "problem"));
    return { text: parts.join(" · "), level: lost > 0 || problems > 0 ? "warn" : "good" };
}

/**
 * @param {Agent} agent
 * @returns {string}
 */
export function rateText(agent) {
    return agent.cpu.enabled ? `${hertzText(agent.cpu.hertz)} Hz` : "sampling off";
}

/**
 * @param {number} hertz
 * @returns {string}
 */
export function hertzText(hertz) {
    return String(Math.round(hertz * 100) / 100);
}

/**
 * What the agent was asked for and does not do yet; empty when it does.
 *
 * @param {Agent} agent
 * @returns {string}
 */
export function pendingText(agent) {
    const { desired, enabled, hertz } = agent.cpu;
    if (!desired) return "";
    // A rate is a whole number of nanoseconds between samples, so that it comes back nearly as asked for.
    const near = Math.abs(desired.hertz - hertz) < 0.01 * desired.hertz;
    if (desired.enabled === enabled && (!enabled || near)) return "";
    return desired.enabled ? `asked for ${hertzText(desired.hertz)} Hz` : "asked to stop";
}

/**
 * @param {Agent} agent
 * @returns {number}
 */
function lostBy(agent) {
    return Object.values(agent.losses).reduce((sum, count) => sum + count, 0);
}

/**
 * @param {Agent} agent
 * @returns {string}
 */
export function costText(agent) {
    return `${agent.ownCPUPercent.toFixed(2)} % of a core, ${formatBytes(agent.ownMemoryBytes)}`;
}

/** What the agent may cost of the CPU time that the service uses: docs/agent.md. */
const goalShare = 0.005;

/**
 * @param {Agent} agent
 * @returns {string} the cost against what it should be at most
 */
export function budgetText(agent) {
    if (!(agent.processCPUPercent > 0)) return "the process uses no CPU time";
    const share = agent.ownCPUPercent / agent.processCPUPercent;
    const text = `${(share * 100).toFixed(2)} % of the process's CPU time; wanted: at most ${goalShare * 100} %`;
    if (share <= goalShare) return text;
    // Of a process that idles, any agent is a large part.
    return agent.processCPUPercent > 20 ? `${text} – over` : `${text} of one that is busy; this one mostly idles`;
}

/**
 * @param {Agent} agent
 * @returns {string}
 */
export function buildText(agent) {
    return agent.buildIDs.length > 0 ? agent.buildIDs[0].slice(0, 16) : "unknown";
}

/**
 * @param {Agent} agent
 * @param {number} nowMs
 * @returns {string}
 */
export function uptimeText(agent, nowMs) {
    return `${formatAge(Math.max(0, (agent.state === "away" ? agent.lastSeenMs : nowMs) - agent.startedMs))}, since ${formatTime(agent.startedMs, nowMs)}`;
}

/**
 * Problems, losses and missing debug info, one line each.
 *
 * @param {Agent} agent
 * @returns {string[]}
 */
export function concernsOf(agent) {
    const losses = Object.entries(agent.losses).filter(([, count]) => count > 0)
        .map(([reason, count]) => `lost: ${reason} ${count.toLocaleString("en-US")}`);
    const missing = agent.missingDebugInfo.map((image) => `no debug info: ${image}`);
    return [...agent.problems, ...losses, ...missing];
}
