//! Names of song files: the common extensions of every supported container.
//!
//! Both the folder scan and the file dialog use this single list. A file that the user names
//! explicitly is decoded regardless of its extension.

use std::path::Path;

/// Common extensions per supported container, in lower case. Extensions that imply undecodable
/// content are omitted (`spx`, Speex; `m4p`, encrypted).
const ENDINGS: [&[&str]; 9] = [
    &["wav", "wave", "bwf", "rf64", "bw64"],
    &["aif", "aiff", "aifc"],
    &["caf"],
    &["flac"],
    &["mp1", "mp2", "mp3", "mpa", "mpga", "m1a", "m2a"],
    &["aac", "adts"],
    &[
        "m4a", "m4b", "m4r", "m4v", "mp4", "mp4a", "mov", "qt", "3gp", "3gpp", "3g2", "3gp2",
        "3gpp2", "f4a", "f4b", "f4v",
    ],
    &["ogg", "oga", "ogv", "ogm", "ogx", "opus"],
    &["mka", "mkv", "mk3d", "webm", "weba"],
];

/// Extensions of decodable files, in lower case, without the dot.
pub fn extensions() -> impl Iterator<Item = &'static str> {
    ENDINGS.into_iter().flatten().copied()
}

/// Whether the extension of `path` is that of an audio file.
pub fn is_audio_file(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| extensions().any(|known| known.eq_ignore_ascii_case(ending)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use symphonia::{
        core::formats::probe::{ProbeFormatData, ProbeableFormat as _},
        default::formats::{
            AdtsReader, AiffReader, CafReader, FlacReader, IsoMp4Reader, MkvReader, MpaReader,
            OggReader, WavReader,
        },
    };

    use super::*;
    use crate::engine::{
        audio::decode::{Source, container::Container},
        types::CancelToken,
    };

    /// A file of each container, in the order of [`ENDINGS`].
    const SAMPLES: [(Container, &str); 9] = [
        (Container::Wav, "chirp-mono-8k-mulaw.wav"),
        (Container::Aiff, "chirp-22k.aiff"),
        (Container::Caf, "chirp-22k.caf"),
        (Container::Flac, "chirp.flac"),
        (Container::Mpeg, "chirp.mp3"),
        (Container::Adts, "chirp.aac"),
        (Container::Mp4, "chirp.m4a"),
        (Container::Ogg, "chirp.ogg"),
        (Container::Matroska, "chirp.webm"),
    ];

    #[test]
    fn every_extension_belongs_to_a_supported_container() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let home = tempfile::tempdir().unwrap();
        for ((container, sample), endings) in SAMPLES.into_iter().zip(ENDINGS) {
            for ending in endings {
                let path = home.path().join(format!("song.{ending}"));
                fs::copy(data.join(sample), &path).unwrap();
                let source = Source::open(&path, None, &CancelToken::default()).unwrap();
                assert!(source.container == container, "{ending}");
                assert!(is_audio_file(&path), "{ending}");
            }
        }
    }

    #[test]
    fn lists_every_extension_that_the_decoder_supports() {
        const NOT_DECODED: [&str; 2] = ["spx", "m4p"];
        let readers: [&[ProbeFormatData]; 9] = [
            AdtsReader::probe_data(),
            AiffReader::probe_data(),
            CafReader::probe_data(),
            FlacReader::probe_data(),
            IsoMp4Reader::probe_data(),
            MkvReader::probe_data(),
            MpaReader::probe_data(),
            OggReader::probe_data(),
            WavReader::probe_data(),
        ];
        let known = readers.into_iter().flatten().flat_map(|reader| reader.spec.extensions);
        for ending in known.copied().filter(|ending| !NOT_DECODED.contains(ending)) {
            assert!(extensions().any(|ours| ours == ending), "{ending}");
        }
    }

    #[test]
    fn extensions_decide_in_any_case() {
        for name in ["a.mp3", "a.MP3", "b.c.Flac", "dir/ü.m4a", "x.opus", "Take 1.BWF"] {
            assert!(is_audio_file(Path::new(name)), "{name}");
        }
        for name in ["mp3", ".mp3", "a.txt", "a.mp3.part", "", "a.", "a.spx"] {
            assert!(!is_audio_file(Path::new(name)), "{name}");
        }
    }
}
