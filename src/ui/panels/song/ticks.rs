//! The instruments as coloured checkboxes, and presets that tick several at once. An arrow at an
//! instrument shows its parts, in a row of their own below.

use egui::{Align, Layout, Margin, ScrollArea, Ui, vec2};

use super::Cx;
use crate::{
    engine::{LaneSettings, Song},
    i18n::fl,
    ui::{
        action::Action,
        panels::modal::show_rings,
        state::{instruments::Instruments, ui_state::List, view_state::Missing},
        theme::{Weight, font, size, space, text},
        widgets::{
            button::{Kind, button},
            fold,
            layout::wrapped,
            plain,
            surface::within,
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
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, song: &Song) {
    let stems = cx.state.instruments(song.id);
    let lanes = cx.ui_state.lanes(song.id, stems);
    let list = Ticks { stems, lanes: &lanes, missing: &cx.state.missing_stems(song.id) };
    let mut open = Vec::new();
    wrapped(ui, tick::HEIGHT, |ui| {
        ui.spacing_mut().item_spacing = vec2(space::BUTTONS, space::SMALL);
        list.branch(ui, cx, None, &mut open);
        ui.add_space(space::BUTTONS);
        ui.spacing_mut().item_spacing.x = space::LINKS;
        let of_song: Vec<String> =
            stems.parts(None).into_iter().map(|stem| stems.names()[stem].clone()).collect();
        for (name, preset) in presets() {
            let Some(wanted) = preset.of(&of_song) else { continue };
            if button(ui, ("preset", name), size::LINK, name, Kind::Link, true).clicked() {
                cx.act(Action::TickOnly(wanted));
            }
        }
    });
    if open.is_empty() {
        return;
    }
    // In a low window, the parts scroll and leave space for lanes.
    let room = (ui.available_height() - size::BELOW_PARTS).max(tick::HEIGHT + space::SMALL);
    ScrollArea::vertical().id_salt("parts").max_height(room).show(ui, |ui| {
        show_rings(ui);
        list.parts(ui, cx, open);
    });
}

/// The instruments of a song.
#[derive(Clone, Copy)]
struct Ticks<'a> {
    stems: Instruments<'a>,
    lanes: &'a [LaneSettings],
    missing: &'a [Missing<'a>],
}

impl Ticks<'_> {
    /// Draws the rows of the parts of stems, each below the row of its stem.
    fn parts(self, ui: &mut Ui, cx: &mut Cx<'_>, open: Vec<usize>) {
        for stem in open {
            ui.add_space(space::SMALL);
            let mut within = Vec::new();
            ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
                ui.add_space(size::PART * self.stems.depth(stem) as f32);
                row_of_whole(ui, cx, self.stems, stem);
                wrapped(ui, tick::HEIGHT, |ui| {
                    ui.spacing_mut().item_spacing = vec2(space::BUTTONS, space::SMALL);
                    self.branch(ui, cx, Some(stem), &mut within);
                });
            });
            self.parts(ui, cx, within);
        }
    }

    /// Draws the stems of a branch, available and missing ones; adds those whose parts are displayed.
    fn branch(self, ui: &mut Ui, cx: &mut Cx<'_>, of: Option<usize>, open: &mut Vec<usize>) {
        for stem in self.stems.parts(of) {
            if self.stem(ui, cx, stem) {
                open.push(stem);
            }
        }
        let whole = of.map(|stem| self.stems.names()[stem].as_str());
        for missing in self.missing.iter().filter(|missing| missing.is_in(whole)) {
            missing_ui(ui, cx, missing, whole);
        }
    }

    /// Draws a stem, with an arrow if it has parts. Returns whether the parts are displayed.
    fn stem(self, ui: &mut Ui, cx: &mut Cx<'_>, stem: usize) -> bool {
        let (stems, key) = (self.stems, &self.stems.names()[stem]);
        let has_parts = !stems.parts(Some(stem)).is_empty()
            || self.missing.iter().any(|missing| missing.is_in(Some(key)));
        let is_open = has_parts && cx.ui_state.is_open(List::Ticks, key);
        let (shown, name) = (words::instrument(stems, stem), words::full_instrument(stems, stem));
        let color = stems.color(cx.tokens, stem);
        let arrow = if has_parts { size::ARROW } else { 0.0 };
        let wide = (tick::width(ui, &shown) + arrow).min(ui.available_width());
        let (_, rect) = ui.allocate_space(vec2(wide, tick::HEIGHT));
        let is_ticked = self.lanes[stem].ticked;
        let pill = tick::Pill { shown: &shown, name: &name, is_ticked, is_enabled: true, color };
        let response = pill.show(ui, ("tick", key), rect, arrow);
        let mut wanted = has_parts.then(|| fold::keys(ui, &response)).flatten();
        if response.clicked() {
            cx.act(Action::Tick(key.clone(), !is_ticked));
        }
        if has_parts {
            let has_ticked_part = (stem + 1..self.lanes.len())
                .any(|part| self.lanes[part].ticked && stems.line(part).any(|whole| whole == stem));
            let ink = if has_ticked_part { color } else { cx.tokens.dim };
            let name = if is_open {
                fl!(song_hide_parts, stem = name)
            } else {
                fl!(song_show_parts, stem = name)
            };
            let place = rect.with_min_x(rect.right() - arrow);
            let clicked = within(ui, place, Margin::ZERO, |ui| {
                fold::arrow(ui, ("parts", key), place.size(), &name, is_open, ink)
            });
            wanted = clicked.or(wanted);
        }
        if let Some(wanted) = wanted.filter(|wanted| *wanted != is_open) {
            cx.act(Action::Fold(List::Ticks, key.clone(), wanted));
        }
        is_open
    }
}

/// Draws the name of a stem before its parts, with a bar in its colour.
fn row_of_whole(ui: &mut Ui, cx: &Cx<'_>, stems: Instruments<'_>, stem: usize) {
    let cell = vec2(size::WHOLE, tick::HEIGHT);
    ui.allocate_ui_with_layout(cell, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(cell);
        ui.spacing_mut().item_spacing.x = space::SMALL;
        let (_, bar) = ui.allocate_space(vec2(size::LANE_BAR, size::TEXT_LINE));
        ui.painter().rect_filled(bar, size::LANE_BAR / 2.0, stems.color(cx.tokens, stem));
        let small = font(text::SMALL, Weight::Medium);
        plain(ui, &words::instrument(stems, stem), small, cx.tokens.dim);
    });
}

/// Draws a stem for which a network is missing.
fn missing_ui(ui: &mut Ui, cx: &Cx<'_>, missing: &Missing<'_>, whole: Option<&str>) {
    let shown = words::stem_title(missing.name);
    let why = fl!(song_needs_model, stems = words::stems(missing.makes));
    let name = format!("{}: {why}", words::full_title(missing.name, whole));
    let wide = tick::width(ui, &shown).min(ui.available_width());
    let (_, rect) = ui.allocate_space(vec2(wide, tick::HEIGHT));
    let (is_ticked, is_enabled, color) = (false, false, cx.tokens.faint);
    let pill = tick::Pill { shown: &shown, name: &name, is_ticked, is_enabled, color };
    pill.show(ui, ("missing", missing.name), rect, 0.0).on_hover_text(words::capitalised(&why));
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
