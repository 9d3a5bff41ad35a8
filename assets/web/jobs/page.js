// The page of the jobs: the queue and its results, and the exports.

import { button, cover, iconButton } from "../base/controls.js";
import { el, eachFrame, fill, reconcile, setText } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { list, percent, stemTitle, stem, took } from "../base/numbers.js";
import { t } from "../base/words.js";
import { exportList } from "../export/cards.js";
import { isActive } from "../library/jobs.js";
import { attempt } from "../overlays/notices.js";
import { askReset } from "../overlays/settings.js";

/**
 * Builds the page.
 *
 * @param {import("../app.js").App} app
 * @param {import("../base/scope.js").Scope} scope
 * @returns {HTMLElement}
 */
export function jobsPage(app, scope) {
    document.title = `${t("job-title")} – Partita`;
    const rows = el("ul.jobs");
    const none = el("p.dim", {}, el("strong", {}, t("job-none")), " ", t("job-none.hint"));
    const clear = button(t("job-clear-all"), () => attempt(() => app.jobs.clearAll()), {
        class: ".link",
        tooltip: t("job-clear-all.tooltip"),
    });
    const reset = button(t("settings-reset"), () => attempt(() => askReset(app)), { class: ".link" });
    const update = eachFrame(() => {
        const jobs = app.jobs.list;
        none.hidden = jobs.length > 0;
        clear.hidden = jobs.every(isActive);
        reconcile(rows, jobs, {
            key: ({ id }) => id,
            create: () => el("li.job"),
            update: (row, job) => updateJob(app, row, job),
        });
    });
    scope.add(app.jobs.on("change", update));
    scope.add(app.library.on("song", update));
    update();
    const close = el(
        "a.icon-button",
        { href: "#/", "aria-label": t("close"), title: t("close") },
        icon("close", 18),
    );
    return el(
        "main.page.jobs-page",
        { id: "main", tabindex: -1 },
        el("div.page-head", {}, el("h1.page-title", {}, t("job-title")), close),
        el("div.page-links", {}, clear, reset),
        none,
        rows,
        exportList(app, scope),
    );
}

function updateJob(app, row, job) {
    const song = app.library.find(job.song);
    if (!song)
        app.library.song(job.song).then(
            (found) => app.library.emit("song", found),
            () => {},
        );
    const title = song?.title ?? "…";
    const shown = JSON.stringify([title, song?.cover, job.state, job.stems]);
    if (row.dataset.shown !== shown) {
        const focused = row.contains(document.activeElement);
        row.dataset.shown = shown;
        fill(
            row,
            el("div.progress-value", { "aria-hidden": "true" }),
            song ? cover(song, ".job-cover") : el("span.cover.job-cover"),
            el(
                "div.job-text",
                {},
                el("a.job-title", { href: `#/song/${job.song}` }, title),
                el("span.dim", {}, `${stemList(job.stems)} · ${job.model}`),
                el("span.job-state"),
            ),
            el("div.job-buttons", {}, buttons(app, job, title)),
        );
        if (focused) row.querySelector("button, a").focus();
    }
    row.querySelector(".progress-value").style.setProperty(
        "--done",
        isActive(job) ? `${job.percent}%` : "0%",
    );
    const state = row.querySelector(".job-state");
    setText(state, job.note ? `${stateText(job)} · ${job.note}` : stateText(job));
    state.classList.toggle("failure-text", job.state === "failed");
}

function stemList(names) {
    return list(names.map((name, place) => (place === 0 ? stemTitle(name) : stem(name))));
}

function stateText(job) {
    const part = percent(job.percent / 100);
    switch (job.state) {
        case "running":
            return t("job-running", { percent: part });
        case "waiting":
            return job.place ? t("job-waiting", { count: job.place }) : t("job-next");
        case "paused":
            return t("job-paused", { percent: part });
        case "done":
            return job.seconds ? t("job-done", { took: took(job.seconds) }) : t("job-done-before");
        case "failed":
            return t("job-failed", { reason: job.problem?.detail ?? job.problem?.title ?? "" });
        default:
            return t("job-cancelled", { percent: part });
    }
}

function buttons(app, job, title) {
    const one = (shape, action, act) =>
        iconButton(shape, t("job-button", { action, title }), () => attempt(act), { tooltip: action });
    const act = (name) => () => app.jobs.act(job.id, name);
    const shown = [];
    if (job.state === "running" || job.state === "waiting")
        shown.push(one("pause", t("job-pause"), act("pause")));
    if (job.state === "paused") shown.push(one("play", t("job-continue"), act("continue")));
    if (job.state === "failed" || job.state === "cancelled")
        shown.push(one("retry", t("job-retry"), act("retry")));
    if (isActive(job)) shown.push(one("close", t("job-cancel"), act("cancel")));
    else shown.push(one("close", t("job-clear"), () => app.jobs.clear(job.id)));
    return shown;
}
