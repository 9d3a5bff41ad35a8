// Files that are dropped anywhere on the page or chosen in the browser's dialog. Of a dropped folder,
// the files with an extension of audio are taken, those in its subfolders included.

import { el } from "../base/dom.js";
import { t } from "../base/words.js";

const AUDIO = new RegExp(
    "\\.(aac|ac3|aif|aiff|alac|ape|au|caf|eac3|flac|m4a|m4b|mka|mkv|mov|mp2|mp3|mp4" +
        "|oga|ogg|opus|wav|wave|webm|wma|wv)$",
    "i",
);

/**
 * Lets files be dropped anywhere on the page.
 *
 * @param {import("../base/scope.js").Scope} scope
 * @param {(files: File[]) => void} add
 * @returns {HTMLElement} the veil that is shown while files are dragged over the page
 */
export function dropAnywhere(scope, add) {
    const text = el("p", {});
    const veil = el("div.drop-veil", { hidden: true, "aria-hidden": "true" }, text);
    let depth = 0;
    const show = (isOver, count = 1) => {
        veil.hidden = !isOver;
        if (isOver) text.textContent = t("drop-to-add", { count });
    };
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    scope.listen(document, "dragenter", (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        depth += 1;
        show(true, event.dataTransfer.items.length);
    });
    scope.listen(document, "dragover", (event) => {
        if (hasFiles(event)) event.preventDefault();
    });
    scope.listen(document, "dragleave", (event) => {
        if (!hasFiles(event)) return;
        depth -= 1;
        if (depth <= 0) show(false);
    });
    scope.listen(document, "drop", async (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        depth = 0;
        show(false);
        add(await filesOf(event.dataTransfer));
    });
    return veil;
}

async function filesOf(transfer) {
    // Entries must be read before the handler returns for the first time.
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
    const files = [...transfer.files];
    if (!entries.some((entry) => entry?.isDirectory)) return files;
    const found = await Promise.all(entries.filter(Boolean).map((entry) => walk(entry, true)));
    return found.flat();
}

async function walk(entry, isTop) {
    if (entry.isFile) {
        if (!isTop && !AUDIO.test(entry.name)) return [];
        return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    }
    const reader = entry.createReader();
    const found = [];
    for (;;) {
        const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (some.length === 0) return found;
        for (const child of some) found.push(...(await walk(child, false)));
    }
}

/**
 * A hidden field that opens the browser's dialog for files, or for a folder.
 *
 * @param {(files: File[]) => void} add
 * @param {boolean} isFolder
 * @returns {{element: HTMLInputElement, open: () => void}}
 */
export function fileChooser(add, isFolder) {
    const element = el("input.hidden", {
        type: "file",
        multiple: true,
        tabindex: -1,
        hidden: true,
        "aria-hidden": "true",
        accept: isFolder ? null : "audio/*,video/mp4,video/webm,.flac,.opus,.mka,.wv,.ape,.caf,.aif,.aiff",
        webkitdirectory: isFolder,
        onchange: () => {
            const files = [...element.files];
            add(isFolder ? files.filter((file) => AUDIO.test(file.name)) : files);
            element.value = "";
        },
    });
    return { element, open: () => element.click() };
}
