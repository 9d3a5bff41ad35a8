// The dialog of an export: what to write, and in which format. Choices are kept for the next export.

import { get } from "../base/api.js";
import { button, choice, tick } from "../base/controls.js";
import { el, fill } from "../base/dom.js";
import { decimal, keySpeed, stems } from "../base/numbers.js";
import { recall, remember } from "../base/stored.js";
import { t } from "../base/words.js";
import { cancelButton, openDialog } from "../overlays/dialog.js";
import { attempt } from "../overlays/notices.js";

const RATES = [44100, 48000];
/** Formats whose content is given: the whole song and its four stems. */
const WHOLE = ["stem"];

/**
 * Opens the dialog for the selected song.
 *
 * @param {import("../app.js").App} app
 */
export async function openExport(app) {
    const { model } = app;
    const heard = app.player.keySpeed;
    const formats = await attempt(() => get("/formats"));
    if (!formats) return;
    const choices = {
        what: "mix",
        format: formats[0].name,
        depth: "",
        rate: "",
        residual: false,
        limiter: false,
        loudness: "",
        ...recall("export", {}),
        // Chosen for one export, as in the window.
        heard,
        asHeard: false,
    };
    if (!formats.some(({ name }) => name === choices.format)) choices.format = formats[0].name;
    const body = el("div.export-rows");
    const problem = el("p.failure-text", { role: "alert" });
    const go = button(t("export-go"), () => {}, { class: ".primary", type: "submit" });
    const change = (name) => (value) => {
        choices[name] = value;
        draw();
    };
    const draw = () => {
        const focused = body.contains(document.activeElement) ? document.activeElement : null;
        const mark = focused && {
            name: focused.dataset.focus ?? focused.closest("[data-focus]")?.dataset.focus,
            value: focused.value,
        };
        fill(body, rows(model, formats, choices, change));
        const objection = objectionOf(model, choices);
        problem.textContent = objection ?? "";
        go.disabled = objection !== null;
        if (mark?.name) refocus(body, mark);
    };
    draw();
    const dialog = openDialog({
        title: t("export-title", { title: model.song.title }),
        class: ".wide",
        body: [body, problem],
        actions: [cancelButton(), go],
        submit: () => {
            remember("export", { ...choices, heard: undefined, asHeard: undefined });
            const order = orderOf(model, formats, choices);
            dialog.close();
            attempt(async () => {
                await app.exports.start(model.id, order);
            });
        },
    });
}

function refocus(body, { name, value }) {
    const inputs = [...body.querySelectorAll(`[data-focus="${name}"] input, input[data-focus="${name}"]`)];
    (inputs.find((input) => input.value === value) ?? inputs[0])?.focus();
}

function rows(model, formats, choices, change) {
    const format = formats.find(({ name }) => name === choices.format);
    const isWhole = WHOLE.includes(format.name);
    const isMix = choices.what === "mix" && !isWhole;
    return [
        isWhole
            ? row("content", t("export-content"), el("p", {}, t("export-dj")), t("export-dj-note"))
            : row(
                  "content",
                  t("export-content"),
                  contentChoice(choices, change),
                  contentNote(model, choices),
              ),
        row(
            "format",
            t("export-format"),
            choice(
                t("export-format"),
                formats.map(({ name }) => ({ value: name, text: formatName(name) })),
                choices.format,
                change("format"),
            ),
        ),
        format.depths?.length > 1 && row("depth", t("export-depth"), depthChoice(format, choices, change)),
        !format.is_lossy && row("rate", t("export-rate"), rateChoice(choices, change)),
        !choices.heard.isPlain && row("heard", t("export-key-speed"), ...keySpeedTick(choices, change)),
        !isMix &&
            !isWhole &&
            row(
                "residual",
                t("export-also"),
                tick(t("export-residual"), choices.residual, change("residual"), { class: ".pill" }),
                format.is_lossy ? t("export-residual-lossy-files") : t("export-residual-select-files"),
            ),
        row("loudness", t("export-loudness"), loudness(choices, change)),
        choices.loudness !== "" &&
            isMix &&
            row(
                "limiter",
                t("export-limiter"),
                tick(t("export-limiter"), choices.limiter, change("limiter"), { class: ".pill" }),
                t("export-limiter-note"),
            ),
    ];
}

function row(focus, name, control, note = null) {
    return el(
        "div.export-row",
        { "data-focus": focus },
        el("span.row-name", { "aria-hidden": "true" }, name),
        el("div.row-control", {}, control, note && el("p.dim", {}, note)),
    );
}

function contentChoice(choices, change) {
    return choice(
        t("export-content"),
        [
            { value: "mix", text: t("export-mix") },
            { value: "stems", text: t("export-stems") },
            { value: "all_but", text: t("export-all-but") },
        ],
        choices.what,
        change("what"),
    );
}

function contentNote(model, { what }) {
    if (what === "mix") return t("export-mix-note");
    if (what === "all_but") return t("export-all-but-note");
    const files = model.instruments.files();
    return files.length === 0 ? t("export-stems-none") : t("export-stems-each", { stems: stems(files) });
}

function depthChoice(format, choices, change) {
    const depths = format.depths.map((depth) => ({
        value: depth,
        text: depth === "32f" ? t("float") : t("bits", { bits: Number(depth) }),
    }));
    const chosen = format.depths.includes(choices.depth) ? choices.depth : "";
    return choice(
        t("export-depth"),
        [{ value: "", text: t("export-same-as-song") }, ...depths],
        chosen,
        change("depth"),
    );
}

function rateChoice(choices, change) {
    const rates = RATES.map((rate) => ({
        value: String(rate),
        text: t("kilohertz", { number: decimal(rate / 1000, rate % 1000 === 0 ? 0 : 1) }),
    }));
    return choice(
        t("export-rate"),
        [{ value: "", text: t("export-same-as-song") }, ...rates],
        choices.rate,
        change("rate"),
    );
}

function keySpeedTick({ heard, asHeard }, change) {
    const text = t("export-as-heard", { change: keySpeed(heard) });
    return [tick(text, asHeard, change("asHeard"), { class: ".pill" }), t("export-as-heard-note")];
}

function loudness(choices, change) {
    const isChosen = choices.loudness !== "";
    const field =
        isChosen &&
        el("input.field.number", {
            type: "number",
            min: -70,
            max: 0,
            step: 0.5,
            value: choices.loudness,
            "aria-label": t("export-loudness-field"),
            "data-focus": "lufs",
            onchange: (event) => change("loudness")(event.target.value || "-14"),
        });
    const modes = choice(
        t("export-loudness"),
        [
            { value: "no", text: t("export-loudness-unchanged") },
            { value: "yes", text: "LUFS" },
        ],
        isChosen ? "yes" : "no",
        (value) => change("loudness")(value === "yes" ? "-14" : ""),
    );
    return el("div.inline", {}, modes, field);
}

function formatName(name) {
    if (name === "stem") return t("export-format-dj");
    if (name === "dawproject") return t("export-format-daw");
    return name === "opus" ? "Opus" : name.toUpperCase();
}

/** Why nothing can be exported with these choices, or `null`. */
function objectionOf(model, choices) {
    const { instruments } = model;
    if (WHOLE.includes(choices.format)) return null;
    const level = Number(choices.loudness);
    if (choices.loudness !== "" && !(level >= -70 && level <= 0)) return t("export-loudness-invalid");
    if (choices.what === "mix") return instruments.mix().length === 0 ? t("export-nothing-heard") : null;
    return instruments.files().length === 0 && !choices.residual ? t("song-select-first") : null;
}

function orderOf(model, formats, choices) {
    const { instruments } = model;
    const format = formats.find(({ name }) => name === choices.format);
    const order = {
        format: format.name,
        depth: format.depths?.includes(choices.depth) ? choices.depth : null,
        rate: choices.rate !== "" && !format.is_lossy ? Number(choices.rate) : null,
        loudness_lufs: choices.loudness === "" ? null : Number(choices.loudness),
        ...(choices.asHeard && { key_semitones: choices.heard.allCents / 100, speed: choices.heard.speed }),
    };
    if (WHOLE.includes(format.name)) return { ...order, stems: [] };
    if (choices.what === "mix") {
        return {
            ...order,
            stems: [],
            mix: instruments.mix(),
            limiter: choices.limiter && choices.loudness !== "",
        };
    }
    const chosen =
        choices.what === "stems"
            ? { stems: instruments.files() }
            : { stems: [], all_but: instruments.files() };
    return { ...order, ...chosen, residual: choices.residual };
}
