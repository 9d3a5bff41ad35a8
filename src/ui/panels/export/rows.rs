//! The rows of the export dialog but for the names: each reads the choices and changes them.

use egui::{Align2, Id, Rect, Ui, pos2, vec2};

use super::dialog::{Chosen, Form};
use crate::{
    engine::{
        SAMPLE_RATE,
        export::{
            FORMATS, OnExists,
            format::{Keeps, Streams},
        },
    },
    ui::{
        export::{ExportChoices, ExportWhat},
        state::ViewState,
        theme::{Weight, font, radius, text},
        widgets::{
            button::{Kind, button, fitted_choice, width},
            field::field,
            label, tick,
        },
        words,
    },
};

/// The button that asks for a folder.
pub const CHOOSE: &str = "export folder";

/// Loudnesses that are offered, in LUFS, as they are typed, and as they are shown.
const LOUDNESSES: [(Option<f32>, &str, &str); 4] = [
    (None, "", "As it is"),
    (Some(-14.0), "−14", "−14 LUFS"),
    (Some(-16.0), "−16", "−16 LUFS"),
    (Some(-23.0), "−23", "−23 LUFS"),
];

const ON_EXISTS: [(OnExists, &str); 4] = [
    (OnExists::Ask, "Ask"),
    (OnExists::Number, "Keep both"),
    (OnExists::Replace, "Replace"),
    (OnExists::Skip, "Skip"),
];

/// The part of a row that depths get, as their words want it: four of them, and three rates.
const DEPTHS: f32 = 0.56;

fn name_of(what: ExportWhat) -> &'static str {
    match what {
        ExportWhat::Mix => "Mix of what is heard",
        ExportWhat::Stems => "Ticked stems",
        ExportWhat::AllBut => "All but…",
    }
}

/// What is written.
pub fn what(ui: &Ui, form: &mut Form, chosen: &Chosen<'_>, new: &mut ExportChoices) {
    let row = form.row(ui, "What");
    let Some(what) = new.what() else {
        let body = font(text::BODY, Weight::Regular);
        let words = "The whole song and its four stems";
        label(ui, "export what", row, Align2::LEFT_CENTER, words, body, form.tokens.text);
        form.note(ui, "export what note", "In one file, as DJ programs play it", false);
        return;
    };
    let whats = new.whats();
    let shown: Vec<&str> = whats.iter().map(|what| name_of(*what)).collect();
    let at = whats.iter().position(|it| *it == what);
    if let Some(pressed) = fitted_choice(ui, "What", row, &shown, at) {
        new.what = whats[pressed];
    }
    let note = match what {
        ExportWhat::Mix => "With the faders, mutes and solos as they are".to_owned(),
        _ if chosen.ticked.is_empty() => "No instrument is ticked".to_owned(),
        ExportWhat::Stems => {
            let shown = ViewState::display_order(&chosen.ticked);
            let shown: Vec<String> = shown.into_iter().map(|i| chosen.ticked[i].clone()).collect();
            let is_one = new.format.streams == Streams::All;
            let files = if is_one { "All in one file" } else { "A file for each" };
            format!("{files}: {}", words::list(&shown))
        }
        ExportWhat::AllBut => {
            "The song minus the stem, so that what no stem holds stays in".to_owned()
        }
    };
    form.note(ui, "export what note", &note, false);
}

/// The kind of file.
pub fn format(ui: &Ui, form: &mut Form, new: &mut ExportChoices) {
    let row = form.row(ui, "Format");
    let shown = FORMATS.map(|format| format.name);
    let at = FORMATS.iter().position(|format| *format == new.format);
    if let Some(pressed) = fitted_choice(ui, "Format", row, &shown, at) {
        new.format = FORMATS[pressed];
    }
}

/// Depth and rate, where the format leaves a choice.
pub fn quality(ui: &Ui, form: &mut Form, new: &mut ExportChoices) {
    let row = form.row(ui, "Quality");
    let (depths, rates) = (new.depths(), new.rates());
    let mut rest = row;
    if !depths.is_empty() {
        let (place, right) = row.split_left_right_at_fraction(DEPTHS);
        rest.min.x = right.left() + 12.0;
        let shown: Vec<&str> = depths.iter().map(|depth| words::depth(*depth)).collect();
        let at = depths.iter().position(|depth| *depth == new.depth());
        if let Some(pressed) = fitted_choice(ui, "Depth", place, &shown, at) {
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
        if let Some(pressed) = fitted_choice(ui, "Rate", place, &shown, at) {
            new.rate = rates[pressed];
        }
    }
    if let Keeps::Roughly(_) = new.format.keeps {
        let body = font(text::BODY, Weight::Regular);
        let mut words = "Keeps what is heard, in a small file".to_owned();
        if rates.is_empty() {
            let rate = words::rate(Some((new.format.rate)(SAMPLE_RATE)));
            words = format!("{words}, at {rate}");
        }
        label(ui, "export quality", rest, Align2::LEFT_CENTER, &words, body, form.tokens.text);
    }
}

/// How loud a mix becomes.
pub fn loudness(ui: &mut Ui, form: &mut Form, new: &mut ExportChoices) {
    let row = form.row(ui, "Loudness");
    let wide = tick::width(ui, "Limiter");
    let limiter = Rect::from_min_max(pos2(row.right() - wide, row.top()), row.max);
    let typed = Rect::from_min_max(
        pos2(limiter.left() - 12.0 - 84.0, row.top()),
        pos2(limiter.left() - 12.0, row.bottom()),
    );
    let place = Rect::from_min_max(row.min, pos2(typed.left() - 12.0, row.bottom()));
    let lufs = new.loudness();
    let at = LOUDNESSES.iter().position(|(offered, ..)| lufs == Ok(*offered));
    let shown = LOUDNESSES.map(|(.., shown)| shown);
    if let Some(pressed) = fitted_choice(ui, "Loudness", place, &shown, at) {
        LOUDNESSES[pressed].1.clone_into(&mut new.loudness);
    }
    let id = Id::unique("export loudness");
    field(ui, id, typed, "Loudness in LUFS", "LUFS", &mut new.loudness);
    let color = form.tokens.accent;
    if tick::tick(ui, "export limiter", limiter, "Limiter", new.limiter, color).clicked() {
        new.limiter = !new.limiter;
    }
    let objection = new.loudness().err();
    let words = match &objection {
        Some(objection) => objection.words(),
        None => "The limiter holds back single loud peaks, instead of turning everything down",
    };
    form.note(ui, "export loudness note", words, objection.is_some());
}

/// Whether what no stem holds is written too.
pub fn residual(
    ui: &Ui,
    form: &mut Form,
    what: ExportWhat,
    chosen: &Chosen<'_>,
    new: &mut ExportChoices,
) {
    let row = form.row(ui, "Also");
    let name = "Residual: what no stem holds";
    let place = Rect::from_min_size(row.min, vec2(tick::width(ui, name), row.height()));
    let color = form.tokens.accent;
    if tick::tick(ui, "export residual", place, name, new.residual, color).clicked() {
        new.residual = !new.residual;
    }
    let parts = if new.format.streams == Streams::All { "tracks" } else { "files" };
    let words = match (what, new.format.keeps) {
        (ExportWhat::AllBut, _) => "The song minus all of its stems".to_owned(),
        (_, Keeps::Roughly(_)) => format!("With it and every stem, the {parts} add up to the song"),
        _ if chosen.ticked.len() < chosen.stems.len() => {
            format!("With it and every stem ticked, the {parts} add up to the song exactly")
        }
        _ => format!("With it, the {parts} add up to the song exactly"),
    };
    form.note(ui, "export residual note", &words, false);
}

/// Where files go; whether another folder is asked for.
pub fn folder(ui: &Ui, form: &mut Form, new: &ExportChoices) -> bool {
    let row = form.row(ui, "Folder");
    let words = "Choose…";
    let wide = width(ui, words, Kind::Quiet) - 8.0;
    let place = Rect::from_min_max(pos2(row.right() - wide, row.top()), row.max);
    let path = Rect::from_min_max(row.min, pos2(place.left() - 12.0, row.bottom()));
    ui.painter().rect_filled(path, radius::FIELD, form.tokens.raised);
    let shown = new.folder.display().to_string();
    let body = font(text::BODY, Weight::Regular);
    let inner = path.shrink2(vec2(12.0, 0.0));
    label(ui, "export folder path", inner, Align2::LEFT_CENTER, &shown, body, form.tokens.text);
    button(ui, CHOOSE, place, words, Kind::Quiet, true).clicked()
}

/// What happens where a name is taken.
pub fn on_exists(ui: &Ui, form: &mut Form, new: &mut ExportChoices) {
    let name = "If it exists";
    let row = form.row(ui, name);
    let at = ON_EXISTS.iter().position(|(on_exists, _)| *on_exists == new.on_exists);
    let shown = ON_EXISTS.map(|(_, shown)| shown);
    if let Some(pressed) = fitted_choice(ui, name, row, &shown, at) {
        new.on_exists = ON_EXISTS[pressed].0;
    }
}
