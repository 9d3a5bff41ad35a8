//! The options of a separation: the model, the quality, and the existing versions.

use egui::{Align2, Popup, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::Cx;
use crate::{
    engine::{
        Song,
        separation::options::{Preset, QualityCost, SeparationOptions},
    },
    i18n::fl,
    model::weights::State,
    ui::{
        action::{Action, UiCommand},
        state::view_state::{OpenSong, Shown},
        theme::{Weight, font, radius, text},
        widgets::{
            at,
            button::{self, Kind, button, fitted_choice},
            focus_ring,
            icon::Icon,
            one_line, paint_text, tick,
        },
        words,
    },
};

const HEIGHT: f32 = tick::HEIGHT;
const GAP: f32 = 12.0;

/// Draws the model, the qualities with their costs, and the draft option, from the left in as many
/// rows as needed. Returns their bottom.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>, row: Rect, song: &Song, open: &OpenSong) -> f32 {
    let Some(shown) = &open.shown else { return row.top() };
    let mut cursor = row.min;
    let mut place = |wide: f32| {
        let wide = wide.min(row.width());
        if cursor.x + wide > row.right() && cursor.x > row.left() {
            cursor = pos2(row.left(), cursor.y + HEIGHT + 8.0);
        }
        let rect = Rect::from_min_size(cursor, vec2(wide, HEIGHT));
        cursor.x += wide + GAP;
        rect
    };
    let wide = text_width(ui, &shown.options.model) + 52.0;
    model(ui, cx, place(wide), song, shown);

    let ticked = cx.ui_state.ticked(song.id, &open.stems);
    let networks = open.networks_for(&ticked);
    let names: Vec<String> =
        shown.offers.iter().map(|offer| offer_words(offer, networks)).collect();
    let wide: f32 = names.iter().map(|name| text_width(ui, name) + 26.0).sum();
    let chosen = shown.offers.iter().position(|offer| offer.quality == shown.options.quality);
    let shown_names: Vec<&str> = names.iter().map(String::as_str).collect();
    if let Some(pressed) =
        fitted_choice(ui, fl!(song_quality), place(wide + 6.0), &shown_names, chosen)
    {
        let options =
            SeparationOptions { quality: shown.offers[pressed].quality, ..shown.options.clone() };
        cx.act(Action::ChooseOptions(song.id, options));
    }
    if !shown.options.quality.is_draft {
        let is_on = cx.ui_state.preferences.drafts_first;
        let rect = place(tick::width(ui, fl!(song_draft_first)));
        let response =
            tick::tick(ui, "drafts first", rect, fl!(song_draft_first), is_on, cx.tokens.accent);
        if response.on_hover_text(fl!(song_draft_first_tooltip)).clicked() {
            let mut new = cx.ui_state.preferences.clone();
            new.drafts_first = !is_on;
            cx.act(Action::Prefer(Box::new(new)));
        }
    }
    if shown.versions.len() > 1 {
        let text = fl!(song_versions, count = shown.versions.len());
        let rect = place(button::width(ui, &text, Kind::Link));
        let response = button(ui, "versions", rect, &text, Kind::Link, true);
        if response.on_hover_text(UiCommand::NextVersion.hint(ui)).clicked() {
            cx.verb(UiCommand::NextVersion);
        }
    }
    cursor.y + HEIGHT
}

fn text_width(ui: &Ui, text: &str) -> f32 {
    let body = font(text::BODY, Weight::SemiBold);
    one_line(ui.painter(), text, body, egui::Color32::PLACEHOLDER, f32::INFINITY).size().x
}

/// Draws the model as a menu.
fn model(ui: &Ui, cx: &mut Cx<'_>, rect: Rect, song: &Song, shown: &Shown) {
    let tokens = cx.tokens;
    let response = at(ui, "model", rect, Sense::click());
    let fill = if response.hovered() { tokens.hovered } else { tokens.raised };
    ui.painter().rect_filled(rect, radius::FIELD, fill);
    let inner = Rect::from_min_max(rect.min + vec2(12.0, 0.0), rect.max - vec2(32.0, 0.0));
    let body = font(text::BODY, Weight::Medium);
    let name = &shown.options.model;
    paint_text(ui.painter(), inner, Align2::LEFT_CENTER, name, body, tokens.text);
    let sign = Rect::from_center_size(rect.right_center() - vec2(18.0, 0.0), vec2(12.0, 12.0));
    Icon::ChevronDown.paint(ui.painter(), sign, tokens.dim);
    focus_ring(ui, &response, rect, radius::FIELD);
    let called = format!("{}: {name}", fl!(song_model));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &called));
    let has_weak_piano = shown.options.model == "htdemucs_6s";
    let mut chosen = None;
    Popup::menu(&response).show(|ui| {
        let installed =
            |model: &&crate::engine::ModelEntry| matches!(model.state, State::Installed { .. });
        for model in cx.state.models().iter().filter(installed) {
            if ui.selectable_label(model.name == *name, &model.name).clicked() {
                chosen = Some(model.name.clone());
            }
        }
    });
    if has_weak_piano {
        response.on_hover_text(fl!(song_piano_is_weak));
    }
    if let Some(model) = chosen.filter(|model| model != name) {
        cx.act(Action::UseModel(song.id, model));
    }
}

/// A quality and its duration with `networks` networks.
fn offer_words(offer: &QualityCost, networks: usize) -> String {
    let name = quality_name(offer.preset);
    match offer.seconds_each {
        Some(each) => {
            let seconds = each * (offer.segments * networks) as f64;
            format!("{name} · {}", words::duration(seconds))
        }
        None => name.to_owned(),
    }
}

fn quality_name(preset: Option<Preset>) -> &'static str {
    match preset {
        Some(Preset::Draft) => fl!(song_quality_draft),
        Some(Preset::Standard) => fl!(song_quality_standard),
        Some(Preset::Best) => fl!(song_quality_best),
        None => fl!(song_quality_custom),
    }
}
