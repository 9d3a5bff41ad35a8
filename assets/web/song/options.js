// The model and the quality of the separation, with the time that each takes.

import { get } from "../base/api.js";
import { choice } from "../base/controls.js";
import { el, fill } from "../base/dom.js";
import { events } from "../base/events.js";
import { icon } from "../base/icons.js";
import { duration } from "../base/numbers.js";
import { t } from "../base/words.js";
import { attempt } from "../overlays/notices.js";

/**
 * Builds the options.
 *
 * @param {import("./model.js").SongModel} model
 * @param {import("../base/scope.js").Scope} scope
 * @returns {HTMLElement}
 */
export function optionsView(model, scope) {
    const element = el("div.options");
    let [shown, models] = ["", null];
    const update = async () => {
        models ??= (await attempt(() => get("/models")))?.models ?? null;
        const { options } = model;
        const state = JSON.stringify([options, models]);
        if (!options || shown === state) return;
        shown = state;
        const focused = element.contains(document.activeElement) ? document.activeElement.value : null;
        element.hidden = Boolean(options.problem);
        fill(element, modelChoice(model, models ?? []), qualityChoice(model));
        if (focused) element.querySelector(`[value="${CSS.escape(focused)}"]`)?.focus();
    };
    scope.add(model.on("options", update));
    // Models may have been installed or removed.
    scope.add(
        events.on("resync", () => {
            models = null;
            update();
        }),
    );
    update();
    return element;
}

function modelChoice(model, models) {
    const { options } = model;
    const offered = models.filter((one) => one.is_installed || one.name === options.model);
    if (!offered.some((one) => one.name === options.model)) offered.push({ name: options.model });
    const select = el(
        "select.menu-button",
        {
            "aria-label": t("song-model"),
            onchange: () => attempt(() => model.choose({ model: select.value })),
        },
        offered.map(({ name, title }) =>
            el("option", { value: name, selected: name === options.model, title }, name),
        ),
    );
    return el("div.select-box", {}, select, icon("down", 14));
}

const QUALITIES = {
    draft: () => t("song-quality-draft"),
    standard: () => t("song-quality-standard"),
    best: () => t("song-quality-best"),
    custom: () => t("song-quality-custom"),
};

function qualityChoice(model) {
    const { options } = model;
    const choices = options.choices.map(({ quality, seconds }) => {
        const name = Object.hasOwn(QUALITIES, quality) ? QUALITIES[quality]() : quality;
        return { value: quality, text: seconds ? `${name} · ${duration(seconds)}` : name };
    });
    return choice(t("song-quality"), choices, options.quality, (quality) =>
        attempt(() => model.choose({ quality })),
    );
}
