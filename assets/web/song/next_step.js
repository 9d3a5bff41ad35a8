// The song's next step: process, the progress of its job, or what it was separated into.

import { button, iconButton } from "../base/controls.js";
import { el, eachFrame, fill, setAttribute, setText } from "../base/dom.js";
import { icon, mark } from "../base/icons.js";
import { duration, percent, stems, timeLeft } from "../base/numbers.js";
import { t } from "../base/words.js";
import { openModels } from "../overlays/models.js";
import { attempt } from "../overlays/notices.js";

/**
 * Builds the next step.
 *
 * @param {import("../app.js").App} app
 * @param {import("../base/scope.js").Scope} scope
 * @returns {HTMLElement}
 */
export function nextStep(app, scope) {
    const { model } = app;
    const element = el("div.next-step");
    const parts = { busy: busyPart(app), ready: readyPart(app), done: donePart() };
    let shown = null;
    const update = eachFrame(() => {
        if (!model.song || !model.options || !model.answer) return;
        const kind = model.isBusy ? "busy" : isSeparated(model) ? "done" : "ready";
        if (kind !== shown) {
            // After a click, Space plays; only a user of the keyboard goes on from here.
            const focused = element.contains(document.activeElement) && document.activeElement;
            const hadFocus = focused && focused.matches(":focus-visible");
            fill(element, parts[kind].element);
            shown = kind;
            if (hadFocus) element.querySelector("button")?.focus();
        }
        parts[kind].update(model);
    });
    for (const name of ["song", "options", "lanes", "mixer", "progress"]) scope.add(model.on(name, update));
    update();
    return element;
}

/**
 * Whether all ticked stems are complete.
 *
 * @param {import("./model.js").SongModel} model
 * @returns {boolean}
 */
export function isSeparated(model) {
    const ticked = model.instruments.ticked();
    return ticked.length > 0 && ticked.every((name) => model.covered(name) >= 1);
}

function readyPart(app) {
    const process = button(t("action-process"), () => app.process(), {
        class: ".primary.process",
        tooltip: t("action-process.tooltip"),
    });
    const note = el("p.dim");
    const models = button(t("page-models"), () => attempt(openModels), { class: ".primary" });
    const failure = el("p.failure-text");
    const retry = button(t("job-retry"), () => attempt(() => app.jobs.act(app.model.song.job.id, "retry")), {
        class: ".link",
    });
    return {
        element: el("div.ready", {}, process, models, note, failure, retry),
        update: (model) => {
            const ticked = model.instruments.ticked();
            const isFailed = model.song.job?.state === "failed";
            const done = ticked.length === 0 ? 0 : Math.min(...ticked.map((name) => model.covered(name)));
            process.disabled = ticked.length === 0;
            setText(process, done > 0 ? t("song-continue") : t("action-process"));
            process.hidden = Boolean(model.options.problem);
            models.hidden = !process.hidden;
            setText(note, model.options.problem ?? noteText(model, ticked, done));
            failure.hidden = retry.hidden = !isFailed;
            if (isFailed)
                fill(failure, icon("warning", 14), model.song.job.problem?.detail ?? t("library-failed"));
        },
    };
}

function noteText(model, ticked, done) {
    if (ticked.length === 0) return t("song-select-first");
    if (done > 0) return t("song-partly-done", { percent: percent(done) });
    const choice = model.options.choices.find((one) => one.quality === model.options.quality);
    return choice?.seconds ? t("page-takes-about", { time: duration(choice.seconds) }) : "";
}

function donePart() {
    const text = el("span");
    return {
        element: el("p.separated", {}, mark(16), text),
        update: (model) => {
            const heard = model.answer.lanes.filter((lane) => lane.kind === "stem" && lane.is_heard);
            const isDraft = model.options.quality === "draft";
            setText(text, isDraft ? t("song-is-draft") : t("song-separated-into", { count: heard.length }));
        },
    };
}

function busyPart(app) {
    const act = (action) => attempt(() => app.jobs.act(app.model.song.job.id, action));
    const heading = el("strong");
    const line = el("span.progress-line");
    const pause = iconButton("pause", t("song-pause"), () => act("pause"), {
        class: ".round",
        tooltip: t("song-pause.tooltip"),
    });
    const go = iconButton("play", t("song-continue"), () => act("continue"), { class: ".round" });
    const cancel = iconButton("close", t("action-cancel-job"), () => act("cancel"), {
        class: ".round",
        tooltip: t("action-cancel-job.tooltip"),
    });
    const bar = el("div.progress-value", {
        role: "progressbar",
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        "aria-labelledby": "progress-heading",
    });
    heading.id = "progress-heading";
    const below = el("p.dim.below");
    // Screen readers hear each state once, not every percent.
    const spoken = el("span.hidden", { role: "status" });
    return {
        element: el(
            "div.busy",
            {},
            el("div.progress-card", {}, bar, el("div.progress-text", {}, heading, line), pause, go, cancel),
            below,
            spoken,
        ),
        update: ({ song, instruments }) => {
            const { job } = song;
            const order = instruments.order();
            const names = [...job.stems].sort((a, b) => order.indexOf(a) - order.indexOf(b));
            const words = progressWords(job, names);
            setText(heading, words.heading);
            setText(line, words.line);
            setText(spoken, words.heading);
            setAttribute(bar, "aria-valuenow", String(job.percent));
            setAttribute(bar, "aria-valuetext", words.line);
            bar.style.setProperty("--done", `${job.percent}%`);
            pause.hidden = job.state === "paused";
            go.hidden = job.state !== "paused";
            setText(below, job.note ?? belowText(job));
        },
    };
}

function progressWords(job, names) {
    const part = percent(job.percent / 100);
    if (job.state === "paused")
        return { heading: t("library-paused"), line: t("job-paused", { percent: part }) };
    if (job.state === "waiting") {
        const ahead = job.place ?? 0;
        return {
            heading: t("song-waiting"),
            line: ahead === 0 ? t("song-next-in-queue") : t("song-after-others", { count: ahead }),
        };
    }
    const left = job.seconds_left === null ? t("song-estimating") : timeLeft(job.seconds_left);
    return { heading: t("song-separating", { stems: stems(names) }), line: `${part} · ${left}` };
}

function belowText(job) {
    if (job.state !== "running") return "";
    const segments = t("song-segments", { done: job.segments_done, total: job.segments_total });
    return job.segments_total > 0 ? `${segments} · ${t("song-stems-play")}` : t("song-stems-play");
}
