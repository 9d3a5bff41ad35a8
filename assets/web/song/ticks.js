// The instruments to tick, each in its colour, with those within others in rows below, and presets.

import { button, tick } from "../base/controls.js";
import { el, fill, settled } from "../base/dom.js";
import { stemTitle } from "../base/numbers.js";
import { stemColor } from "../base/theme.js";
import { t } from "../base/words.js";

/**
 * Builds the ticks.
 *
 * @param {import("./model.js").SongModel} model
 * @param {import("../base/scope.js").Scope} scope
 * @returns {HTMLElement}
 */
export function ticksView(model, scope) {
    const element = el("div.ticks", { role: "group", "aria-label": t("page-instruments") });
    let shown = "";
    const update = settled(0, () => {
        if (!model.answer || !model.options) return;
        const state = model.instruments.order().map((name) => [name, model.instruments.lane(name).ticked]);
        if (shown === JSON.stringify(state)) return;
        const names = JSON.stringify(state.map(([name]) => name));
        if (element.dataset.names === names) {
            for (const [name, ticked] of state) {
                element.querySelector(`[data-stem="${CSS.escape(name)}"] input`).checked = ticked;
            }
        } else {
            element.dataset.names = names;
            fill(element, rows(model));
        }
        shown = JSON.stringify(state);
    });
    for (const name of ["options", "lanes", "mixer"]) scope.add(model.on(name, update));
    update();
    return element;
}

/**
 * The colour of a stem, by its place in the tree.
 *
 * @param {import("../player/instruments.js").Instruments} instruments
 * @param {string} name
 * @returns {string}
 */
export function colorOf(instruments, name) {
    const parent = instruments.stems.get(name)?.parent ?? null;
    return stemColor(name, { parent, place: parent ? instruments.parts(parent).indexOf(name) : 0 });
}

/**
 * The name of a stem as a heading; a rest without a name of its own is called so.
 *
 * @param {import("../player/instruments.js").Instruments} instruments
 * @param {string} name
 * @returns {string}
 */
export function titleOf(instruments, name) {
    const isNameless = instruments.stems.get(name)?.is_rest && /[-_ ]rest$|^rest$/i.test(name);
    return isNameless ? t("song-rest") : stemTitle(name);
}

function rows(model) {
    const { instruments } = model;
    const top = instruments.parts(null);
    const branches = instruments.order().filter((name) => instruments.parts(name).length > 0);
    return [
        el(
            "div.tick-row",
            {},
            top.map((name) => pill(model, name)),
            presets(model, top),
        ),
        branches.map((name) =>
            el(
                "div.tick-row.parts",
                { style: { "--color": colorOf(instruments, name) } },
                el("span.whole", {}, titleOf(instruments, name)),
                instruments.parts(name).map((part) => pill(model, part)),
            ),
        ),
    ];
}

function pill(model, name) {
    const { instruments } = model;
    const whole = instruments.stems.get(name)?.parent;
    const text = titleOf(instruments, name);
    const label = tick(text, instruments.lane(name).ticked, (ticked) => model.setLane(name, { ticked }), {
        color: colorOf(instruments, name),
        class: ".pill",
    });
    label.dataset.stem = name;
    if (whole) {
        const spoken = t("song-part-of", { stem: text, whole: titleOf(instruments, whole) });
        label.querySelector("input").setAttribute("aria-label", spoken);
    }
    return label;
}

function presets(model, names) {
    const known = (name) => names.includes(name);
    const without = (name) => names.filter((one) => one !== name);
    const all = [
        [t("song-all"), names, true],
        [t("song-karaoke"), without("vocals"), known("vocals")],
        [t("song-vocals-only"), ["vocals"], known("vocals")],
        [t("song-drumless"), without("drums"), known("drums")],
        [t("song-drums-and-bass"), ["drums", "bass"], known("drums") && known("bass")],
    ];
    return el(
        "div.presets",
        {},
        all
            .filter(([, wanted, exists]) => exists && wanted.length > 0)
            .map(([text, wanted]) => button(text, () => model.tickOnly(wanted), { class: ".link" })),
    );
}
