// Notices: short texts at the bottom of the page that screen readers read aloud. Failures stay until
// they are dismissed; other notices leave by themselves.

import { iconButton } from "../base/controls.js";
import { el } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { t } from "../base/words.js";

const SHOWN = 6000;
const MOST = 4;

const polite = el("div.notices", { role: "status", "aria-live": "polite" });
const urgent = el("div.notices", { role: "alert" });

/** The places of the notices, for the page. */
export function noticeArea() {
    return el("div", {}, urgent, polite);
}

/**
 * Shows a notice.
 *
 * @param {string} text
 */
export function notify(text) {
    const notice = show(polite, text, []);
    setTimeout(() => notice.remove(), SHOWN);
}

/**
 * Shows a failure.
 *
 * @param {Error|string} problem
 */
export function warn(problem) {
    if (problem?.name === "AbortError" || problem?.status === 401) return;
    const text = typeof problem === "string" ? problem : problem.message;
    const isShown = [...urgent.children].some((notice) => notice.dataset.text === text);
    if (!isShown) show(urgent, text, [icon("warning")], ".failure");
}

/**
 * Runs an action, and shows its failure.
 *
 * @param {() => Promise<*>} action
 */
export async function attempt(action) {
    try {
        return await action();
    } catch (problem) {
        warn(problem);
        return undefined;
    }
}

function show(area, text, before, classes = "") {
    const notice = el(`div.notice${classes}`, { "data-text": text }, before, el("p", {}, text));
    notice.append(iconButton("close", t("dismiss"), () => notice.remove(), { size: 12, class: ".small" }));
    area.append(notice);
    while (area.children.length > MOST) area.firstElementChild.remove();
    return notice;
}
