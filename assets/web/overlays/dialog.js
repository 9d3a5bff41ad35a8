// Dialogs over the page, by the browser's own `dialog` element, which keeps the focus inside and returns
// it afterwards.

import { button } from "../base/controls.js";
import { el } from "../base/dom.js";
import { t } from "../base/words.js";

/**
 * Opens a dialog.
 *
 * @param {{title: string, body: (Node|string|null)[], actions: Node[], class?: string,
 *     submit?: () => void, scrolls?: boolean}} content `submit` runs when the form is sent; a body that
 *     `scrolls` has nothing else to focus
 * @returns {{element: HTMLDialogElement, close: () => void}}
 */
export function openDialog({ title, body, actions, submit, ...options }) {
    const heading = el("h2", { id: "dialog-title" }, title);
    const form = el(
        "form",
        {
            method: "dialog",
            onsubmit: (event) => {
                event.preventDefault();
                submit?.();
            },
        },
        heading,
        el("div.dialog-body", { tabindex: options.scrolls ? 0 : null }, body),
        el("div.dialog-actions", {}, actions),
    );
    const dialog = el(`dialog.dialog${options.class ?? ""}`, { "aria-labelledby": "dialog-title" }, form);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("pointerdown", (event) => {
        if (event.target === dialog) dialog.close();
    });
    document.body.append(dialog);
    dialog.showModal();
    return { element: dialog, close: () => dialog.close() };
}

/**
 * A button that closes the dialog around it.
 *
 * @param {string} [text]
 * @returns {HTMLButtonElement}
 */
export function cancelButton(text = t("cancel")) {
    const element = button(text, () => element.closest("dialog").close());
    element.autofocus = true;
    return element;
}

/**
 * Asks before something that cannot be undone.
 *
 * @param {{title: string, text: string, go: string, action: () => Promise<void>|void}} question
 */
export function ask({ title, text, go, action }) {
    const dialog = openDialog({
        title,
        body: [el("p", {}, text)],
        actions: [
            cancelButton(t("question-keep")),
            button(go, () => {}, { class: ".danger", type: "submit" }),
        ],
        submit: () => {
            dialog.close();
            action();
        },
    });
}

/**
 * Asks for a text.
 *
 * @param {{title: string, label: string, value: string, go: string, action: (text: string) => void}} question
 */
export function askText({ title, label, value, go, action }) {
    const field = el("input.field", {
        type: "text",
        autofocus: true,
        value,
        required: true,
        maxlength: 500,
        "aria-label": label,
    });
    const dialog = openDialog({
        title,
        body: [field],
        actions: [cancelButton(), button(go, () => {}, { class: ".primary", type: "submit" })],
        submit: () => {
            if (field.value.trim() === "") return;
            dialog.close();
            action(field.value.trim());
        },
    });
    field.select();
}
