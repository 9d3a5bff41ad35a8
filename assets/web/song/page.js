// The page of the selected song: its head, its next step, its instruments and its lanes.

import { button, cover, iconButton } from "../base/controls.js";
import { el, eachFrame, fill, setText } from "../base/dom.js";
import { icon, mark } from "../base/icons.js";
import { soundLine } from "../base/numbers.js";
import { t } from "../base/words.js";
import { songActions } from "../library/row.js";
import { openMenu } from "../overlays/menu.js";
import { lanesView } from "./lanes.js";
import { nextStep } from "./next_step.js";
import { optionsView } from "./options.js";
import { ticksView } from "./ticks.js";

/**
 * Builds the page.
 *
 * @param {import("../app.js").App} app
 * @param {import("../base/scope.js").Scope} scope
 * @returns {{element: HTMLElement, toggleLane: Function, zoom: Function}}
 */
export function songPage(app, scope) {
    const { model } = app;
    const lanes = lanesView(app, scope);
    const element = el(
        "main.song",
        { id: "main", tabindex: -1 },
        el("div.song-top", {}, head(app, scope), nextStep(app, scope)),
        ticksView(model, scope),
        optionsView(model, scope),
        lanes.element,
    );
    return { element, toggleLane: lanes.toggleLane, zoom: lanes.zoom };
}

function head(app, scope) {
    const { model } = app;
    // An empty heading would be read aloud.
    const title = el("h1.song-title", { hidden: true });
    const artist = el("p.dim");
    const sound = el("p.faint");
    const notes = el("ul.notes");
    const picture = el("div.song-cover");
    const menu = iconButton("more", t("page-actions", { title: "" }).trim(), () =>
        openMenu(menu, songActions(app, app.library.find(model.id) ?? model.song)),
    );
    menu.setAttribute("aria-haspopup", "menu");
    let shown = "";
    const update = eachFrame(() => {
        const { song } = model;
        if (!song) return;
        title.hidden = false;
        setText(title, song.title);
        setText(artist, [song.artist ?? t("unknown-artist"), song.album].filter(Boolean).join(" · "));
        setText(sound, soundLine(song, app.player.keySpeed.semitones));
        menu.setAttribute("aria-label", t("page-actions", { title: song.title }));
        fill(
            notes,
            (song.notes ?? []).map((note) => el("li", {}, icon("warning", 14), note)),
        );
        notes.hidden = !song.notes?.length;
        if (shown !== `${song.cover} ${song.title}`) {
            shown = `${song.cover} ${song.title}`;
            fill(picture, cover(song, ".large-cover"));
            document.title = `${song.title} – Partita`;
        }
    });
    scope.add(model.on("song", update));
    scope.add(app.player.on("state", update));
    update();
    const back = el(
        "a.icon-button.back",
        { href: "#/", "aria-label": t("page-back"), title: t("page-back") },
        icon("back", 18),
    );
    return el(
        "div.song-head",
        {},
        back,
        picture,
        el("div.song-facts", {}, el("div.title-line", {}, title, menu), artist, sound, notes),
    );
}

/**
 * The page without a song: a place to drop one.
 *
 * @returns {HTMLElement}
 */
export function emptyPage() {
    document.title = "Partita";
    const choose = button(t("action-add-files"), () => document.querySelector("#choose-files").click(), {
        class: ".primary.large",
        tooltip: t("action-add-files.tooltip"),
    });
    return el(
        "main.empty",
        { id: "main", tabindex: -1 },
        el(
            "div.empty-zone",
            {},
            mark(68),
            el("h1", {}, t("empty-title")),
            el("p.dim", {}, t("page-empty-line")),
            choose,
        ),
    );
}
