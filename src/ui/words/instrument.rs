//! Names of instruments within instruments.

use super::stem_title;
use crate::{i18n::fl, ui::state::instruments::Instruments};

/// The displayed name of a stem. A rest that the chain does not name is only called "Rest", because it
/// stands below its whole.
pub fn instrument(stems: Instruments<'_>, stem: usize) -> String {
    title(&stems.names()[stem], stems.parent(stem).map(|whole| stems.names()[whole].as_str()))
}

/// The name of a stem for screen readers, with the stem that it is a part of: "Lead, part of Vocals".
pub fn full_instrument(stems: Instruments<'_>, stem: usize) -> String {
    full_title(&stems.names()[stem], stems.parent(stem).map(|whole| stems.names()[whole].as_str()))
}

/// Like [`full_instrument`], for a stem that need not be available.
pub fn full_title(name: &str, whole: Option<&str>) -> String {
    let title = title(name, whole);
    match whole {
        Some(whole) => fl!(song_part_of, stem = title, whole = stem_title(whole)),
        None => title,
    }
}

fn title(name: &str, whole: Option<&str>) -> String {
    let is_bare = whole.is_some_and(|whole| name.strip_suffix(" rest") == Some(whole));
    if is_bare { fl!(song_rest).to_owned() } else { stem_title(name) }
}
