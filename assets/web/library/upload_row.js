// An upload in the library: name, progress, and why it failed.

import { button, iconButton } from "../base/controls.js";
import { el, fill, setAttribute, setText } from "../base/dom.js";
import { bytes, percent } from "../base/numbers.js";
import { t } from "../base/words.js";

/**
 * Creates the row of an upload.
 *
 * @param {import("../app.js").App} app
 * @param {import("./uploads.js").Upload} upload
 * @returns {HTMLElement}
 */
export function createUpload(app, upload) {
    return el(
        "li.upload",
        {},
        el(
            "div.upload-text",
            {},
            el("span.row-title", {}, upload.name),
            el("span.upload-state", { role: "status" }),
            el("progress.bar", { max: 1, "aria-label": t("page-upload-progress", { name: upload.name }) }),
        ),
        iconButton("retry", t("page-retry", { name: upload.name }), () => app.uploads.retry(upload), {
            class: ".again",
        }),
        iconButton("close", t("page-cancel-upload", { name: upload.name }), () => app.uploads.cancel(upload)),
    );
}

/**
 * Shows the present state of an upload in its row.
 *
 * @param {HTMLElement} row
 * @param {import("./uploads.js").Upload} upload
 */
export function updateUpload(row, upload) {
    const isFailed = upload.state === "failed";
    row.classList.toggle("failed", isFailed);
    const bar = row.querySelector("progress");
    bar.hidden = isFailed;
    row.querySelector(".again").hidden = !isFailed;
    setText(row.querySelector(".upload-state"), textOf(upload));
    const fraction = fractionOf(upload);
    if (fraction === null) bar.removeAttribute("value");
    else setAttribute(bar, "value", fraction.toFixed(3));
}

function fractionOf({ state, fraction, sent, file }) {
    if (state === "importing") return fraction;
    return fraction ?? (file.size > 0 ? sent / file.size : 0);
}

function textOf(upload) {
    const fraction = fractionOf(upload);
    switch (upload.state) {
        case "waiting":
            return t("library-waiting");
        case "sending":
            return t("page-uploading", { percent: percent(fraction), size: bytes(upload.file.size) });
        case "retrying":
            return t("page-upload-retrying");
        case "importing":
            return t("library-importing", { percent: fraction === null ? "" : percent(fraction) }).trim();
        default:
            return upload.problem ?? "";
    }
}

/**
 * A note on uploads that ended with an earlier page, or `null`.
 *
 * @param {import("../app.js").App} app
 * @returns {HTMLElement|null}
 */
export function unfinishedNotice(app) {
    const { unfinished } = app.uploads;
    if (unfinished.length === 0) return null;
    return el(
        "div.upload",
        {},
        el(
            "p.upload-text",
            {},
            t("page-unfinished", {
                count: unfinished.length,
                names: unfinished.map(({ name }) => name).join(", "),
            }),
        ),
        button(t("dismiss"), () => unfinished.forEach((one) => app.uploads.forget(one)), { class: ".link" }),
    );
}
