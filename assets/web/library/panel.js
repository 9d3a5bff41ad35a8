// The library at the left, or as the first screen of a phone: search, order, songs, uploads, and the line
// of the jobs.

import { button, iconButton } from "../base/controls.js";
import { el, eachFrame, fill, reconcile, setAttribute, setText } from "../base/dom.js";
import { icon, mark } from "../base/icons.js";
import { t } from "../base/words.js";
import { openSettings } from "../overlays/settings.js";
import { attempt } from "../overlays/notices.js";
import { fileChooser } from "./drop.js";
import { listKeys } from "./list_keys.js";
import { createRow, openRowMenu, remove, rename, updateRow } from "./row.js";
import { createUpload, unfinishedNotice, updateUpload } from "./upload_row.js";

/**
 * Builds the library.
 *
 * @param {import("../app.js").App} app
 * @param {import("../base/scope.js").Scope} scope
 * @returns {HTMLElement}
 */
export function libraryPanel(app, scope) {
    const list = el("div.songs", { role: "grid", "aria-label": t("page-songs") });
    const songOf = (key) => app.library.find(Number(key));
    const keys = listKeys(list, {
        titleOf: (key) => songOf(key).title,
        open: (key) => openRowMenu(app, list.querySelector(`[data-key="${key}"]`), songOf(key)),
        rename: (key) => rename(app, songOf(key)),
        remove: (key) => remove(app, songOf(key)),
        more: () => attempt(() => app.library.more()),
        all: () =>
            attempt(async () => {
                await app.library.all();
                show();
            }),
    });
    const empty = el("p.library-empty", { hidden: true });
    const more = button(t("page-more"), () => attempt(() => app.library.more()), { class: ".link.more" });
    const uploads = el("ul.uploads", { "aria-label": t("page-uploads") });
    const unfinished = el("div.unfinished");
    const scroller = el("div.library-scroll", {}, uploads, unfinished, list, empty, more);

    const show = () => {
        const { songs, hasMore, search, isLoaded } = app.library;
        keys.keep(() =>
            reconcile(list, songs, {
                key: (song) => song.id,
                create: (song) => createRow(app, song),
                update: (row, song) => updateRow(app, row, song),
            }),
        );
        list.hidden = songs.length === 0;
        list.setAttribute("aria-rowcount", String(app.library.total));
        [...list.children].forEach((row, place) => setAttribute(row, "aria-rowindex", String(place + 1)));
        more.hidden = !hasMore;
        empty.hidden = !isLoaded || songs.length > 0 || search === "";
        setText(empty, t("library-no-match", { typed: search }));
    };
    const update = eachFrame(show);
    const updateUploads = eachFrame(() => {
        reconcile(uploads, app.uploads.list, {
            key: (upload) => upload.key,
            create: (upload) => createUpload(app, upload),
            update: updateUpload,
        });
        uploads.hidden = app.uploads.list.length === 0;
        fill(unfinished, unfinishedNotice(app));
    });
    for (const name of ["list", "song", "removed"]) scope.add(app.library.on(name, update));
    scope.add(app.on("page", update));
    scope.add(app.uploads.on("change", updateUploads));
    update();
    updateUploads();
    loadAtEnd(app, scope, scroller, more);

    return el(
        "section.library",
        { "aria-label": t("page-library"), tabindex: -1 },
        head(app, scope),
        tools(app, scope),
        scroller,
        dropZone(app),
        jobsLine(app, scope),
    );
}

function loadAtEnd(app, scope, scroller, more) {
    const observer = new IntersectionObserver(
        (entries) => {
            if (entries.some((entry) => entry.isIntersecting)) attempt(() => app.library.more());
        },
        { root: scroller, rootMargin: "400px" },
    );
    observer.observe(more);
    scope.add(() => observer.disconnect());
}

function head(app, scope) {
    const settings = iconButton("settings", t("action-open-settings"), () => openSettings(app, settings));
    setAttribute(settings, "aria-haspopup", "menu");
    const offline = el("p.offline", { role: "status", hidden: true }, icon("warning", 14), t("page-offline"));
    scope.add(
        app.on("connection", (isOpen) => {
            offline.hidden = isOpen;
        }),
    );
    offline.hidden = app.isConnected;
    return el(
        "header.library-head",
        {},
        el("div.brand", {}, mark(24), el("h1", {}, "Partita"), settings),
        offline,
    );
}

function tools(app, scope) {
    const field = el("input.search", {
        type: "search",
        value: app.library.search,
        "aria-label": t("library-search"),
        id: "search",
        oninput: () => app.library.setSearch(field.value.trim()),
    });
    const update = () => {
        if (app.library.search !== "") return;
        setAttribute(field, "placeholder", t("library-search-hint", { count: app.library.total }));
    };
    scope.add(app.library.on("list", update));
    update();
    const orders = [
        ["newest", t("library-by-added")],
        ["title", t("library-by-title")],
        ["artist", t("library-by-artist")],
    ];
    const sort = el(
        "select.sort",
        {
            "aria-label": t("library-sort"),
            onchange: () => app.library.setSort(sort.value),
        },
        orders.map(([value, text]) => el("option", { value, selected: value === app.library.sort }, text)),
    );
    return el(
        "div.library-tools",
        { role: "search" },
        el("div.search-box", {}, icon("search", 18), field),
        el("div.sort-box", {}, sort, icon("down", 14)),
    );
}

function dropZone(app) {
    const files = fileChooser((chosen) => app.uploads.add(chosen), false);
    const folder = fileChooser((chosen) => app.uploads.add(chosen), true);
    files.element.id = "choose-files";
    return el(
        "div.drop-zone",
        {},
        el("p", {}, t("library-drop-here")),
        button(t("library-or-files"), files.open, { class: ".link", tooltip: t("action-add-files.tooltip") }),
        button(t("library-or-folder"), folder.open, {
            class: ".link",
            tooltip: t("action-add-folder.tooltip"),
        }),
        files.element,
        folder.element,
    );
}

function jobsLine(app, scope) {
    const text = el("span.dim");
    const line = el(
        "a.jobs-line",
        { href: "#/jobs", title: t("action-open-jobs.tooltip") },
        el("strong", {}, t("library-jobs")),
        text,
        icon("right"),
    );
    const update = () => {
        const { running, waiting } = app.jobs.counts;
        setText(text, jobsText(running, waiting));
        setAttribute(line, "aria-current", app.page === "jobs" ? "page" : null);
    };
    scope.add(app.jobs.on("change", update));
    scope.add(app.on("page", update));
    update();
    return line;
}

function jobsText(running, waiting) {
    if (running > 0 && waiting > 0) return t("library-jobs-both", { running, waiting });
    if (running > 0) return t("library-jobs-running", { count: running });
    return waiting > 0 ? t("library-jobs-waiting", { count: waiting }) : t("library-jobs-none");
}
