//! All colours, fonts and durations of the window, and its lengths ([`size`], [`space`], [`margin`]).
//!
//! Panels lay out their parts with them, and widgets draw themselves. Main thread.

mod sizes;

use std::sync::Arc;

use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke, Style,
    TextStyle, Theme, Visuals, style::ScrollStyle, vec2,
};

use crate::engine::export::RESIDUAL;
pub use sizes::{margin, radius, size, space, text};

/// Duration of a transition, in seconds.
pub const MOTION_SECS: f32 = 0.14;

/// Opacity of a waveform's peak over its RMS.
pub const PEAK_ALPHA: f32 = 0.4;
/// Opacity of a lane that is not audible.
pub const MUTED_ALPHA: f32 = 0.33;
/// Opacity of the veil over a draft's waveform.
pub const DRAFT_VEIL: f32 = 0.45;

/// Opacity of the segment that is being computed.
pub const GLOW_ALPHA: f32 = 0.2;
/// Opacity of the loop.
pub const LOOP_ALPHA: f32 = 0.1;

/// The colours of one theme.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    /// The window's background.
    pub background: Color32,
    /// Library, transport and lanes.
    pub panel: Color32,
    /// Fields, cards and other surfaces on a panel.
    pub raised: Color32,
    /// A hovered surface on `raised`.
    pub hovered: Color32,
    /// Separators and unknown ranges.
    pub line: Color32,
    /// Text.
    pub text: Color32,
    /// Secondary text.
    pub dim: Color32,
    /// Hints; readable on every surface.
    pub faint: Color32,
    /// The primary button, links and the focus.
    pub accent: Color32,
    /// Text on `accent`.
    pub on_accent: Color32,
    /// The completed part of a card.
    pub progress: Color32,
    /// Warnings.
    pub warning: Color32,
    /// Errors.
    pub error: Color32,
    /// Text on an instrument's colour.
    pub on_stem: Color32,
    /// Knobs of faders.
    pub knob: Color32,
    /// Rims of knobs.
    pub knob_rim: Color32,
    /// The level meter.
    pub meter: Color32,
    /// The waveform of the original.
    pub original: Color32,
    /// The veil over the window behind a dialog.
    pub veil: Color32,
    stems: [Color32; 6],
    other_stem: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// The dark theme.
pub static DARK: Tokens = Tokens {
    background: rgb(0x15171C),
    panel: rgb(0x1B1E25),
    raised: rgb(0x242933),
    hovered: rgb(0x2E3440),
    line: rgb(0x2E3440),
    text: rgb(0xECEEF3),
    dim: rgb(0x9BA4B4),
    faint: rgb(0x8F98A8),
    accent: rgb(0x7AA7FF),
    on_accent: rgb(0x0E1320),
    progress: rgb(0x344563),
    warning: rgb(0xF4B350),
    error: rgb(0xFF8A84),
    on_stem: rgb(0x0E1320),
    knob: rgb(0xECEEF3),
    knob_rim: rgb(0x15171C),
    meter: rgb(0x45C4A6),
    original: rgb(0xC9CFDA),
    veil: Color32::from_black_alpha(140),
    stems: [
        rgb(0xF27FA5),
        rgb(0xF4B350),
        rgb(0x9B8CFA),
        rgb(0x45C4A6),
        rgb(0xF07F52),
        rgb(0x5FB2F5),
    ],
    other_stem: rgb(0x8A93A3),
};

/// The light theme.
pub static LIGHT: Tokens = Tokens {
    background: rgb(0xF6F7F9),
    panel: rgb(0xFFFFFF),
    raised: rgb(0xEEF1F5),
    hovered: rgb(0xE2E7EE),
    line: rgb(0xDDE2EA),
    text: rgb(0x1A1E27),
    dim: rgb(0x586173),
    faint: rgb(0x626B7B),
    accent: rgb(0x2360E0),
    on_accent: rgb(0xFFFFFF),
    progress: rgb(0xC5D6F7),
    warning: rgb(0x8A5800),
    error: rgb(0xB3263B),
    on_stem: rgb(0xFFFFFF),
    knob: rgb(0xFFFFFF),
    knob_rim: rgb(0x8A93A3),
    meter: rgb(0x12937A),
    original: rgb(0x4A5262),
    veil: Color32::from_black_alpha(80),
    stems: [
        rgb(0xD6487B),
        rgb(0xC98408),
        rgb(0x6A57E0),
        rgb(0x12937A),
        rgb(0xD2582A),
        rgb(0x2380CC),
    ],
    other_stem: rgb(0x8A93A3),
};

/// Known stems in display order; other stems follow.
pub const STEM_ORDER: [&str; 6] = ["vocals", "drums", "bass", "other", "guitar", "piano"];

impl Tokens {
    /// The tokens of the active theme.
    pub fn of(ctx: &egui::Context) -> &'static Self {
        if ctx.theme() == Theme::Dark { &DARK } else { &LIGHT }
    }

    /// An instrument's colour, the same in checkbox, waveform, fader and bar. An unknown instrument
    /// gets a colour from its name, the residual a grey.
    pub fn stem(&self, name: &str) -> Color32 {
        match STEM_ORDER.iter().position(|known| known.eq_ignore_ascii_case(name)) {
            Some(known) => self.stems[known],
            None if name == RESIDUAL => self.other_stem,
            None => {
                // FNV-1a gives the same colour in every run and on every machine.
                let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
                let hash = name.bytes().fold(0x811c_9dc5, mix);
                let hue = (hash % 360) as f32 / 360.0;
                let is_dark = self.background.r() < 128;
                let (saturation, brightest) = if is_dark { (0.45, 0.9) } else { (0.8, 0.5) };
                let color = |value| -> Color32 {
                    egui::ecolor::Hsva::new(hue, saturation, value, 1.0).into()
                };
                // Yellows and greens are light at any value, so on white they have to be darker.
                let mut darker = (0..8).map(|step| color(brightest - 0.05 * step as f32));
                let is_seen = |color: &Color32| contrast(*color, self.panel) >= 3.0;
                darker.find(is_seen).unwrap_or_else(|| color(brightest))
            }
        }
    }
}

impl Tokens {
    /// The colour of an instrument within another: a shade of that one's colour, by its place among
    /// the parts. Shades go towards the colour of text, so they are readable on the same surfaces.
    pub fn part(&self, whole: Color32, place: usize) -> Color32 {
        const SHADES: [f32; 4] = [0.0, 0.3, 0.15, 0.45];
        whole.lerp_to_gamma(self.text, SHADES[place % SHADES.len()])
    }
}

/// Relative luminance (WCAG 2).
fn luminance(color: Color32) -> f32 {
    let [r, g, b, _] = egui::Rgba::from(color).to_array();
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Contrast ratio of two colours, 1 to 21 (WCAG 2).
fn contrast(a: Color32, b: Color32) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Two colours for the tile of a song without a cover, derived from its hash.
pub fn tile_colors(seed: u64) -> [Color32; 2] {
    let hue = (seed % 360) as f32 / 360.0;
    let turn = 0.08 + ((seed >> 16) % 100) as f32 / 600.0;
    [
        egui::epaint::Hsva::new(hue, 0.66, 0.24, 1.0).into(),
        egui::epaint::Hsva::new((hue + turn).fract(), 0.72, 0.46, 1.0).into(),
    ]
}

/// Font weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weight {
    /// 400.
    #[default]
    Regular,
    /// 500.
    Medium,
    /// 600.
    SemiBold,
}

/// A font of the window.
pub fn font(size: f32, weight: Weight) -> FontId {
    let family = match weight {
        Weight::Regular => FontFamily::Proportional,
        Weight::Medium => FontFamily::Name("medium".into()),
        Weight::SemiBold => FontFamily::Name("semibold".into()),
    };
    FontId::new(size, family)
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let fallback = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let inter: [(&str, FontFamily, &'static [u8]); 3] = [
        (
            "Inter",
            FontFamily::Proportional,
            include_bytes!("../../../assets/fonts/Inter-Regular.otf"),
        ),
        (
            "Inter Medium",
            FontFamily::Name("medium".into()),
            include_bytes!("../../../assets/fonts/Inter-Medium.otf"),
        ),
        (
            "Inter SemiBold",
            FontFamily::Name("semibold".into()),
            include_bytes!("../../../assets/fonts/Inter-SemiBold.otf"),
        ),
    ];
    for (name, family, bytes) in inter {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
        let mut names = vec![name.to_owned()];
        names.extend(fallback.iter().cloned());
        fonts.families.insert(family, names);
    }
    fonts
}

fn visuals(tokens: &Tokens, dark: bool) -> Visuals {
    let mut visuals = if dark { Visuals::dark() } else { Visuals::light() };
    visuals.panel_fill = tokens.background;
    visuals.window_fill = tokens.panel;
    visuals.window_stroke = Stroke::new(1.0, tokens.line);
    visuals.window_corner_radius = CornerRadius::same(radius::CARD);
    visuals.menu_corner_radius = CornerRadius::same(radius::FIELD);
    visuals.extreme_bg_color = tokens.raised;
    visuals.text_edit_bg_color = Some(tokens.raised);
    visuals.hyperlink_color = tokens.accent;
    visuals.weak_text_color = Some(tokens.faint);
    visuals.warn_fg_color = tokens.warning;
    visuals.error_fg_color = tokens.error;
    visuals.selection.bg_fill = tokens.progress;
    visuals.selection.stroke = Stroke::new(2.0, tokens.accent);
    let widgets = &mut visuals.widgets;
    for (state, fill) in [
        (&mut widgets.noninteractive, tokens.panel),
        (&mut widgets.inactive, tokens.raised),
        (&mut widgets.hovered, tokens.hovered),
        (&mut widgets.active, tokens.hovered),
        (&mut widgets.open, tokens.raised),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = Stroke::NONE;
        state.fg_stroke = Stroke::new(1.0, tokens.text);
        state.corner_radius = CornerRadius::same(radius::FIELD);
        state.expansion = 0.0;
    }
    visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, tokens.line);
    visuals
}

fn style(tokens: &Tokens, dark: bool) -> Style {
    let mut style = Style { visuals: visuals(tokens, dark), ..Style::default() };
    style.text_styles = [
        (TextStyle::Heading, font(text::NAME, Weight::SemiBold)),
        (TextStyle::Body, font(text::BODY, Weight::Regular)),
        (TextStyle::Button, font(text::BODY, Weight::Medium)),
        (TextStyle::Small, font(text::SMALL, Weight::Regular)),
        (TextStyle::Monospace, FontId::monospace(text::SMALL)),
    ]
    .into();
    style.spacing.item_spacing = vec2(8.0, 8.0);
    style.spacing.button_padding = vec2(12.0, 8.0);
    style.spacing.window_margin = Margin::same(20);
    style.spacing.scroll = ScrollStyle::thin();
    style.animation_time = MOTION_SECS;
    style.interaction.selectable_labels = false;
    style
}

/// Installs the program's fonts and both themes; the active theme follows the system.
pub fn apply(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    ctx.set_style_of(Theme::Dark, style(&DARK, true));
    ctx.set_style_of(Theme::Light, style(&LIGHT, false));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_be_read_on_every_surface() {
        for (name, tokens) in [("dark", &DARK), ("light", &LIGHT)] {
            for (role, color) in [
                ("text", tokens.text),
                ("dim", tokens.dim),
                ("faint", tokens.faint),
                ("warning", tokens.warning),
                ("error", tokens.error),
                ("accent", tokens.accent),
            ] {
                for (place, surface) in [
                    ("background", tokens.background),
                    ("panel", tokens.panel),
                    ("raised", tokens.raised),
                ] {
                    let ratio = contrast(color, surface);
                    assert!(ratio >= 4.5, "{name}: {role} on {place} is {ratio:.2}");
                }
            }
            assert!(contrast(tokens.on_accent, tokens.accent) >= 4.5, "{name}: on accent");
            assert!(contrast(tokens.text, tokens.progress) >= 4.5, "{name}: text on progress");
            assert!(contrast(tokens.text, tokens.hovered) >= 4.5, "{name}: text on hovered");
        }
    }

    #[test]
    fn stems_contrast_with_their_lane() {
        for tokens in [&DARK, &LIGHT] {
            let others = ["Dholak", "strings", "lead", "rest of it", "choir", "fx", "piano left"];
            for stem in STEM_ORDER.into_iter().chain(others) {
                let ratio = contrast(tokens.stem(stem), tokens.panel);
                assert!(ratio >= 3.0, "{stem} on panel is {ratio:.2}");
                for place in 0..4 {
                    let ratio = contrast(tokens.part(tokens.stem(stem), place), tokens.panel);
                    assert!(ratio >= 3.0, "part {place} of {stem} on panel is {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn colours_are_named_here_alone() {
        fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else if !path.ends_with("theme/mod.rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    for (number, line) in text.lines().enumerate() {
                        let literal =
                            ["Color32::from_", "Rgba::from_", "Hsva::new", "Color32::RED"]
                                .iter()
                                .any(|bad| line.contains(bad));
                        if literal {
                            found.push(format!("{}:{}", path.display(), number + 1));
                        }
                    }
                }
            }
        }
        let mut found = Vec::new();
        walk(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui"), &mut found);
        assert!(found.is_empty(), "colour literals outside theme.rs: {found:?}");
    }
}
