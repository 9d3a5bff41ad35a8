//! Findings about weight files in the user's language. The tables of
//! [`crate::model::findings`] list the message ids, so that an id that is missing in the reference
//! language does not compile. Pure, except for the language; usable from any thread.

use super::system_error;
use crate::{
    i18n::{fl, numbers::decimal},
    model::findings::{
        Bytes, Channels, EntryFault, Foreign, Malformed, Misfit, NameCount, NameFault, Names,
        Printable, Shape, StemCount, Variant, entry_faults, foreigns, malformed, misfits,
        name_faults, variants,
    },
    os::Os,
};

/// A finding, or a part of one, that has a text in the language of this thread.
pub trait Worded {
    /// The text in the language of this thread.
    fn worded(&self) -> String;
}

fn owned(text: impl Into<String>) -> String {
    text.into()
}

/// Generates the texts of a table.
macro_rules! word {
    ($(#[$meta:meta])* $name:ident
        $($variant:ident $id:ident $({ $($field:ident: $kind:ty),+ })? $text:literal;)+) => {
        impl Worded for $name {
            fn worded(&self) -> String {
                match self {
                    $(Self::$variant $({ $($field),+ })? => {
                        owned(fl!($id $($(, $field = $field.worded())+)?))
                    })+
                }
            }
        }
    };
}
entry_faults!(word);
name_faults!(word);
variants!(word);
misfits!(word);
malformed!(word);
foreigns!(word);

/// Parts that are equal in every language.
macro_rules! as_they_are {
    ($($kind:ty),+) => {
        $(impl Worded for $kind {
            fn worded(&self) -> String {
                self.to_string()
            }
        })+
    };
}
as_they_are!(usize, u64, Printable, Names, Shape);

impl Worded for Os {
    fn worded(&self) -> String {
        system_error(self)
    }
}

impl Worded for Bytes {
    fn worded(&self) -> String {
        match self.0 {
            count @ 1_000_000..10_000_000 => format!("{} MB", decimal(count as f64 / 1e6, 1)),
            _ => self.to_string(),
        }
    }
}

impl Worded for Channels {
    fn worded(&self) -> String {
        layout(self.0)
    }
}

impl Worded for NameCount {
    fn worded(&self) -> String {
        fl!(finding_names, count = self.0)
    }
}

impl Worded for StemCount {
    fn worded(&self) -> String {
        fl!(finding_stems, count = self.0)
    }
}

/// A number of channels.
pub(super) fn layout(channels: usize) -> String {
    match channels {
        1 => fl!(mono).to_owned(),
        2 => fl!(weights_stereo).to_owned(),
        more => fl!(note_channels, count = more.to_string()),
    }
}
