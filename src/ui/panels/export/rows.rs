//! The rows of the export dialog, except for the names. Each reads and changes the choices.

use egui::{Align2, Id, Rect, Ui, pos2, vec2};

use super::form::{Chosen, Form};
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
        state::view_state::ViewState,
        theme::{Weight, font, radius, text},
        widgets::{
            button::{Kind, button, fitted_choice, width},
            field::field,
            label, tick,
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
pub fn what(ui: &Ui, form: &mut Form, chosen: &Chosen<'_>, new: &mut ExportChoices) {
    let row = form.row(ui, fl!(export_content));
    let Some(what) = new.what() else {
        let body = font(text::BODY, Weight::Regular);
        label(ui, "export what", row, Align2::LEFT_CENTER, fl!(export_dj), body, form.tokens.text);
        form.note(ui, "export what note", fl!(export_dj_note), false);
        return;
    };
    let whats = new.whats();
    let shown: Vec<&str> = whats.iter().map(|what| name_of(*what)).collect();
    let at = whats.iter().position(|other| *other == what);
    if let Some(pressed) = fitted_choice(ui, fl!(export_content), row, &shown, at) {
        new.what = whats[pressed];
    }
    let note = match what {
        ExportWhat::Mix => fl!(export_mix_note).to_owned(),
        _ if chosen.ticked.is_empty() => fl!(export_stems_none).to_owned(),
        ExportWhat::Stems => {
            let shown = ViewState::display_order(&chosen.ticked);
            let shown: Vec<String> = shown.into_iter().map(|i| chosen.ticked[i].clone()).collect();
            let is_one = new.format.streams == Streams::All;
            let stems = words::stems(&shown);
            if is_one {
                fl!(export_stems_one_file, stems = stems)
            } else {
                fl!(export_stems_each, stems = stems)
            }
        }
        ExportWhat::AllBut => fl!(export_all_but_note).to_owned(),
    };
    form.note(ui, "export what note", &note, false);
}

/// Draws the row for the file format.
pub fn format(ui: &Ui, form: &mut Form, new: &mut ExportChoices) {
    let name = fl!(export_format);
    let row = form.row(ui, name);
    let shown = FORMATS.map(words::format_name);
    let at = FORMATS.iter().position(|format| *format == new.format);
    if let Some(pressed) = fitted_choice(ui, name, row, &shown, at) {
        new.format = FORMATS[pressed];
    }
}

/// Draws the row for depth and rate, where the format offers a choice.
pub fn quality(ui: &Ui, form: &mut Form, new: &mut ExportChoices) {
    let row = form.row(ui, fl!(export_quality));
    let (depths, rates) = (new.depths(), new.rates());
    let mut rest = row;
    if !depths.is_empty() {
        let (place, right) = row.split_left_right_at_fraction(DEPTHS);
        rest.min.x = right.left() + 12.0;
        let shown: Vec<String> = depths.iter().map(|depth| words::depth(*depth)).collect();
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        let at = depths.iter().position(|depth| *depth == new.depth());
        if let Some(pressed) = fitted_choice(ui, fl!(export_depth), place, &shown, at) {
            new.depth = depths[pressed];
        }
    }
    if !rates.is_empty() {
        let (left, mut place) = row.split_left_right_at_fraction(DEPTHS);
        place.min.x += 12.0;
        rest.max.x = left.right();
        let shown: Vec<String> = rates.iter().map(|rate| words::rate(*rate)).collect();
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        let at = rates.iter().position(|rate| *rate == new.rate());
        if let Some(pressed) = fitted_choice(ui, fl!(export_rate), place, &shown, at) {
            new.rate = rates[pressed];
        }
    }
    if let Keeps::Roughly(_) = new.format.keeps {
        let body = font(text::BODY, Weight::Regular);
        let text = if rates.is_empty() {
            fl!(export_lossy_at, rate = &words::rate(Some((new.format.rate)(SAMPLE_RATE))))
        } else {
            fl!(export_lossy).to_owned()
        };
        label(ui, "export quality", rest, Align2::LEFT_CENTER, &text, body, form.tokens.text);
    }
}

/// Draws the row for the loudness of a mix.
pub fn loudness(ui: &mut Ui, form: &mut Form, new: &mut ExportChoices) {
    let row = form.row(ui, fl!(export_loudness));
    let wide = tick::width(ui, fl!(export_limiter));
    let limiter = Rect::from_min_max(pos2(row.right() - wide, row.top()), row.max);
    let typed = Rect::from_min_max(
        pos2(limiter.left() - 12.0 - 84.0, row.top()),
        pos2(limiter.left() - 12.0, row.bottom()),
    );
    let place = Rect::from_min_max(row.min, pos2(typed.left() - 12.0, row.bottom()));
    let lufs = new.loudness();
    let loudnesses = loudnesses();
    let at = loudnesses.iter().position(|(offered, ..)| lufs == Ok(*offered));
    let shown = loudnesses.map(|(.., shown)| shown);
    if let Some(pressed) = fitted_choice(ui, fl!(export_loudness), place, &shown, at) {
        loudnesses[pressed].1.clone_into(&mut new.loudness);
    }
    let id = Id::unique("export loudness");
    field(ui, id, typed, fl!(export_loudness_field), "LUFS", &mut new.loudness);
    let color = form.tokens.accent;
    if tick::tick(ui, "export limiter", limiter, fl!(export_limiter), new.limiter, color).clicked()
    {
        new.limiter = !new.limiter;
    }
    let objection = new.loudness().err();
    let text = match &objection {
        Some(objection) => objection.words(),
        None => fl!(export_limiter_note),
    };
    form.note(ui, "export loudness note", text, objection.is_some());
}

/// Draws the row for the residual.
pub fn residual(
    ui: &Ui,
    form: &mut Form,
    what: ExportWhat,
    chosen: &Chosen<'_>,
    new: &mut ExportChoices,
) {
    let row = form.row(ui, fl!(export_also));
    let name = fl!(export_residual);
    let place = Rect::from_min_size(row.min, vec2(tick::width(ui, name), row.height()));
    let color = form.tokens.accent;
    if tick::tick(ui, "export residual", place, name, new.residual, color).clicked() {
        new.residual = !new.residual;
    }
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
    form.note(ui, "export residual note", text, false);
}

/// Draws the row for the folder; returns whether its button was clicked.
pub fn folder(ui: &Ui, form: &mut Form, new: &ExportChoices) -> bool {
    let (row, text) = (form.row(ui, fl!(export_folder)), fl!(export_choose_folder));
    let wide = width(ui, text, Kind::Quiet) - 8.0;
    let place = Rect::from_min_max(pos2(row.right() - wide, row.top()), row.max);
    let path = Rect::from_min_max(row.min, pos2(place.left() - 12.0, row.bottom()));
    ui.painter().rect_filled(path, radius::FIELD, form.tokens.raised);
    let shown = new.folder.display().to_string();
    let body = font(text::BODY, Weight::Regular);
    let inner = path.shrink2(vec2(12.0, 0.0));
    label(ui, "export folder path", inner, Align2::LEFT_CENTER, &shown, body, form.tokens.text);
    button(ui, CHOOSE, place, text, Kind::Quiet, true).clicked()
}

/// Draws the row for the answer when a file already exists.
pub fn on_exists(ui: &Ui, form: &mut Form, new: &mut ExportChoices) {
    let name = fl!(export_if_exists);
    let row = form.row(ui, name);
    let choices = choices_on_exists();
    let at = choices.iter().position(|(on_exists, _)| *on_exists == new.on_exists);
    let shown = choices.map(|(_, shown)| shown);
    if let Some(pressed) = fitted_choice(ui, name, row, &shown, at) {
        new.on_exists = choices[pressed].0;
    }
}
