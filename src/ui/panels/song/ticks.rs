//! The instruments as coloured checkboxes, and presets that tick several at once.

use egui::{Ui, vec2};

use super::Cx;
use crate::{
    engine::Song,
    i18n::fl,
    ui::{
        action::Action,
        state::view_state::ViewState,
        theme::{size, space},
        widgets::{
            button::{Kind, button},
            layout::wrapped,
            tick,
        },
        words,
    },
};

/// A preset of ticked instruments.
#[derive(Clone, Copy)]
enum Preset {
    All,
    Without(&'static str),
    Only(&'static [&'static str]),
}

impl Preset {
    /// The instruments that the preset ticks; `None` when the model lacks the instruments that the
    /// preset names.
    fn of(self, stems: &[String]) -> Option<Vec<String>> {
        let has = |name: &str| stems.iter().any(|stem| stem.eq_ignore_ascii_case(name));
        let those = |is_meant: &dyn Fn(&str) -> bool| {
            stems.iter().filter(|stem| is_meant(stem)).cloned().collect()
        };
        match self {
            Self::All => Some(stems.to_vec()),
            Self::Without(name) => {
                has(name).then(|| those(&|stem| !stem.eq_ignore_ascii_case(name)))
            }
            Self::Only(names) => {
                let is_named =
                    |stem: &str| names.iter().any(|name| name.eq_ignore_ascii_case(stem));
                names.iter().all(|name| has(name)).then(|| those(&is_named))
            }
        }
    }
}

fn presets() -> [(&'static str, Preset); 5] {
    [
        (fl!(song_all), Preset::All),
        (fl!(song_karaoke), Preset::Without("vocals")),
        (fl!(song_vocals_only), Preset::Only(&["vocals"])),
        (fl!(song_drumless), Preset::Without("drums")),
        (fl!(song_drums_and_bass), Preset::Only(&["drums", "bass"])),
    ]
}

/// Draws checkboxes and presets from the left in as many rows as needed.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, song: &Song, stems: &[String]) {
    wrapped(ui, tick::HEIGHT, |ui| {
        ui.spacing_mut().item_spacing = vec2(space::BUTTONS, space::SMALL);
        for stem in ViewState::display_order(stems).into_iter().map(|i| &stems[i]) {
            let name = words::stem_title(stem);
            let is_ticked = cx.ui_state.lane(song.id, stem).ticked;
            let color = cx.tokens.stem(stem);
            if tick::tick(ui, ("tick", stem), tick::HEIGHT, &name, is_ticked, color).clicked() {
                cx.act(Action::Tick(stem.clone(), !is_ticked));
            }
        }
        ui.add_space(space::BUTTONS);
        ui.spacing_mut().item_spacing.x = space::LINKS;
        for (name, preset) in presets() {
            let Some(wanted) = preset.of(stems) else { continue };
            if button(ui, ("preset", name), size::LINK, name, Kind::Link, true).clicked() {
                cx.act(Action::TickOnly(wanted));
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_offered_only_where_they_mean_something() {
        let stems: Vec<String> = ["drums", "bass", "other", "vocals"].map(str::to_owned).into();
        assert_eq!(Preset::Without("vocals").of(&stems).unwrap(), ["drums", "bass", "other"]);
        assert_eq!(Preset::All.of(&stems).unwrap().len(), 4);
        assert_eq!(Preset::Only(&["drums", "bass"]).of(&stems).unwrap(), ["drums", "bass"]);
        assert_eq!(Preset::Only(&["vocals"]).of(&stems).unwrap(), ["vocals"]);
        let two: Vec<String> = ["Vocals", "Instrumental"].map(str::to_owned).into();
        assert_eq!(Preset::Without("vocals").of(&two).unwrap(), ["Instrumental"]);
        let voice = ["voice".to_owned()];
        assert_eq!(Preset::Without("vocals").of(&voice), None);
        assert_eq!(Preset::Only(&["voice", "drums"]).of(&voice), None);
    }
}
