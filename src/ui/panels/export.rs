//! Export: the dialog (what, in which format, where), and how the exports are getting on.

use egui::{Align2, Frame, Id, Modal, Rect, Sense, Ui, pos2, vec2};

use super::Cx;
use crate::{
    engine::{Depth, ExportState},
    ui::{
        action::Action,
        desk::{ExportDialog, ExportWhat},
        state::Export,
        theme::{Weight, font, radius, size, text},
        widgets::{
            at,
            button::{Kind, button, choice, icon_button, width},
            icon::Icon,
            label,
        },
        words,
    },
};

const WHATS: [(ExportWhat, &str); 2] =
    [(ExportWhat::Mix, "Mix of what is heard"), (ExportWhat::Stems, "Ticked stems, one file each")];

const DEPTHS: [(Depth, &str); 3] =
    [(Depth::Int16, "16 bit"), (Depth::Int24, "24 bit"), (Depth::Float32, "32-bit float")];

/// Draws the dialog, if it is open.
pub fn dialog(ui: &Ui, cx: &mut Cx<'_>) {
    // While a path is typed for it, the dialog waits.
    let Some(dialog) = cx.desk.export.filter(|_| cx.desk.prompt.is_none()) else { return };
    let frame =
        Frame::popup(ui.style()).fill(cx.tokens.panel).corner_radius(radius::CARD).inner_margin(24);
    let modal = Modal::new(Id::unique("export dialog"))
        .frame(frame)
        .backdrop_color(cx.tokens.veil)
        .show(ui, |ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(420.0, 224.0), Sense::hover());
            contents(ui, cx, rect, dialog);
        });
    if modal.should_close() {
        cx.act(Action::CloseExport);
    }
}

fn contents(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, dialog: ExportDialog) {
    let tokens = cx.tokens;
    let ExportDialog { song, what, depth } = dialog;
    let row = |top: f32, height: f32| {
        Rect::from_min_size(rect.min + vec2(0.0, top), vec2(rect.width(), height))
    };
    let name = font(text::NAME, Weight::SemiBold);
    let title = cx.state.song(song).map_or("", |song| song.title.as_str());
    let words = format!("Export “{title}”");
    label(ui, "export title", row(0.0, 26.0), Align2::LEFT_CENTER, &words, name, tokens.text);
    let shown = WHATS.map(|(_, words)| words);
    let chosen = WHATS.iter().position(|(it, _)| *it == what).unwrap_or(0);
    if let Some(pressed) = choice(ui, "export what", row(44.0, 36.0), &shown, chosen) {
        cx.act(Action::ExportAs(WHATS[pressed].0, depth));
    }
    let shown = DEPTHS.map(|(_, words)| words);
    let chosen = DEPTHS.iter().position(|(it, _)| *it == depth).unwrap_or(1);
    if let Some(pressed) = choice(ui, "export depth", row(92.0, 36.0), &shown, chosen) {
        cx.act(Action::ExportAs(what, DEPTHS[pressed].0));
    }
    let stems = cx.state.stems(song);
    let ticked = cx.desk.ticked(song, stems);
    let has_any = !ticked.is_empty();
    let words = match what {
        _ if !has_any => "Tick an instrument first".to_owned(),
        ExportWhat::Mix => "WAV, with the faders, mutes and solos as they are".to_owned(),
        ExportWhat::Stems => format!("WAV, in a new folder: {}", words::list(&ticked)),
    };
    let small = font(text::SMALL, Weight::Regular);
    label(ui, "export note", row(138.0, 20.0), Align2::LEFT_CENTER, &words, small, tokens.dim);
    let bottom = rect.bottom();
    let wide = width(ui, "Choose place…", Kind::Primary);
    let place = Rect::from_min_max(pos2(rect.right() - wide, bottom - 42.0), rect.max);
    if button(ui, "export place", place, "Choose place…", Kind::Primary, has_any).clicked() {
        cx.act(Action::ChoosePlace);
    }
    let cancel = width(ui, "Cancel", Kind::Quiet);
    let place =
        Rect::from_min_size(pos2(place.left() - cancel - 10.0, bottom - 42.0), vec2(cancel, 42.0));
    if button(ui, "export cancel", place, "Cancel", Kind::Quiet, true).clicked() {
        cx.act(Action::CloseExport);
    }
}

/// Cards of the exports, stacked upwards from the bottom right of `area`.
pub fn cards(ui: &Ui, cx: &mut Cx<'_>, area: Rect) {
    let state = cx.state;
    let mut bottom = area.bottom() - 12.0;
    let wide = 460.0f32.min(area.width() - 2.0 * size::MARGIN);
    for export in state.exports().iter().rev().take(3) {
        let rect = Rect::from_min_max(
            pos2(area.right() - size::MARGIN - wide, bottom - 62.0),
            pos2(area.right() - size::MARGIN, bottom),
        );
        card(ui, cx, rect, export);
        bottom = rect.top() - 8.0;
    }
}

fn card_words(cx: &Cx<'_>, export: &Export) -> (String, String) {
    let title = cx.desk.export_titles.get(&export.id).map_or("", String::as_str);
    match &export.state {
        ExportState::Running(fraction) => {
            (format!("Exporting “{title}”…"), words::percent(f64::from(*fraction)))
        }
        ExportState::Done { files, gain_db } => {
            let place = match files.as_slice() {
                [file] => file.display().to_string(),
                [first, ..] => {
                    let folder = first.parent().unwrap_or(first);
                    format!("{} files in {}", files.len(), folder.display())
                }
                [] => "nothing was written".to_owned(),
            };
            let note = if *gain_db == 0.0 {
                format!("“{title}” is exported")
            } else {
                let by = words::decibels(-gain_db.abs());
                format!("{by} on all of it, so that nothing clips")
            };
            (format!("Done: {place}"), note)
        }
        ExportState::Failed(reason) => (format!("“{title}” was not exported"), reason.clone()),
        ExportState::Cancelled => ("Cancelled".to_owned(), String::new()),
    }
}

fn card(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, export: &Export) {
    let tokens = cx.tokens;
    // What lies beneath is not reached through the card.
    at(ui, ("export card", export.id), rect, Sense::CLICK | Sense::DRAG);
    let shadow = egui::Shadow { offset: [0, 4], blur: 18, spread: 0, color: tokens.veil };
    ui.painter().add(shadow.as_shape(rect, radius::CARD));
    ui.painter().rect_filled(rect, radius::CARD, tokens.raised);
    if let ExportState::Running(fraction) = export.state {
        let mut done = rect;
        done.set_width(rect.width() * fraction.clamp(0.0, 1.0));
        let painter = ui.painter().with_clip_rect(done.intersect(ui.clip_rect()));
        painter.rect_filled(rect, radius::CARD, tokens.progress);
    }
    let (first, second) = card_words(cx, export);
    let inner = Rect::from_min_max(rect.min + vec2(18.0, 9.0), rect.max - vec2(54.0, 9.0));
    let (upper, lower) = inner.split_top_bottom_at_fraction(0.54);
    let strong = font(text::BODY, Weight::SemiBold);
    label(ui, ("export", export.id), upper, Align2::LEFT_CENTER, &first, strong, tokens.text);
    let has_failed = matches!(export.state, ExportState::Failed(_));
    let ink = if has_failed { tokens.error } else { tokens.dim };
    let ink = if matches!(export.state, ExportState::Running(_)) { tokens.text } else { ink };
    let small = font(text::SMALL, Weight::Regular);
    label(ui, ("export line", export.id), lower, Align2::LEFT_CENTER, &second, small, ink);
    let place = Rect::from_center_size(rect.right_center() - vec2(30.0, 0.0), vec2(32.0, 32.0));
    let is_running = matches!(export.state, ExportState::Running(_));
    let (name, action) = if is_running {
        ("Cancel export", Action::CancelExport(export.id))
    } else {
        ("Dismiss", Action::DismissExport(export.id))
    };
    let salt = ("export end", export.id);
    if icon_button(ui, salt, place, Icon::Close, name, None, tokens.text).clicked() {
        cx.act(action);
    }
}
