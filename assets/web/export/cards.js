// Exports as cards: their progress, and the links to their files once they are done.

import { button, iconButton } from "../base/controls.js";
import { el, eachFrame, fill, reconcile, setAttribute } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { bytes, decibels, percent } from "../base/numbers.js";
import { t } from "../base/words.js";
import { attempt } from "../overlays/notices.js";

/**
 * The cards of the exports that this page started, over the page.
 *
 * @param {import("../app.js").App} app
 * @param {import("../base/scope.js").Scope} scope
 * @returns {HTMLElement}
 */
export function exportCards(app, scope) {
    const { exports } = app;
    const element = el("div.export-cards", { role: "region", "aria-label": t("page-exports") });
    const update = eachFrame(() => {
        const shown = app.page === "jobs" ? [] : exports.list.filter(({ id }) => exports.shown.has(id));
        element.hidden = shown.length === 0;
        showCards(app, element, shown, ({ id }) => exports.dismiss(id));
    });
    scope.add(exports.on("change", update));
    scope.add(app.on("page", update));
    scope.add(app.library.on("song", update));
    update();
    return element;
}

/**
 * Shows a card for each export.
 *
 * @param {import("../app.js").App} app
 * @param {Element} place
 * @param {object[]} list
 * @param {(one: object) => void} close action of the button of an ended export
 */
export function showCards(app, place, list, close) {
    reconcile(place, list, {
        key: ({ id }) => id,
        create: () => el("article.export-card"),
        update: (card, one) => updateCard(app, card, one, close),
    });
}

function updateCard(app, card, one, close) {
    const song = app.library.find(one.song);
    if (!song)
        app.library.song(one.song).then(
            (found) => app.library.emit("song", found),
            () => {},
        );
    const title = song?.title ?? "…";
    const bar = card.querySelector(".progress-value");
    const shown = `${one.state} ${title}`;
    if (card.dataset.shown === shown && bar) {
        showProgress(card, bar, one);
        return;
    }
    const hadFocus = card.contains(document.activeElement);
    card.dataset.shown = shown;
    fill(
        card,
        one.state === "running"
            ? running(app, one, title)
            : ended(one, title, close, app.exports.leveled.has(one.id)),
    );
    if (hadFocus) card.querySelector("a, button")?.focus();
    const started = card.querySelector(".progress-value");
    if (started) showProgress(card, started, one);
}

function running(app, one, title) {
    const name = t("card-exporting", { title });
    return [
        el("div.progress-value", {
            role: "progressbar",
            "aria-label": name,
            "aria-valuemin": 0,
            "aria-valuemax": 100,
        }),
        el(
            "div.card-head",
            {},
            el("strong", {}, name),
            iconButton("close", t("card-cancel"), () => attempt(() => app.exports.remove(one.id))),
        ),
        el("p.card-percent"),
    ];
}

function showProgress(card, bar, { fraction }) {
    const text = percent(fraction ?? 0);
    bar.style.setProperty("--done", `${100 * (fraction ?? 0)}%`);
    setAttribute(bar, "aria-valuenow", String(Math.floor(100 * (fraction ?? 0))));
    card.querySelector(".card-percent").textContent = text;
}

function ended(one, title, close, isLeveled) {
    const notes = [...(one.notes ?? [])];
    if (one.gain_db) {
        const gain = Math.abs(one.gain_db) < 0.1 ? t("card-gain-small") : decibels(one.gain_db);
        notes.unshift(isLeveled ? t("card-gain-loudness", { gain }) : t("card-gain-clipping", { gain }));
    }
    if (one.problem) notes.unshift(one.problem.detail ?? one.problem.title);
    const isDone = one.state === "done" && one.files.length > 0;
    return [
        el(
            "div.card-head",
            { role: "status" },
            el("strong", {}, headingOf(one, title)),
            iconButton("close", t("page-close-export", { title }), () => close(one)),
        ),
        notes.length > 0 && el("p.dim", {}, notes.join(". ")),
        isDone && el("ul.files", {}, one.files.map(fileLink)),
        isDone &&
            one.files.length > 1 &&
            el(
                "a.button.archive",
                { href: one.archive, download: "" },
                icon("download"),
                t("page-download-all"),
            ),
    ];
}

function headingOf(one, title) {
    if (one.state === "failed") return t("card-failed", { title });
    if (one.state === "cancelled") return t("card-cancelled");
    if (one.files.length === 0) return t("card-nothing-written", { title });
    if (one.files.length === 1) return t("card-done", { file: one.files[0].name });
    return t("card-done-files", { files: t("files", { count: one.files.length }), title });
}

function fileLink(file) {
    return el(
        "li",
        {},
        el(
            "a.file-link",
            { href: file.href, download: file.name },
            icon("download", 14),
            el("span.file-name", {}, file.name),
            el("span.dim", {}, bytes(file.bytes)),
        ),
    );
}

/**
 * The list of all exports, for the page of the jobs.
 *
 * @param {import("../app.js").App} app
 * @param {import("../base/scope.js").Scope} scope
 * @returns {HTMLElement}
 */
export function exportList(app, scope) {
    const place = el("div.export-list");
    const clear = button(
        t("page-remove-exports"),
        () =>
            attempt(async () => {
                for (const { id } of app.exports.list.filter(({ state }) => state !== "running"))
                    await app.exports.remove(id);
            }),
        { class: ".link" },
    );
    const element = el(
        "section.exports",
        { "aria-label": t("page-exports") },
        el("h2", {}, t("page-exports")),
        clear,
        place,
    );
    const update = eachFrame(() => {
        const { list } = app.exports;
        element.hidden = list.length === 0;
        showCards(app, place, list, ({ id }) => attempt(() => app.exports.remove(id)));
    });
    scope.add(app.exports.on("change", update));
    scope.add(app.library.on("song", update));
    update();
    return element;
}
