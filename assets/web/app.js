// The page as a whole: its data, the address that says which song or page is open, and the views. A
// change of the language builds the views again; data and playback go on.

import { el, setAttribute, settled } from "./base/dom.js";
import { Emitter } from "./base/emitter.js";
import { events } from "./base/events.js";
import { Scope } from "./base/scope.js";
import { onLanguage, t } from "./base/words.js";
import { exportCards } from "./export/cards.js";
import { openExport } from "./export/dialog.js";
import { Exports } from "./export/exports.js";
import { jobsPage } from "./jobs/page.js";
import { dropAnywhere } from "./library/drop.js";
import { Jobs } from "./library/jobs.js";
import { Library } from "./library/library.js";
import { libraryPanel } from "./library/panel.js";
import { rename } from "./library/row.js";
import { Uploads } from "./library/uploads.js";
import { attempt, noticeArea, warn } from "./overlays/notices.js";
import { Player } from "./player/player.js";
import { SAMPLE_RATE } from "./player/plan.js";
import { rangeAt } from "./player/ranges.js";
import { SongModel } from "./song/model.js";
import { emptyPage, songPage } from "./song/page.js";
import { transport } from "./song/transport.js";

/** Width below which library and song are two screens. */
const NARROW = matchMedia("(max-width: 760px)");

/** The page. Emits `page`, `model`, `song` and `connection`. */
export class App extends Emitter {
    #scope = new Scope();
    #pageScope = new Scope();
    #place;
    #main = el("main");
    #hasShown = false;
    page = "library";
    model = null;
    view = null;
    isConnected = true;

    /**
     * @param {HTMLElement} place
     * @param {boolean} needsToken
     */
    constructor(place, needsToken) {
        super();
        this.#place = place;
        this.needsToken = needsToken;
        this.library = new Library();
        this.jobs = new Jobs();
        this.uploads = new Uploads();
        this.exports = new Exports();
        this.player = new Player();
        events.on("connection", (isOpen) => {
            this.isConnected = isOpen;
            this.emit("connection", isOpen);
        });
        this.uploads.on("imported", (song) => this.#openFirst(song));
        this.uploads.on("failed", ({ name, problem }) => warn(t("page-upload-failed", { name, problem })));
        this.library.on("removed", (id) => this.model?.id === id && this.open("#/"));
        this.player.on("stale", () => this.model?.reload());
        this.player.on("unshifted", ({ message }) => warn(t("page-no-shifter", { problem: message })));
        const follow = settled(300, () => this.#follow());
        this.player.on("seek", follow);
        onLanguage(() => this.mount());
        addEventListener("hashchange", () => {
            for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
            this.#route();
        });
        NARROW.addEventListener("change", () => this.#route());
    }

    /** Builds the views. */
    mount() {
        this.#scope.end();
        const scope = (this.#scope = new Scope());
        const skip = el(
            "a.skip",
            {
                href: "#main",
                onclick: (event) => {
                    event.preventDefault();
                    this.#main.focus();
                },
            },
            t("page-skip"),
        );
        this.#main = el("main");
        this.#place.replaceChildren(
            skip,
            libraryPanel(this, scope),
            this.#main,
            transport(this, scope),
            el("div.overlays", {}, noticeArea(), exportCards(this, scope)),
            dropAnywhere(scope, (files) => this.uploads.add(files)),
        );
        this.#showPage();
    }

    /** Loads the lists and shows the page of the address. */
    async start() {
        await attempt(() =>
            Promise.all([this.library.refresh(), this.jobs.refresh(), this.exports.refresh()]),
        );
        this.#route();
    }

    /** Opens an address within the page. */
    open(hash) {
        if (location.hash === hash || (hash === "#/" && location.hash === "")) this.#route();
        else location.hash = hash;
    }

    /** Number of frames of the selected song, or 0. */
    get frames() {
        return this.model?.answer?.frames ?? 0;
    }

    /** Whether stems of the selected song can be exported. */
    get canExport() {
        const lanes = this.model?.answer?.lanes ?? [];
        const played = lanes.filter(({ kind, is_heard }) => kind === "stem" && is_heard);
        const isWhole = ({ covered }) =>
            covered.length === 1 && covered[0][0] === 0 && covered[0][1] >= this.frames;
        return played.some(isWhole) && !this.model.isBusy;
    }

    process() {
        if (!this.model?.answer || this.model.instruments.ticked().length === 0) return;
        attempt(() => this.model.process(this.player.frame / SAMPLE_RATE));
    }

    export() {
        if (this.canExport) openExport(this);
    }

    rename() {
        if (this.model?.song) rename(this, this.model.song);
    }

    /** After a seek, the segment under the play head is computed next. */
    #follow() {
        const { model, player } = this;
        if (!model?.isBusy || !model.answer || model.song.job.state === "paused") return;
        const isMissing = (name) => !rangeAt(model.lane(name)?.covered ?? [], player.frame);
        if (!model.song.job.stems.some(isMissing)) return;
        attempt(() => model.follow(player.frame / SAMPLE_RATE));
    }

    #openFirst(song) {
        if (song !== null && !this.model) this.open(`#/song/${song}`);
    }

    #route() {
        const id = Number(/^#\/song\/(\d+)$/.exec(location.hash)?.[1] ?? NaN);
        if (location.hash === "#/jobs") {
            this.page = "jobs";
        } else if (Number.isFinite(id)) {
            this.page = "song";
            this.#select(id);
        } else {
            this.page = "library";
            // Beside the library of a wide page, the song that was open, or the first one.
            const next = this.model?.id ?? this.library.songs[0]?.id;
            const exists = next !== undefined && this.library.find(next);
            if (!NARROW.matches && exists) {
                history.replaceState(null, "", `#/song/${next}`);
                this.page = "song";
                this.#select(next);
            } else if (!exists) {
                this.#select(null);
            }
        }
        this.#showPage();
    }

    #select(id) {
        if (this.model?.id === id || (id === null && !this.model)) return;
        this.model?.end();
        this.player.load(null);
        this.model = id === null ? null : new SongModel(id);
        this.emit("model");
        if (this.model) this.#load(this.model);
    }

    async #load(model) {
        let isLoaded = false;
        let heard = "";
        const update = () => {
            if (!isLoaded || this.model !== model || !model.sound) return;
            // Only other lanes, or another coverage, need another deck.
            const before = heard;
            heard = JSON.stringify([model.sound.version, model.answer.lanes]);
            this.player.update(model.sound, heard === before);
            this.emit("song");
        };
        model.on("lanes", update);
        model.on("mixer", update);
        model.on("progress", () => this.emit("song"));
        model.on("gone", () => this.#close(model));
        model.on("unsaved", () => warn(t("page-unsaved")));
        try {
            await model.load();
        } catch (problem) {
            if (problem.status === 404) this.#close(model);
            warn(problem);
            return;
        }
        if (this.model !== model) return;
        isLoaded = true;
        this.player.load(model.sound);
        this.emit("song");
    }

    #close(model) {
        if (this.model !== model) return;
        this.#select(null);
        this.open("#/");
    }

    #showPage() {
        this.#pageScope.end();
        const scope = (this.#pageScope = new Scope());
        this.view = null;
        let main;
        if (this.page === "jobs") {
            main = jobsPage(this, scope);
        } else if (this.model) {
            this.view = songPage(this, scope);
            main = this.view.element;
        } else {
            main = emptyPage();
        }
        // On a narrow page, the library alone is the main part.
        const library = this.#place.querySelector(".library");
        setAttribute(library, "role", NARROW.matches && this.page === "library" ? "main" : null);
        this.#main.replaceWith(main);
        this.#main = main;
        document.body.dataset.page = this.page;
        document.body.dataset.song = String(this.model !== null);
        // On a narrow page, the screen with the focus was replaced.
        if (NARROW.matches && this.#hasShown) (this.page === "library" ? library : main).focus();
        this.#hasShown = true;
        this.emit("page");
    }
}
