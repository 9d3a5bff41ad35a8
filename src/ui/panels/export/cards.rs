//! The cards of exports: progress, written files, and questions.

use egui::{Align2, Rect, Sense, Ui, pos2, vec2};

use crate::{
    engine::{ExportState, export::OnExists},
    i18n::fl,
    ui::{
        action::Action,
        panels::Cx,
        state::view_state::Export,
        theme::{Weight, font, radius, size, text},
        widgets::{
            at,
            button::{Kind, button, icon_button, width},
            icon::Icon,
            label, lines, paragraph,
        },
        words,
    },
};

const WIDTH: f32 = 460.0;
/// Maximum rows of the text; the tooltip has the full text.
const ROWS: usize = 3;
const BUTTON: f32 = 30.0;

/// The possible answers when a file already exists.
fn possible_answers() -> [(OnExists, &'static str); 3] {
    [
        (OnExists::Replace, fl!(export_replace)),
        (OnExists::Number, fl!(export_keep_both)),
        (OnExists::Skip, fl!(export_skip)),
    ]
}

/// Draws the cards upwards from the bottom right of `area` as far as they fit, the newest lowest.
pub fn cards(ui: &Ui, cx: &mut Cx<'_>, area: Rect) {
    let state = cx.state;
    let right = area.right() - size::MARGIN;
    let left = right - WIDTH.min(area.width() - 2.0 * size::MARGIN);
    let mut bottom = area.bottom() - 12.0;
    for export in state.exports().iter().rev() {
        let texts = Texts::of(cx, export);
        let top = bottom - texts.height(ui, right - left);
        if top < area.top() + 12.0 {
            break;
        }
        card(ui, cx, Rect::from_min_max(pos2(left, top), pos2(right, bottom)), export, &texts);
        bottom = top - 8.0;
    }
}

/// The texts of a card.
struct Texts {
    heading: String,
    text: String,
    has_buttons: bool,
}

impl Texts {
    fn of(cx: &Cx<'_>, export: &Export) -> Self {
        let asked = cx.ui_state.exports.get(&export.id);
        let title = asked.map_or("", |asked| asked.title.as_str());
        let (heading, text) = match &export.state {
            ExportState::Running(fraction) => {
                (fl!(card_exporting, title = title), words::percent(f64::from(*fraction)))
            }
            ExportState::Done { files, gain_db, notes } => {
                let has_loudness =
                    asked.is_some_and(|asked| asked.settings.loudness_lufs.is_some());
                let heading = match files.as_slice() {
                    [file] => fl!(card_done, file = &words::file_name(file)),
                    [_, ..] => {
                        fl!(card_done_files, files = &words::files(files.len()), title = title)
                    }
                    [] => fl!(card_nothing_written, title = title),
                };
                let folder = files.first().and_then(|file| file.parent());
                let place = folder
                    .map(|folder| fl!(card_in_folder, folder = &folder.display().to_string()));
                let gain = words::common_gain(*gain_db, has_loudness);
                let notes = notes.0.iter().map(|note| words::capitalised(&words::note(note)));
                let said: Vec<String> = place.into_iter().chain(gain).chain(notes).collect();
                (heading, said.join(". "))
            }
            ExportState::Exists(files) => {
                let heading = fl!(card_exists, title = title, count = files.len());
                let names: Vec<String> = files.iter().map(|file| words::file_name(file)).collect();
                (heading, words::list(&names))
            }
            ExportState::Failed(problem) => {
                (fl!(card_failed, title = title), words::capitalised(&words::problem(problem)))
            }
            ExportState::Cancelled => (fl!(card_cancelled).to_owned(), String::new()),
        };
        let has_buttons = match &export.state {
            ExportState::Exists(_) => true,
            ExportState::Done { files, .. } => !files.is_empty(),
            _ => false,
        };
        Self { heading, text, has_buttons }
    }

    fn height(&self, ui: &Ui, width: f32) -> f32 {
        let small = font(text::SMALL, Weight::Regular);
        let color = egui::Color32::PLACEHOLDER;
        let text = lines(ui.painter(), &self.text, small, color, width - 72.0, ROWS).size().y;
        let buttons = if self.has_buttons { BUTTON + 10.0 } else { 0.0 };
        12.0 + 18.0 + 3.0 + text + buttons + 14.0
    }
}

fn card(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, export: &Export, texts: &Texts) {
    let tokens = cx.tokens;
    // Blocks clicks and drags on the widgets below the card.
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
    let inner = Rect::from_min_max(rect.min + vec2(18.0, 12.0), rect.max - vec2(54.0, 14.0));
    let upper = Rect::from_min_size(inner.min, vec2(inner.width(), 18.0));
    let strong = font(text::BODY, Weight::SemiBold);
    let salt = ("export", export.id);
    label(ui, salt, upper, Align2::LEFT_CENTER, &texts.heading, strong, tokens.text);
    let lower = Rect::from_min_max(pos2(inner.left(), upper.bottom() + 3.0), inner.max);
    let ink = match export.state {
        ExportState::Failed(_) => tokens.error,
        ExportState::Running(_) => tokens.text,
        _ => tokens.dim,
    };
    let small = font(text::SMALL, Weight::Regular);
    paragraph(ui, ("export line", export.id), lower, &texts.text, small, ink, ROWS);
    let row = Rect::from_min_max(pos2(inner.left(), inner.bottom() - BUTTON), inner.max);
    match &export.state {
        ExportState::Exists(_) => answers(ui, cx, row, export),
        ExportState::Done { files, .. } => {
            if let Some(file) = files.first() {
                let wide = width(ui, fl!(show), Kind::OnRaised) - 8.0;
                let place = Rect::from_min_size(row.min, vec2(wide, BUTTON));
                let salt = ("export show", export.id);
                let response = button(ui, salt, place, fl!(show), Kind::OnRaised, true);
                if response.on_hover_text(fl!(show_tooltip)).clicked() {
                    cx.act(Action::Show(file.clone()));
                }
            }
        }
        _ => {}
    }
    end(ui, cx, rect, export);
}

/// Draws the cross in the corner, which cancels a running export and dismisses an ended one.
fn end(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, export: &Export) {
    let (name, action) = match export.state {
        ExportState::Running(_) => (fl!(card_cancel), Action::CancelExport(export.id)),
        // The answers already include Cancel.
        ExportState::Exists(_) => return,
        _ => (fl!(dismiss), Action::DismissExport(export.id)),
    };
    let place = Rect::from_center_size(rect.right_top() + vec2(-30.0, 31.0), vec2(32.0, 32.0));
    let salt = ("export end", export.id);
    if icon_button(ui, salt, place, Icon::Close, name, None, cx.tokens.text).clicked() {
        cx.act(action);
    }
}

fn answers(ui: &Ui, cx: &mut Cx<'_>, row: Rect, export: &Export) {
    let mut left = row.left();
    let again =
        possible_answers().map(|(answer, text)| (text, Action::ExportAgain(export.id, answer)));
    let cancel = (fl!(cancel), Action::DismissExport(export.id));
    for (text, action) in again.into_iter().chain([cancel]) {
        let wide = width(ui, text, Kind::OnRaised) - 8.0;
        let place = Rect::from_min_size(pos2(left, row.top()), vec2(wide, BUTTON));
        let salt = ("export answer", export.id, text);
        if button(ui, salt, place, text, Kind::OnRaised, true).clicked() {
            cx.act(action);
        }
        left += wide + 8.0;
    }
}
