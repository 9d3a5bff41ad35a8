// Buttons, sliders and other controls that several views share.

import { el, setAttribute } from "./dom.js";
import { icon } from "./icons.js";

/**
 * A button with an icon; its name is read by screen readers and shown as a tooltip.
 *
 * @param {string} shape
 * @param {string} name
 * @param {() => void} action
 * @param {{class?: string, size?: number, tooltip?: string}} [options]
 * @returns {HTMLButtonElement}
 */
export function iconButton(shape, name, action, options = {}) {
    const attributes = {
        type: "button",
        "aria-label": name,
        title: options.tooltip ?? name,
        onclick: action,
    };
    return el(`button.icon-button${options.class ?? ""}`, attributes, icon(shape, options.size));
}

/**
 * A button with a text.
 *
 * @param {string} text
 * @param {() => void} action
 * @param {{class?: string, tooltip?: string, type?: string, disabled?: boolean}} [options]
 * @returns {HTMLButtonElement}
 */
export function button(text, action, options = {}) {
    const { tooltip: title, type = "button", disabled } = options;
    return el(`button.button${options.class ?? ""}`, { type, title, disabled, onclick: action }, text);
}

/**
 * A button that is on or off.
 *
 * @param {string} text
 * @param {string} name
 * @param {(isOn: boolean) => void} action
 * @param {string} classes
 * @returns {{element: HTMLButtonElement, set: (isOn: boolean) => void}}
 */
export function toggle(text, name, action, classes) {
    const element = el(
        `button${classes}`,
        {
            type: "button",
            "aria-label": name,
            "aria-pressed": "false",
            title: name,
            onclick: () => action(element.getAttribute("aria-pressed") !== "true"),
        },
        text,
    );
    return { element, set: (isOn) => setAttribute(element, "aria-pressed", String(isOn)) };
}

/**
 * A slider whose position and spoken value are given by functions.
 *
 * @param {{name: string, min: number, max: number, step: number, class?: string,
 *     describe: (value: number) => string, change: (value: number) => void, reset?: number}} options
 * @returns {{element: HTMLInputElement, set: (value: number) => void}}
 */
export function slider({ name, min, max, step, describe, change, reset, ...options }) {
    const element = el(`input.slider${options.class ?? ""}`, {
        type: "range",
        min,
        max,
        step,
        "aria-label": name,
        title: name,
    });
    const show = () => {
        const value = Number(element.value);
        setAttribute(element, "aria-valuetext", describe(value));
        const [from, to] = [Number(element.min), Number(element.max)];
        element.style.setProperty("--filled", `${(100 * (value - from)) / (to - from || 1)}%`);
    };
    element.addEventListener("input", () => {
        change(Number(element.value));
        show();
    });
    if (reset !== undefined) {
        element.addEventListener("dblclick", () => {
            element.value = String(reset);
            element.dispatchEvent(new Event("input"));
        });
    }
    return {
        element,
        set: (value) => {
            element.value = String(value);
            show();
        },
    };
}

/**
 * A row of radio buttons that look like one control.
 *
 * @param {string} name of the group, for screen readers
 * @param {Array<{value: string, text: string}>} choices
 * @param {string} chosen
 * @param {(value: string) => void} change
 * @returns {HTMLFieldSetElement}
 */
export function choice(name, choices, chosen, change) {
    const group = `choice-${(choice.count = (choice.count ?? 0) + 1)}`;
    const options = choices.map(({ value, text }) =>
        el(
            "label.choice-option",
            {},
            el("input", {
                type: "radio",
                name: group,
                value,
                checked: value === chosen,
                onchange: () => change(value),
            }),
            el("span", {}, text),
        ),
    );
    return el("fieldset.choice", {}, el("legend.hidden", {}, name), options);
}

/**
 * A check box with its text.
 *
 * @param {string} text
 * @param {boolean} checked
 * @param {(isOn: boolean) => void} change
 * @param {{color?: string, class?: string, tooltip?: string}} [options]
 * @returns {HTMLLabelElement}
 */
export function tick(text, checked, change, options = {}) {
    const style = { "--color": options.color ?? "var(--accent)" };
    const box = el("input", { type: "checkbox", checked, onchange: () => change(box.checked) });
    return el(
        `label.tick${options.class ?? ""}`,
        { style, title: options.tooltip },
        box,
        el("span.tick-box", { "aria-hidden": "true" }, icon("check", 12)),
        el("span", {}, text),
    );
}

/**
 * A cover, or a tile with two colours from the song's id and title.
 *
 * @param {{id: number, title: string, cover: string|null}} song
 * @param {string} classes
 * @returns {HTMLElement}
 */
export function cover(song, classes) {
    if (song.cover) {
        return el(`img.cover${classes}`, { src: song.cover, alt: "", loading: "lazy", decoding: "async" });
    }
    const text = `${song.title}${song.id}`;
    // The factor spreads neighbouring titles over the circle of hues.
    const hue = [...text].reduce((sum, letter) => (sum * 131 + 47 * letter.codePointAt(0)) % 360, 7);
    const style = { "--from": `hsl(${hue} 36% 42%)`, "--to": `hsl(${(hue + 70) % 360} 40% 56%)` };
    return el(`span.cover.tile${classes}`, { style, "aria-hidden": "true" });
}
