//! The audio tracks of a song's file, if it has several: the imported one, and a menu that imports
//! another as a separate song.

use egui::{Align2, Popup, Pos2, Rect, Role, Sense, Ui, WidgetInfo, vec2};

use super::Cx;
use crate::{
    engine::{AudioTrack, Song, audio::decode::track_choice},
    i18n::fl,
    ui::{
        action::Action,
        theme::{Weight, font, radius, text},
        widgets::{at, focus_ring, icon::Icon, one_line, paint_text},
    },
};

const HEIGHT: f32 = 18.0;
/// The gap before the menu, and the space for its icon and padding, in points.
const GAP: f32 = 10.0;
const BESIDE: f32 = 30.0;

/// The width that [`ui`] needs with its gap, in points; 0 for a file with one track.
pub fn width(ui: &Ui, song: &Song) -> f32 {
    text_of(song).map_or(0.0, |text| GAP + BESIDE + text_width(ui, &text))
}

/// Draws the menu to the right of `from`, for a file with several tracks.
pub fn ui(ui: &Ui, cx: &mut Cx<'_>, from: Pos2, song: &Song) {
    let Some(text) = text_of(song) else { return };
    let tokens = cx.tokens;
    let size = vec2(BESIDE + text_width(ui, &text), HEIGHT);
    let rect = Rect::from_min_size(from + vec2(GAP, 0.0), size);
    let response = at(ui, "audio track", rect, Sense::click());
    let fill = if response.hovered() { tokens.hovered } else { tokens.raised };
    ui.painter().rect_filled(rect, radius::FIELD, fill);
    let inner = Rect::from_min_max(rect.min + vec2(8.0, 0.0), rect.max - vec2(18.0, 0.0));
    let small = font(text::SMALL, Weight::Regular);
    paint_text(ui.painter(), inner, Align2::LEFT_CENTER, &text, small, tokens.text);
    let sign = Rect::from_center_size(rect.right_center() - vec2(11.0, 0.0), vec2(10.0, 10.0));
    Icon::ChevronDown.paint(ui.painter(), sign, tokens.dim);
    focus_ring(ui, &response, rect, radius::FIELD);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &text));
    let mut chosen = None;
    Popup::menu(&response).show(|ui| {
        for track in song.tracks.iter().filter(|track| track.is_decodable) {
            let is_shown = Some(track.number) == song.track;
            if ui.selectable_label(is_shown, entry(track)).clicked() && !is_shown {
                chosen = Some(track.number);
            }
        }
    });
    response.on_hover_text(fl!(song_audio_track_tooltip));
    if let Some(track) = chosen {
        cx.act(Action::ImportTrack(song.path.clone(), track));
    }
}

fn text_of(song: &Song) -> Option<String> {
    let count = song.tracks.len();
    song.track
        .filter(|_| count > 1)
        .map(|track| fl!(song_audio_track, track = track, count = count))
}

fn entry(track: &AudioTrack) -> String {
    format!("{}: {}", track.number, track_choice::label(track))
}

fn text_width(ui: &Ui, text: &str) -> f32 {
    let small = font(text::SMALL, Weight::Regular);
    one_line(ui.painter(), text, small, egui::Color32::PLACEHOLDER, f32::INFINITY).size().x
}
