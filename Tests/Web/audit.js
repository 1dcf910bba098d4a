// SPDX-License-Identifier: Apache-2.0
// Looks at every visible element of the page as it is: contrast of text, names of controls, overflow.

const complaints = [];
const channels = (colour) => {
    const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    probe.fillStyle = colour;
    probe.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = probe.getImageData(0, 0, 1, 1).data;
    return { red, green, blue, alpha: alpha / 255 };
};
const over = (front, back) => {
    const mix = (name) => front[name] * front.alpha + back[name] * (1 - front.alpha);
    return { red: mix("red"), green: mix("green"), blue: mix("blue"), alpha: 1 };
};
const luminance = ({ red, green, blue }) => {
    const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
};
const backgroundOf = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
        const colour = channels(getComputedStyle(at).backgroundColor);
        layers.push(colour);
        if (colour.alpha === 1) break;
    }
    return layers.reverse().reduce((back, front) => over(front, back), { red: 255, green: 255, blue: 255, alpha: 1 });
};
const describe = (element) => `${element.tagName.toLowerCase()}${element.id ? `#${element.id}` : ""}`
    + ` "${(element.textContent || "").trim().slice(0, 40)}"`;
const isShown = (element) => element.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true })
    && element.getClientRects().length > 0 && !element.closest(".unseen, dialog:not([open])");

for (const element of document.body.querySelectorAll("*")) {
    if (!isShown(element)) continue;
    const style = getComputedStyle(element);
    const ownText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "")
        || (element.tagName === "INPUT" && (element.value || element.placeholder));
    if (ownText && !element.matches(":disabled")) {
        const back = backgroundOf(element);
        const [one, other] = [luminance(over(channels(style.color), back)), luminance(back)];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
        if (ratio < (large ? 3 : 4.5)) complaints.push(`contrast ${ratio.toFixed(2)} of ${describe(element)}`);
    }
    if (element.matches("button, input, select, a[href], canvas, [role], dialog")) {
        const label = element.getAttribute("aria-label") || element.textContent.trim() || element.labels?.[0]?.textContent.trim()
            || document.getElementById(element.getAttribute("aria-labelledby") ?? "")?.textContent;
        if (!label && element.getAttribute("role") !== "alert") complaints.push(`no name: ${describe(element)}`);
    }
    if (element.matches("button, select, input") && element.getBoundingClientRect().height < 22) {
        complaints.push(`target of ${element.getBoundingClientRect().height} px: ${describe(element)}`);
    }
    const box = element.getBoundingClientRect();
    const clipped = (() => {
        for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
            if (/auto|hidden|scroll|clip/.test(getComputedStyle(at).overflowX)) return true;
        }
        return false;
    })();
    if (!clipped && (box.right > innerWidth + 0.5 || box.left < -0.5)) {
        complaints.push(`beyond the window: ${describe(element)} ${Math.round(box.left)}...${Math.round(box.right)} of ${innerWidth}`);
    }
}
const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) complaints.push(`id twice: ${id}`);
for (const element of document.querySelectorAll("[aria-controls], [aria-describedby], [popovertarget]")) {
    for (const name of ["aria-controls", "aria-describedby", "popovertarget"]) {
        const id = element.getAttribute(name);
        if (id && !document.getElementById(id)) complaints.push(`${name} of ${describe(element)} names nothing`);
    }
}
if (document.documentElement.scrollWidth > innerWidth) complaints.push(`the page is ${document.documentElement.scrollWidth} wide`);
if (!document.documentElement.lang || !document.title) complaints.push("the document has no language or title");
return complaints;
