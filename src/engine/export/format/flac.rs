//! FLAC: lossless integers of 16 and 24 bits.
//!
//! The `flac-codec` crate encodes. As the length is known in advance, one pass writes a complete
//! seek table. Source: RFC 9639.

use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    num::NonZero,
};

use flac_codec::{
    Error,
    encode::{FlacSampleWriter, Options},
    metadata::{Picture, PictureType, VorbisComment},
};
use lofty::picture::PictureInformation;

use super::{Encoder, Format, Keeps, Samples, Spec, Streams, wrong_samples};
use crate::engine::{export::Tags, types::Depth};

/// The FLAC format.
pub static FORMAT: Format = Format {
    id: "flac",
    name: "FLAC",
    extension: "flac",
    keeps: Keeps::Exactly(&[Depth::Int24, Depth::Int16]),
    rate: |rate| rate.clamp(1, HIGHEST_RATE),
    streams: Streams::One,
    copies: 1,
    begin: |file, spec, tags| Ok(Box::new(Flac::new(file, spec, tags)?)),
};

/// Highest rate of the format's "streamable subset", in Hz.
const HIGHEST_RATE: u32 = 655_350;

struct Flac(FlacSampleWriter<Out>);

impl Flac {
    fn new(file: File, spec: &Spec, tags: &Tags) -> io::Result<Self> {
        // In a FLAC header, a length of 0 means "unknown".
        if spec.frames == 0 {
            let text = "FLAC cannot hold a song without sound";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let mut options = Options::default().comment(VorbisComment {
            vendor_string: concat!("Partita ", env!("CARGO_PKG_VERSION")).into(),
            fields: tags
                .vorbis_comments()
                .into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
        });
        for (picture, size) in tags.pictures() {
            options = options.picture(block_of(picture, size));
        }
        let out = Out { file: BufWriter::with_capacity(1 << 16, file), is_back: false };
        let bits = spec.depth.bits().into();
        let channels = u8::try_from(spec.channels).unwrap_or(u8::MAX);
        let samples = spec.frames.saturating_mul(spec.channels.into());
        FlacSampleWriter::new(out, options, spec.rate, bits, channels, Some(samples))
            .map(Self)
            .map_err(in_io)
    }
}

impl Encoder for Flac {
    fn write(&mut self, _stream: usize, samples: Samples<'_>) -> io::Result<()> {
        let Samples::Int(samples) = samples else {
            return Err(wrong_samples());
        };
        self.0.write(samples).map_err(in_io)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.0.finalize().map_err(in_io)
    }
}

/// Output file. At the end, the encoder seeks back to the header and drops its writer without
/// flushing, which would lose disk errors. From the first seek on, writes are therefore unbuffered.
struct Out {
    file: BufWriter<File>,
    is_back: bool,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        if self.is_back {
            self.file.flush()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Out {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.is_back |= matches!(to, SeekFrom::Start(_));
        self.file.seek(to)
    }
}

fn block_of(picture: &lofty::picture::Picture, size: &PictureInformation) -> Picture {
    use lofty::picture::PictureType as Kind;

    Picture {
        picture_type: match picture.pic_type() {
            Kind::CoverFront => PictureType::FrontCover,
            Kind::CoverBack => PictureType::BackCover,
            Kind::Artist => PictureType::Artist,
            _ => PictureType::Other,
        },
        media_type: picture.mime_type().map_or("", |kind| kind.as_str()).into(),
        description: picture.description().unwrap_or_default().into(),
        width: size.width,
        height: size.height,
        color_depth: size.color_depth,
        colors_used: NonZero::new(size.num_colors),
        data: picture.data().to_vec(),
    }
}

fn in_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        error => io::Error::other(error),
    }
}
