//! The audio tracks of a song's file, if it has several: the imported one, and a menu that imports
//! another as a separate song.

use egui::{Popup, Ui};

use super::Cx;
use crate::{
    engine::{AudioTrack, Song, audio::decode::track_choice},
    i18n::fl,
    ui::{
        action::Action,
        theme::{Weight, font, size, space, text},
        widgets::drop_down::DropDown,
    },
};

/// Draws the menu, for a file with several tracks.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, song: &Song) {
    let Some(text) = text_of(song) else { return };
    let menu = DropDown {
        font: font(text::SMALL, Weight::Regular),
        height: size::SMALL_LINE,
        padding: space::SMALL,
        gap: space::TINY,
        icon: size::ICON_TINY,
    };
    let wide = menu.width(ui, &text).min(ui.available_width());
    let response = menu.show(ui, "audio track", wide, &text, &text);
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
