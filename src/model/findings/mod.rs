//! Findings about weight files as data: errors in a network's description, in a configuration, or in
//! a file's format.
//!
//! Each finding is an enum with typed fields, defined by a table. A row has the variant's name, the
//! id of its message in the files of languages, its fields, and its English text. The enum and its
//! English texts are generated from the table, and so are those of other languages: a variant without a
//! message does not compile. If the remedy is an option of the command line, the English text names
//! the option, and the window's message names a field. Pure data; usable from any thread.

mod entry;
mod malformed;
mod misfit;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use entry::{EntryFault, NameFault, Variant, entry_faults, name_faults, variants};
pub(crate) use malformed::{Foreign, Malformed, foreigns, malformed};
pub(crate) use misfit::{Misfit, misfits};

/// Generates an enum and its English texts from a table.
macro_rules! define {
    ($(#[$meta:meta])* $name:ident
        $($variant:ident $id:ident $({ $($field:ident: $kind:ty),+ })? $text:literal;)+) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $(
                #[doc = $text]
                $variant $({ $(#[doc = "A part of the text."] $field: $kind),+ })?,
            )+
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$variant $({ $($field),+ })? => write!(to, $text),)+
                }
            }
        }

        #[cfg(test)]
        impl crate::model::findings::Example for $name {
            fn examples() -> Vec<Self> {
                let mut all = Vec::new();
                $(
                    let count = [1 $($(, <$kind>::examples().len())+)?].into_iter().max();
                    for at in 0..count.unwrap_or(1) {
                        $($(let $field = <$kind>::examples().swap_remove(at % <$kind>::examples().len());)+)?
                        let _: usize = at;
                        all.push(Self::$variant $({ $($field),+ })?);
                    }
                )+
                all
            }
        }
    };
}
pub(crate) use define;

/// Text from a file or a library, safe to show: control characters are escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Printable(String);

impl Printable {
    /// The text of a value.
    pub fn of(value: impl fmt::Display) -> Self {
        Self(super::on_one_line(&value.to_string()))
    }
}

impl From<&str> for Printable {
    fn from(text: &str) -> Self {
        Self::of(text)
    }
}

impl From<String> for Printable {
    fn from(text: String) -> Self {
        Self::of(text)
    }
}

impl From<&String> for Printable {
    fn from(text: &String) -> Self {
        Self::of(text)
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

/// A list of names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Names(Vec<Printable>);

impl<T: fmt::Display> FromIterator<T> for Names {
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        Self(names.into_iter().map(Printable::of).collect())
    }
}

impl fmt::Display for Names {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            write!(to, "{}{name}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// The shape of a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(Vec<usize>);

impl From<&[usize]> for Shape {
    fn from(shape: &[usize]) -> Self {
        Self(shape.to_vec())
    }
}

impl From<&Vec<usize>> for Shape {
    fn from(shape: &Vec<usize>) -> Self {
        Self(shape.clone())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{:?}", self.0)
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// Formats in decimal units.
impl fmt::Display for Bytes {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            count @ 0..10_000 => write!(to, "{count} bytes"),
            count @ 10_000..1_000_000 => write!(to, "{} kB", count / 1000),
            count @ 1_000_000..10_000_000 => write!(to, "{:.1} MB", count as f64 / 1e6),
            count => write!(to, "{} MB", count / 1_000_000),
        }
    }
}

/// A number of stems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StemCount(pub usize);

impl fmt::Display for StemCount {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => to.write_str("1 stem"),
            count => write!(to, "{count} stems"),
        }
    }
}

/// A number of names that the user states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NameCount(pub usize);

impl fmt::Display for NameCount {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => to.write_str("1 name is stated"),
            count => write!(to, "{count} names are stated"),
        }
    }
}

/// A number of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Channels(pub usize);

impl fmt::Display for Channels {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => to.write_str("mono"),
            2 => to.write_str("stereo"),
            count => write!(to, "{count} channels"),
        }
    }
}

/// A type with examples, for tests of texts.
#[cfg(test)]
pub trait Example: Sized {
    /// At least one value.
    fn examples() -> Vec<Self>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::{Os, OsKind};

    macro_rules! examples {
        ($($kind:ty: $($value:expr),+;)+) => {
            $(impl Example for $kind {
                fn examples() -> Vec<Self> {
                    vec![$($value),+]
                }
            })+
        };
    }
    examples! {
        usize: 3;
        u64: 7;
        Printable: "x".into();
        Names: ["a", "b"].into_iter().collect();
        Shape: Shape(vec![2, 3]);
        Bytes: Bytes(12_345_678);
        StemCount: StemCount(1), StemCount(4);
        NameCount: NameCount(1), NameCount(2);
        Channels: Channels(1), Channels(6);
        Os: Os {
            kind: OsKind::NotFound,
            number: Some(2),
            text: "No such file or directory (os error 2)".into(),
        };
        // The inner enum has its own examples.
        Box<Misfit>: Box::new(Misfit::BatchNorm);
    }

    #[test]
    fn sizes_are_readable() {
        let texts =
            [0, 9_999, 10_000, 999_999, 1_500_000, 84_024_600].map(|n| Bytes(n).to_string());
        assert_eq!(texts, ["0 bytes", "9999 bytes", "10 kB", "999 kB", "1.5 MB", "84 MB"]);
    }

    #[test]
    fn text_of_a_file_stays_on_its_line() {
        let misfit = Misfit::TensorMissing { name: "a\n\u{1b}[31m".into() };
        assert_eq!(misfit.to_string(), "the tensor a\\n\\u{1b}[31m is missing");
    }

    #[test]
    fn findings_survive_json() {
        for misfit in Misfit::examples() {
            let text = serde_json::to_string(&misfit).unwrap();
            assert_eq!(serde_json::from_str::<Misfit>(&text).unwrap(), misfit);
        }
        for fault in Malformed::examples() {
            let text = serde_json::to_string(&fault).unwrap();
            assert_eq!(serde_json::from_str::<Malformed>(&text).unwrap(), fault);
        }
    }
}
