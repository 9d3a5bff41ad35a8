// Uploads of songs by tus 1.0, in chunks, at most two at a time. An interrupted upload goes on from the
// offset that the server has: after network errors by itself, after a reload once the user chooses the
// same file again. Draws nothing.

import { address, get, Problem, request } from "../base/api.js";
import { Emitter } from "../base/emitter.js";
import { events } from "../base/events.js";
import { recall, remember } from "../base/stored.js";
import { language, t } from "../base/words.js";

const CHUNK = 4 * 1024 * 1024;
const MOST_AT_ONCE = 2;
const DELAYS = [500, 1000, 2000, 4000, 8000, 16000, 30000];
const VERSION = { "Tus-Resumable": "1.0.0" };
/** How long an address of an unfinished upload is kept, in milliseconds. */
const KEPT = 7 * 24 * 3600 * 1000;

/**
 * One upload. `state` is `waiting`, `sending`, `retrying`, `importing`, `done` or `failed`.
 *
 * @typedef {{key: string, file: File, name: string, sent: number, state: string, fraction: number|null,
 *     problem: string|null, url: string|null, song: number|null, stop: AbortController}} Upload
 */

/** The uploads of this page. Emits `change`, and `imported` with the id of a song. */
export class Uploads extends Emitter {
    #uploads = [];

    constructor() {
        super();
        events.on("upload", (status) => this.#receive(status));
        const isFresh = ([, { at }]) => Date.now() - at < KEPT;
        remember("uploads", Object.fromEntries(Object.entries(recall("uploads", {})).filter(isFresh)));
    }

    /** @returns {Upload[]} */
    get list() {
        return this.#uploads;
    }

    /** Names of files whose upload was interrupted by the end of the page. */
    get unfinished() {
        const known = new Set(this.#uploads.map((upload) => upload.key));
        return Object.entries(recall("uploads", {}))
            .filter(([key]) => !known.has(key))
            .map(([key, { name, url }]) => ({ key, name, url }));
    }

    /**
     * Adds files to the queue.
     *
     * @param {Iterable<File>} files
     */
    add(files) {
        for (const file of files) {
            const key = `${file.name}|${file.size}|${file.lastModified}`;
            if (this.#uploads.some((one) => one.key === key && one.state !== "failed")) continue;
            this.#uploads = this.#uploads.filter((one) => one.key !== key);
            const url = recall("uploads", {})[key]?.url ?? null;
            this.#uploads.push({
                key,
                file,
                url,
                name: file.name,
                sent: 0,
                state: "waiting",
                fraction: null,
                problem: null,
                song: null,
                stop: new AbortController(),
            });
        }
        this.#pump();
    }

    /** Cancels an upload, or dismisses a failed one. */
    cancel(upload) {
        upload.stop.abort();
        this.#discard(upload);
        this.#drop(upload);
    }

    /** Forgets an upload of an earlier page. */
    forget(unfinished) {
        this.#discard(unfinished);
        this.emit("change");
    }

    /** Tries a failed upload again. */
    retry(upload) {
        Object.assign(upload, { state: "waiting", problem: null, sent: 0, stop: new AbortController() });
        this.#pump();
    }

    #discard({ key, url }) {
        note(key, null);
        if (url) request(url, { method: "DELETE", headers: VERSION }).catch(() => {});
    }

    #drop(upload) {
        this.#uploads = this.#uploads.filter((one) => one !== upload);
        this.#pump();
    }

    #pump() {
        const busy = this.#uploads.filter(({ state }) => state === "sending" || state === "retrying").length;
        const next = this.#uploads.filter(({ state }) => state === "waiting").slice(0, MOST_AT_ONCE - busy);
        for (const upload of next) {
            upload.state = "sending";
            this.#run(upload);
        }
        this.emit("change");
    }

    async #run(upload) {
        for (let failures = 0; !upload.stop.signal.aborted;) {
            const before = upload.sent;
            try {
                await this.#send(upload);
                upload.state = "importing";
                note(upload.key, null);
                this.#watch(upload);
                break;
            } catch (problem) {
                if (upload.stop.signal.aborted) return;
                if (isFinal(problem)) {
                    this.#fail(upload, problem.message);
                    break;
                }
                failures = upload.sent > before ? 1 : failures + 1;
                upload.state = "retrying";
                this.emit("change");
                await pause(DELAYS[Math.min(failures, DELAYS.length) - 1]);
                upload.state = "sending";
            }
        }
        this.#pump();
    }

    async #send(upload) {
        if (upload.url) upload.sent = await offsetOf(upload.url);
        if (!upload.url || upload.sent === null) {
            upload.sent = 0;
            upload.url = await create(upload.file);
            note(upload.key, { url: upload.url, name: upload.name, at: Date.now() });
        }
        while (upload.sent < upload.file.size) {
            const chunk = upload.file.slice(upload.sent, upload.sent + CHUNK);
            upload.sent = await patch(upload, chunk, (sent) => {
                upload.fraction = sent / upload.file.size;
                this.emit("change");
            });
            this.emit("change");
        }
    }

    /** Asks for the state of the import, in case its event was lost. */
    async #watch(upload) {
        upload.fraction = null;
        while (upload.state === "importing" && this.#uploads.includes(upload)) {
            try {
                this.#take(upload, await get(upload.url, upload.stop.signal));
            } catch (problem) {
                if (problem.status === 404) this.#drop(upload);
                else if (problem.name === "AbortError") return;
            }
            await pause(1500);
        }
    }

    #receive(status) {
        const upload = this.#uploads.find((one) => one.url?.endsWith(`/${status.id}`));
        if (upload?.state === "importing") this.#take(upload, status);
    }

    #take(upload, status) {
        if (upload.state !== "importing") return;
        upload.fraction = status.fraction;
        if (status.state === "imported") {
            upload.state = "done";
            this.#drop(upload);
            this.emit("imported", status.song);
        } else if (status.state === "failed") {
            this.#fail(upload, status.problem?.detail ?? status.problem?.title ?? "");
        }
        this.emit("change");
    }

    #fail(upload, problem) {
        Object.assign(upload, { state: "failed", problem, fraction: null, url: null });
        note(upload.key, null);
        this.emit("change");
        this.emit("failed", upload);
    }
}

function note(key, value) {
    const kept = recall("uploads", {});
    if (value === null) delete kept[key];
    else kept[key] = value;
    remember("uploads", kept);
}

/** Whether trying again cannot help. A busy server, a timeout and a lost offset pass. */
function isFinal(problem) {
    return (
        (problem.status >= 400 &&
            problem.status < 500 &&
            ![401, 404, 408, 409, 410, 423, 429].includes(problem.status)) ||
        problem.status === 507 ||
        problem.status === 501
    );
}

function pause(milliseconds) {
    return new Promise((resolve) => {
        const timer = setTimeout(done, milliseconds);
        addEventListener("online", done, { once: true });
        function done() {
            clearTimeout(timer);
            removeEventListener("online", done);
            resolve();
        }
    });
}

async function create(file) {
    const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
    const headers = { ...VERSION, "Upload-Length": String(file.size), "Upload-Metadata": `filename ${name}` };
    const response = await request("/uploads", { method: "POST", headers });
    return new URL(response.headers.get("Location"), location.href).pathname;
}

/** The number of bytes that the server has, or `null` if it no longer knows the upload. */
async function offsetOf(url) {
    try {
        const response = await request(url, { method: "HEAD", headers: VERSION });
        return Number(response.headers.get("Upload-Offset"));
    } catch (problem) {
        if (problem.status === 404 || problem.status === 410) return null;
        throw problem;
    }
}

/** Sends a chunk. It uses `XMLHttpRequest`, because `fetch` does not report the progress of a body. */
function patch(upload, chunk, progress) {
    return new Promise((resolve, reject) => {
        const sender = new XMLHttpRequest();
        sender.open("PATCH", address(upload.url));
        const headers = {
            ...VERSION,
            "Accept-Language": language(),
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": String(upload.sent),
        };
        for (const [name, value] of Object.entries(headers)) sender.setRequestHeader(name, value);
        sender.upload.onprogress = (event) => progress(upload.sent + event.loaded);
        sender.onerror = () => reject(new Problem(0));
        sender.onabort = () => reject(new DOMException("", "AbortError"));
        sender.onload = () => {
            if (sender.status === 204) resolve(Number(sender.getResponseHeader("Upload-Offset")));
            else reject(problemOf(sender));
        };
        upload.stop.signal.addEventListener("abort", () => sender.abort(), { once: true });
        sender.send(chunk);
    });
}

function problemOf(sender) {
    try {
        return new Problem(sender.status, JSON.parse(sender.responseText));
    } catch {
        return new Problem(sender.status, { detail: t("page-refused", { status: String(sender.status) }) });
    }
}
