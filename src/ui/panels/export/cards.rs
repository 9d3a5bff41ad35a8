//! The cards of exports: progress, written files, and questions.

use egui::{Align, Align2, Aligned, Layout, Sense, Shape, Ui, UiBuilder, Vec2, vec2};

use crate::{
    engine::{ExportState, export::OnExists},
    i18n::fl,
    ui::{
        action::Action,
        panels::Cx,
        state::view_state::Export,
        theme::{Weight, font, margin, radius, size, space, text},
        widgets::{
            button::{Kind, button, icon_button},
            icon::Icon,
            label,
            layout::{row, wrapped},
            paragraph,
            surface::{Surface, within},
        },
        words,
    },
};

/// Maximum rows of the text; the tooltip has the full text.
const ROWS: usize = 3;
/// Blur of the shadow, in points.
const SHADOW: u8 = 18;

/// The possible answers when a file already exists.
fn possible_answers() -> [(OnExists, &'static str); 3] {
    [
        (OnExists::Replace, fl!(export_replace)),
        (OnExists::Number, fl!(export_keep_both)),
        (OnExists::Skip, fl!(export_skip)),
    ]
}

/// Draws the cards at the bottom right as far as they fit, the newest lowest.
pub fn cards(ui: &mut Ui, cx: &mut Cx<'_>) {
    let state = cx.state;
    within(ui, ui.max_rect(), margin::OVERLAY, |ui| {
        ui.spacing_mut().item_spacing = vec2(0.0, space::SMALL);
        for export in state.exports().iter().rev() {
            if ui.available_height() < size::EXPORT_CARD_LEAST {
                break;
            }
            let cards = Aligned::new(Align2::RIGHT_BOTTOM).id_salt(("export card", export.id));
            cards.show(ui, |ui| {
                ui.spacing_mut().item_spacing = Vec2::ZERO;
                ui.set_width(size::EXPORT_CARD.min(ui.available_width()));
                card(ui, cx, export, &Texts::of(cx, export));
            });
        }
    });
}

/// The texts of a card.
struct Texts {
    heading: String,
    text: String,
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
                (fl!(card_failed, title = title), words::sentence(problem))
            }
            ExportState::Cancelled => (fl!(card_cancelled).to_owned(), String::new()),
        };
        Self { heading, text }
    }
}

/// Draws a card, which blocks clicks and drags on the widgets below it.
fn card(ui: &mut Ui, cx: &mut Cx<'_>, export: &Export, texts: &Texts) {
    let tokens = cx.tokens;
    let progress = match export.state {
        ExportState::Running(fraction) => Some((fraction, tokens.progress)),
        _ => None,
    };
    let surface = Surface {
        fill: tokens.raised,
        radius: radius::CARD,
        margin: margin::EXPORT_CARD,
        progress,
    };
    let shadow = ui.painter().add(Shape::Noop);
    let blocking = UiBuilder::new().sense(Sense::CLICK | Sense::DRAG);
    let shown = ui.scope_builder(blocking, |ui| {
        surface.show(ui, |ui| {
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                end(ui, cx, export);
                ui.with_layout(Layout::top_down(Align::Min), |ui| contents(ui, cx, export, texts));
            });
        });
    });
    let shape = egui::Shadow { offset: [0, 4], blur: SHADOW, spread: 0, color: tokens.veil };
    let shape = shape.as_shape(shown.response.rect, radius::CARD);
    ui.painter().set(shadow, shape);
}

/// Draws the heading, the text, and the buttons of a card.
fn contents(ui: &mut Ui, cx: &mut Cx<'_>, export: &Export, texts: &Texts) {
    let tokens = cx.tokens;
    let strong = font(text::BODY, Weight::SemiBold);
    row(ui, size::ICON_BUTTON, |ui| label(ui, &texts.heading, strong, tokens.text));
    let ink = match export.state {
        ExportState::Failed(_) => tokens.error,
        ExportState::Running(_) => tokens.text,
        _ => tokens.dim,
    };
    paragraph(ui, &texts.text, font(text::SMALL, Weight::Regular), ink, ROWS);
    match &export.state {
        ExportState::Exists(_) => answers(ui, cx, export),
        ExportState::Done { files, .. } => {
            if let Some(file) = files.first() {
                ui.add_space(space::BUTTONS);
                let (salt, height) = (("export show", export.id), size::CARD_BUTTON);
                let response = button(ui, salt, height, fl!(show), Kind::OnRaised, true);
                if response.on_hover_text(fl!(show_tooltip)).clicked() {
                    cx.act(Action::Show(file.clone()));
                }
            }
        }
        _ => {}
    }
}

/// Draws the cross in the corner, which cancels a running export and dismisses an ended one.
fn end(ui: &mut Ui, cx: &mut Cx<'_>, export: &Export) {
    let (name, action) = match export.state {
        ExportState::Running(_) => (fl!(card_cancel), Action::CancelExport(export.id)),
        // The answers already include Cancel.
        ExportState::Exists(_) => return,
        _ => (fl!(dismiss), Action::DismissExport(export.id)),
    };
    let (salt, ink) = (("export end", export.id), cx.tokens.text);
    if icon_button(ui, salt, size::ICON_BUTTON, Icon::Close, name, None, ink).clicked() {
        cx.act(action);
    }
}

fn answers(ui: &mut Ui, cx: &mut Cx<'_>, export: &Export) {
    let again =
        possible_answers().map(|(answer, text)| (text, Action::ExportAgain(export.id, answer)));
    let cancel = (fl!(cancel), Action::DismissExport(export.id));
    ui.add_space(space::BUTTONS);
    wrapped(ui, size::CARD_BUTTON, |ui| {
        ui.spacing_mut().item_spacing = Vec2::splat(space::SMALL);
        for (text, action) in again.into_iter().chain([cancel]) {
            let (salt, height) = (("export answer", export.id, text), size::CARD_BUTTON);
            if button(ui, salt, height, text, Kind::OnRaised, true).clicked() {
                cx.act(action);
            }
        }
    });
}
