// Requests to the server. Every answer that is not a success becomes a `Problem` with the server's text
// in the language of the page.

import { Emitter } from "./emitter.js";
import { language, t } from "./words.js";

const ROOT = "/api/v1";

/** Emits `locked` when the server demands a token. */
export const session = new Emitter();

/** An error that the server described, or that kept a request from reaching it. */
export class Problem extends Error {
    /**
     * @param {number} status HTTP status; 0 if the server was not reached
     * @param {{code?: string, detail?: string, title?: string}} [content]
     */
    constructor(status, content = {}) {
        super(content.detail ?? content.title ?? t("page-unreachable"));
        this.status = status;
        this.code = content.code ?? "";
        this.content = content;
    }
}

/**
 * The address of a resource of the server.
 *
 * @param {string} path below the interface's root, or complete
 * @returns {string}
 */
export function address(path) {
    return path.startsWith("/api/") ? path : ROOT + path;
}

/**
 * Sends a request and checks its status.
 *
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
export async function request(path, options = {}) {
    const headers = { "Accept-Language": language(), ...options.headers };
    let response;
    try {
        response = await fetch(address(path), { credentials: "same-origin", ...options, headers });
    } catch (error) {
        if (error.name === "AbortError") throw error;
        throw new Problem(0);
    }
    if (response.ok) return response;
    if (response.status === 401 && !path.startsWith("/session")) session.emit("locked");
    throw await problemOf(response);
}

async function problemOf(response) {
    try {
        return new Problem(response.status, await response.json());
    } catch {
        return new Problem(response.status, {
            detail: t("page-refused", { status: String(response.status) }),
        });
    }
}

/**
 * Fetches a resource as JSON.
 *
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<*>}
 */
export async function get(path, signal) {
    return (await request(path, { signal })).json();
}

/**
 * Sends JSON and returns the JSON of the answer, or `null` if it has none.
 *
 * @param {string} method
 * @param {string} path
 * @param {*} [body]
 * @returns {Promise<*>}
 */
export async function send(method, path, body) {
    const options = { method };
    if (body !== undefined) {
        options.headers = { "Content-Type": "application/json" };
        options.body = JSON.stringify(body);
    }
    const response = await request(path, options);
    const text = await response.text();
    return text === "" ? null : JSON.parse(text);
}
