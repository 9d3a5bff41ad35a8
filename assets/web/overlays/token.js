// The session: a token in the link's fragment is handed to the server and removed from the address;
// otherwise a form asks for it when the server demands one.

import { get, send, session } from "../base/api.js";
import { button } from "../base/controls.js";
import { el } from "../base/dom.js";
import { mark } from "../base/icons.js";
import { t } from "../base/words.js";

/**
 * Opens the session, and returns once the server answers requests of the page.
 *
 * @param {HTMLElement} place of the form
 */
export async function openSession(place) {
    const token = new URLSearchParams(location.hash.slice(1)).get("token");
    let problem = null;
    if (token !== null) {
        history.replaceState(null, "", location.pathname + location.search);
        try {
            await send("POST", "/session", { token });
        } catch (error) {
            problem = error;
        }
    }
    const state = await currentState();
    if (state.needs_token && !state.is_open) await askToken(place, problem);
}

/** The server's state, asked for until it answers. */
async function currentState() {
    for (;;) {
        try {
            return await get("/session");
        } catch (problem) {
            if (problem.status !== 0) throw problem;
            await new Promise((resolve) => setTimeout(resolve, 1500));
        }
    }
}

function askToken(place, problem) {
    return new Promise((resolve) => {
        const failure = el("p.failure-text", { role: "alert" }, problem?.message ?? "");
        const field = el("input.field", {
            type: "password",
            required: true,
            autocomplete: "current-password",
            id: "token",
        });
        const form = el(
            "form.token-form",
            {
                onsubmit: async (event) => {
                    event.preventDefault();
                    try {
                        await send("POST", "/session", { token: field.value.trim() });
                        place.replaceChildren();
                        resolve();
                    } catch (error) {
                        failure.textContent = error.message;
                        field.select();
                    }
                },
            },
            mark(56),
            el("h1", {}, t("page-token-title")),
            el("p", {}, t("page-token-text")),
            el("label", { for: "token" }, t("page-token")),
            field,
            failure,
            button(t("page-token-open"), () => {}, { class: ".primary", type: "submit" }),
        );
        place.replaceChildren(el("main.token-page", {}, form));
        field.focus();
    });
}

/**
 * Asks for the token again when the server demands it later, as after its restart.
 *
 * @param {() => void} reopen
 */
export function watchSession(reopen) {
    let isAsking = false;
    session.on("locked", () => {
        if (isAsking) return;
        isAsking = true;
        reopen();
    });
}
