// The server's events. They are read by fetch instead of EventSource, which could send neither the
// language nor, after a pause of its own, the last id. An interrupted stream is reopened with growing
// delays; after each interruption, `resync` asks all views to load their state again.

import { address, session } from "./api.js";
import { Emitter } from "./emitter.js";
import { language, onLanguage } from "./words.js";

const DELAYS = [500, 1000, 2000, 4000, 8000, 15000];
// The server sends a comment every 15 s; a stream that is silent for longer is dead.
const SILENCE = 40000;
const PATIENCE = 2000;

/** Emits the server's events by name, and `connection` with whether the stream is open. */
export const events = new Emitter();

let lastId = "";
let stop = new AbortController();
let isStarted = false;

/**
 * Opens the stream and keeps it open.
 *
 * @returns {Promise<void>} once it is open, so that what is loaded afterwards misses no event; or after
 *     a moment, in case it cannot be opened
 */
export function startEvents() {
    if (isStarted) return Promise.resolve();
    isStarted = true;
    onLanguage(() => stop.abort());
    addEventListener("online", () => stop.abort());
    keepOpen();
    return new Promise((resolve) => {
        events.on("connection", resolve);
        setTimeout(resolve, PATIENCE);
    });
}

async function keepOpen() {
    let [failures, isFirst] = [0, true];
    for (;;) {
        stop = new AbortController();
        const outcome = await read(() => {
            failures = 0;
            events.emit("connection", true);
            if (!isFirst) events.emit("resync", {});
            isFirst = false;
        });
        if (outcome === "locked") {
            session.emit("locked");
            isStarted = false;
            return;
        }
        const delay = DELAYS[Math.min(failures, DELAYS.length - 1)];
        failures += 1;
        if (failures > 1) events.emit("connection", false);
        await new Promise((resolve) => setTimeout(resolve, delay * (0.75 + Math.random() / 2)));
    }
}

async function read(opened) {
    const headers = { Accept: "text/event-stream", "Accept-Language": language() };
    if (lastId !== "") headers["Last-Event-ID"] = lastId;
    let watch = 0;
    const alive = () => {
        clearTimeout(watch);
        watch = setTimeout(() => stop.abort(), SILENCE);
    };
    try {
        alive();
        const response = await fetch(address("/events"), { headers, signal: stop.signal, cache: "no-store" });
        if (response.status === 401) return "locked";
        if (!response.ok) return "failed";
        opened();
        const parser = new Parser();
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
            const { done, value } = await reader.read();
            if (done) return "ended";
            alive();
            parser.push(value);
        }
    } catch {
        return "failed";
    } finally {
        clearTimeout(watch);
    }
}

/** Splits a stream of text into events. */
class Parser {
    #rest = "";
    #name = "";
    #data = [];

    push(text) {
        const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
        this.#rest = lines.pop();
        for (const line of lines) this.#line(line);
    }

    #line(line) {
        if (line === "") {
            this.#dispatch();
            return;
        }
        const colon = line.indexOf(":");
        if (colon === 0) return;
        const field = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (field === "event") this.#name = value;
        else if (field === "data") this.#data.push(value);
        else if (field === "id") lastId = value;
    }

    #dispatch() {
        const [name, data] = [this.#name, this.#data.join("\n")];
        this.#name = "";
        this.#data = [];
        if (name === "") return;
        let content = {};
        try {
            content = data === "" ? {} : JSON.parse(data);
        } catch {
            return;
        }
        events.emit(name, content);
    }
}
