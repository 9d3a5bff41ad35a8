//! The rows of the export dialog, except for the names. Each reads and changes the choices.

use egui::{Align, Id, Layout, Ui, vec2};

use super::form::{Chosen, ROW, named, note, wide};
use crate::{
    engine::{
        SAMPLE_RATE,
        export::{
            FORMATS, OnExists,
            format::{Keeps, Streams},
        },
    },
    i18n::fl,
    ui::{
        commands::export_plan::{ExportChoices, ExportWhat},
        state::instruments::display_order,
        theme::{Tokens, Weight, font, size, space, text},
        widgets::{
            button::{Kind, button, fitted_choice},
            field::{field, shown_text},
            label,
            layout::{rest, row, row_from_right},
            tick,
        },
        words,
    },
};

/// Salt of the button that opens the folder dialog.
pub const CHOOSE: &str = "export folder";

/// The offered loudnesses in LUFS, each with its typed and its displayed text.
fn loudnesses() -> [(Option<f32>, &'static str, &'static str); 4] {
    [
        (None, "", fl!(export_loudness_unchanged)),
        (Some(-14.0), "−14", "−14 LUFS"),
        (Some(-16.0), "−16", "−16 LUFS"),
        (Some(-23.0), "−23", "−23 LUFS"),
    ]
}

fn choices_on_exists() -> [(OnExists, &'static str); 4] {
    [
        (OnExists::Ask, fl!(export_ask)),
        (OnExists::Number, fl!(export_keep_both)),
        (OnExists::Replace, fl!(export_replace)),
        (OnExists::Skip, fl!(export_skip)),
    ]
}

/// The share of a row for the depths: they have four labels, the rates three.
const DEPTHS: f32 = 0.56;

fn name_of(what: ExportWhat) -> &'static str {
    match what {
        ExportWhat::Mix => fl!(export_mix),
        ExportWhat::Stems => fl!(export_stems),
        ExportWhat::AllBut => fl!(export_all_but),
    }
}

/// Draws the row for the content.
pub fn what(ui: &mut Ui, chosen: &Chosen<'_>, new: &mut ExportChoices) {
    named(ui, fl!(export_content), |ui| {
        let Some(what) = new.what() else {
            let (body, ink) = (font(text::BODY, Weight::Regular), Tokens::of(ui).text);
            row(ui, ROW, |ui| label(ui, fl!(export_dj), body, ink));
            return note(ui, fl!(export_dj_note), false);
        };
        let whats = new.whats();
        let shown: Vec<&str> = whats.iter().map(|what| name_of(*what)).collect();
        let at = whats.iter().position(|other| *other == what);
        if let Some(pressed) = fitted_choice(ui, fl!(export_content), wide(ui), &shown, at) {
            new.what = whats[pressed];
        }
        note(ui, &what_words(what, chosen, new), false);
    });
}

fn what_words(what: ExportWhat, chosen: &Chosen<'_>, new: &ExportChoices) -> String {
    match what {
        ExportWhat::Mix => fl!(export_mix_note).to_owned(),
        _ if chosen.ticked.is_empty() => fl!(export_stems_none).to_owned(),
        ExportWhat::Stems => {
            let shown = display_order(&chosen.ticked);
            let shown: Vec<String> = shown.into_iter().map(|i| chosen.ticked[i].clone()).collect();
            let stems = words::stems(&shown);
            if new.format.streams == Streams::All {
                fl!(export_stems_one_file, stems = stems)
            } else {
                fl!(export_stems_each, stems = stems)
            }
        }
        ExportWhat::AllBut => fl!(export_all_but_note).to_owned(),
    }
}

/// Draws the row for the file format.
pub fn format(ui: &mut Ui, new: &mut ExportChoices) {
    let name = fl!(export_format);
    let shown = FORMATS.map(words::format_name);
    let at = FORMATS.iter().position(|format| *format == new.format);
    named(ui, name, |ui| {
        if let Some(pressed) = fitted_choice(ui, name, wide(ui), &shown, at) {
            new.format = FORMATS[pressed];
        }
    });
}

/// Draws the row for depth and rate, where the format offers a choice.
pub fn quality(ui: &mut Ui, new: &mut ExportChoices) {
    named(ui, fl!(export_quality), |ui| {
        let top = Layout::left_to_right(Align::Min);
        ui.with_layout(top, |ui| {
            ui.spacing_mut().item_spacing.x = space::MEDIUM;
            let (depths, rates) = (new.depths(), new.rates());
            let part = DEPTHS * ui.available_width();
            if !depths.is_empty() {
                let shown: Vec<String> = depths.iter().map(|depth| words::depth(*depth)).collect();
                let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
                let at = depths.iter().position(|depth| *depth == new.depth());
                let (name, size) = (fl!(export_depth), vec2(part, ROW));
                if let Some(pressed) = fitted_choice(ui, name, size, &shown, at) {
                    new.depth = depths[pressed];
                }
            }
            let is_lossy = matches!(new.format.keeps, Keeps::Roughly(_));
            if is_lossy && !rates.is_empty() {
                ui.allocate_ui_with_layout(vec2(part, ROW), top, |ui| {
                    ui.set_min_width(part);
                    lossy(ui, fl!(export_lossy));
                });
            } else if is_lossy {
                let rate = words::rate(Some((new.format.rate)(SAMPLE_RATE)));
                lossy(ui, &fl!(export_lossy_at, rate = &rate));
            }
            if !rates.is_empty() {
                let shown: Vec<String> = rates.iter().map(|rate| words::rate(*rate)).collect();
                let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
                let at = rates.iter().position(|rate| *rate == new.rate());
                if let Some(pressed) = fitted_choice(ui, fl!(export_rate), wide(ui), &shown, at) {
                    new.rate = rates[pressed];
                }
            }
        });
    });
}

/// Draws the quality of a format that offers no choice of depths.
fn lossy(ui: &mut Ui, text: &str) {
    let (body, ink) = (font(text::BODY, Weight::Regular), Tokens::of(ui).text);
    row(ui, ROW, |ui| label(ui, text, body, ink));
}

/// Draws the row for key and speed.
pub fn key_speed(ui: &mut Ui, new: &mut ExportChoices) {
    named(ui, fl!(export_key_speed), |ui| {
        let color = Tokens::of(ui).accent;
        let name = fl!(export_as_heard, change = words::key_speed(new.heard));
        if tick::tick(ui, "export as heard", ROW, &name, new.as_heard, color).clicked() {
            new.as_heard = !new.as_heard;
        }
        note(ui, fl!(export_as_heard_note), false);
    });
}

/// Draws the row for the loudness of a mix.
pub fn loudness(ui: &mut Ui, new: &mut ExportChoices) {
    named(ui, fl!(export_loudness), |ui| {
        ui.with_layout(Layout::left_to_right(Align::Min), |ui| loudness_controls(ui, new));
        let objection = new.loudness().err();
        let text = match &objection {
            Some(objection) => objection.words(),
            None => fl!(export_limiter_note),
        };
        note(ui, text, objection.is_some());
    });
}

fn loudness_controls(ui: &mut Ui, new: &mut ExportChoices) {
    ui.spacing_mut().item_spacing.x = space::MEDIUM;
    let limiter = fl!(export_limiter);
    let typed = vec2(size::LOUDNESS, ROW);
    let others = tick::width(ui, limiter) + typed.x + 2.0 * space::MEDIUM;
    let size = vec2((ui.available_width() - others).max(0.0), ROW);
    let lufs = new.loudness();
    let loudnesses = loudnesses();
    let at = loudnesses.iter().position(|(offered, ..)| lufs == Ok(*offered));
    let shown = loudnesses.map(|(.., shown)| shown);
    if let Some(pressed) = fitted_choice(ui, fl!(export_loudness), size, &shown, at) {
        loudnesses[pressed].1.clone_into(&mut new.loudness);
    }
    let id = Id::unique("export loudness");
    field(ui, id, typed, fl!(export_loudness_field), "LUFS", &mut new.loudness);
    let color = Tokens::of(ui).accent;
    if tick::tick(ui, "export limiter", ROW, limiter, new.limiter, color).clicked() {
        new.limiter = !new.limiter;
    }
}

/// Draws the row for the residual.
pub fn residual(ui: &mut Ui, what: ExportWhat, chosen: &Chosen<'_>, new: &mut ExportChoices) {
    let is_one = new.format.streams == Streams::All;
    let either = |tracks, files| if is_one { tracks } else { files };
    let text = match (what, new.format.keeps) {
        (ExportWhat::AllBut, _) => fl!(export_residual_all_but),
        (_, Keeps::Roughly(_)) => {
            either(fl!(export_residual_lossy_tracks), fl!(export_residual_lossy_files))
        }
        _ if chosen.ticked.len() < chosen.stems.len() => {
            either(fl!(export_residual_select_tracks), fl!(export_residual_select_files))
        }
        _ => either(fl!(export_residual_tracks), fl!(export_residual_files)),
    };
    named(ui, fl!(export_also), |ui| {
        let (name, color) = (fl!(export_residual), Tokens::of(ui).accent);
        if tick::tick(ui, "export residual", ROW, name, new.residual, color).clicked() {
            new.residual = !new.residual;
        }
        note(ui, text, false);
    });
}

/// Draws the row for the folder; returns whether its button was clicked.
pub fn folder(ui: &mut Ui, new: &ExportChoices) -> bool {
    let add = |ui: &mut Ui| {
        let text = fl!(export_choose_folder);
        let is_clicked = button(ui, CHOOSE, ROW, text, Kind::Quiet, true).clicked();
        ui.add_space(space::MEDIUM);
        rest(ui, |ui| shown_text(ui, wide(ui), &new.folder.display().to_string()));
        is_clicked
    };
    named(ui, fl!(export_folder), |ui| row_from_right(ui, ROW, add).inner)
}

/// Draws the row for the answer when a file already exists.
pub fn on_exists(ui: &mut Ui, new: &mut ExportChoices) {
    let name = fl!(export_if_exists);
    let choices = choices_on_exists();
    let at = choices.iter().position(|(on_exists, _)| *on_exists == new.on_exists);
    let shown = choices.map(|(_, shown)| shown);
    named(ui, name, |ui| {
        if let Some(pressed) = fitted_choice(ui, name, wide(ui), &shown, at) {
            new.on_exists = choices[pressed].0;
        }
    });
}
