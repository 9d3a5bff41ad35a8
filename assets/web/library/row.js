// A song in the library: cover, title, artist, length, and its state as a word or a sign.

import { cover, iconButton } from "../base/controls.js";
import { el, fill, setAttribute, setText } from "../base/dom.js";
import { icon, mark, ring } from "../base/icons.js";
import { clock, percent } from "../base/numbers.js";
import { t } from "../base/words.js";
import { ask, askText } from "../overlays/dialog.js";
import { openMenu } from "../overlays/menu.js";
import { attempt, notify } from "../overlays/notices.js";
import { isActive } from "./jobs.js";

/**
 * Creates the row of a song.
 *
 * @param {import("../app.js").App} app
 * @param {object} song
 * @returns {HTMLElement}
 */
export function createRow(app, song) {
    const menu = iconButton(
        "more",
        t("page-actions", { title: song.title }),
        () => openMenu(menu, songActions(app, song)),
        { class: ".row-menu" },
    );
    setAttribute(menu, "aria-haspopup", "menu");
    const link = el(
        "a.song-link",
        { href: `#/song/${song.id}` },
        el("span.cover-place"),
        el("span.row-text", {}, el("span.row-title"), el("span.row-line")),
        el("span.row-state"),
    );
    for (const element of [link, menu]) element.tabIndex = -1;
    return el(
        "div.song-row",
        { role: "row" },
        el("div", { role: "gridcell" }, link),
        el("div", { role: "gridcell" }, menu),
    );
}

/**
 * Opens the menu of a row from its link, which gets the focus back.
 *
 * @param {import("../app.js").App} app
 * @param {HTMLElement} row
 * @param {object} song
 */
export function openRowMenu(app, row, song) {
    openMenu(row.querySelector(".row-menu"), songActions(app, song), row.querySelector(".song-link"));
}

/**
 * Shows the present state of a song in its row.
 *
 * @param {import("../app.js").App} app
 * @param {HTMLElement} row
 * @param {object} song
 */
export function updateRow(app, row, song) {
    const link = row.querySelector(".song-link");
    const shown = `${song.cover} ${song.title}`;
    if (row.dataset.cover !== shown) {
        row.dataset.cover = shown;
        fill(link.querySelector(".cover-place"), cover(song, ".row-cover"));
        setAttribute(row.querySelector(".row-menu"), "aria-label", t("page-actions", { title: song.title }));
    }
    setText(link.querySelector(".row-title"), song.title);
    setText(
        link.querySelector(".row-line"),
        `${song.artist ?? t("unknown-artist")} · ${clock(song.seconds)}`,
    );
    const isCurrent = app.page === "song" && app.model?.id === song.id;
    setAttribute(link, "aria-current", isCurrent ? "page" : null);
    const state = stateOf(song);
    if (row.dataset.state === state.key) return;
    row.dataset.state = state.key;
    fill(link.querySelector(".row-state"), state.parts());
}

function stateOf(song) {
    const { job } = song;
    if (job?.state === "running") {
        const text = percent(job.percent / 100);
        const name = el("span.hidden", {}, t("library-processing", { percent: text }));
        const figure = el("span", { "aria-hidden": "true" }, text);
        return { key: `running ${job.percent}`, parts: () => [figure, name, ring(job.percent / 100)] };
    }
    const word = isActive(job) ? waitingWord(job) : null;
    if (word) return { key: word, parts: () => [word] };
    const sign = (shape, name) => [shape, el("span.hidden", {}, name)];
    if (job?.state === "failed") {
        return { key: "failed", parts: () => sign(icon("warning", 18), t("library-failed")) };
    }
    if (song.state === "separated")
        return { key: "separated", parts: () => sign(mark(18), t("library-separated")) };
    if (song.notes?.length > 0) {
        return { key: "warning", parts: () => sign(icon("warning", 18), t("library-has-warning")) };
    }
    return { key: "none", parts: () => [] };
}

function waitingWord(job) {
    if (job.state === "paused") return t("library-paused");
    return job.place === 0 ? t("library-next") : t("library-waiting");
}

/**
 * The menu of a song.
 *
 * @param {import("../app.js").App} app
 * @param {object} song
 * @returns {object[]} as `openMenu` takes them
 */
export function songActions(app, song) {
    const cancel = isActive(song.job) && {
        text: t("library-cancel-processing"),
        action: () => attempt(() => app.jobs.act(song.job.id, "cancel")),
    };
    return [
        { text: t("action-rename"), action: () => rename(app, song) },
        ...(cancel ? [cancel] : []),
        { text: t("library-remove"), isDanger: true, action: () => remove(app, song) },
    ];
}

/**
 * Asks for another title.
 *
 * @param {import("../app.js").App} app
 * @param {object} song
 */
export function rename(app, song) {
    askText({
        title: t("action-rename"),
        label: t("library-title-field"),
        value: song.title,
        go: t("action-rename"),
        action: (title) => attempt(() => app.library.rename(song.id, title)),
    });
}

/**
 * Asks before a song is removed.
 *
 * @param {import("../app.js").App} app
 * @param {object} song
 */
export function remove(app, song) {
    ask({
        title: t("page-remove-title", { title: song.title }),
        text: t("page-remove-text"),
        go: t("library-remove-all"),
        action: () =>
            attempt(async () => {
                await app.library.remove(song.id);
                notify(t("notice-removed", { title: song.title }));
            }),
    });
}
