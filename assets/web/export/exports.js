// The exports of the server, kept up to date by its events. Draws nothing.

import { get, send } from "../base/api.js";
import { Emitter } from "../base/emitter.js";
import { events } from "../base/events.js";

/** The exports. Emits `change`. */
export class Exports extends Emitter {
    #exports = new Map();
    /** Ids of exports that this page started and whose card is not dismissed. */
    shown = new Set();
    /** Ids of exports of this page whose gain is for a loudness. */
    leveled = new Set();

    constructor() {
        super();
        events.on("export", (one) => this.#receive(one));
        events.on("resync", () => this.refresh());
    }

    /** All exports, newest first. */
    get list() {
        return [...this.#exports.values()].sort((a, b) => b.id - a.id);
    }

    async refresh() {
        const answer = await get("/exports");
        const list = Array.isArray(answer) ? answer : answer.exports;
        this.#exports = new Map(list.map((one) => [one.id, one]));
        this.emit("change");
    }

    /**
     * Starts an export.
     *
     * @param {number} song
     * @param {object} order
     */
    async start(song, order) {
        const started = await send("POST", `/songs/${song}/exports`, order);
        this.shown.add(started.id);
        if (order.loudness_lufs !== null) this.leveled.add(started.id);
        if (!this.#exports.has(started.id)) this.#receive(started);
        this.emit("change");
    }

    /** Hides the card of an export; its files are kept. */
    dismiss(id) {
        this.shown.delete(id);
        this.emit("change");
    }

    /** Cancels an export, or removes its files. */
    async remove(id) {
        await send("DELETE", `/exports/${id}`);
        this.shown.delete(id);
        this.#exports.delete(id);
        this.emit("change");
    }

    #receive(one) {
        this.#exports.set(one.id, one);
        this.emit("change");
    }
}
