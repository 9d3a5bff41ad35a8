//! Decoding errors in the user's language.

use crate::{
    engine::audio::decode::{
        Damage, DecodeError, Empty, Foreign, Format, NotAudio, Unsupported, Video,
    },
    i18n::fl,
};

/// The reason why a file cannot be decoded.
pub fn decode_error(error: &DecodeError) -> String {
    match error {
        DecodeError::NotAudio(it) => not_audio(it),
        DecodeError::Unsupported(it) => unsupported(it),
        DecodeError::Empty(Empty::File) => fl!(empty_file).to_owned(),
        DecodeError::Empty(Empty::Track) => fl!(empty_track).to_owned(),
        DecodeError::Damaged(it) => damage(it),
    }
}

fn not_audio(it: &NotAudio) -> String {
    match it {
        NotAudio::Folder => fl!(not_audio_folder).to_owned(),
        NotAudio::Device => fl!(not_audio_device).to_owned(),
        NotAudio::Other(kind) => fl!(not_audio_other, kind = foreign(*kind)),
        NotAudio::Unknown => fl!(not_audio_unknown).to_owned(),
        NotAudio::NoTrack => fl!(not_audio_no_track).to_owned(),
    }
}

fn foreign(kind: Foreign) -> &'static str {
    match kind {
        Foreign::Picture => fl!(foreign_picture),
        Foreign::Pdf => fl!(foreign_pdf),
        Foreign::PostScript => fl!(foreign_postscript),
        Foreign::Office => fl!(foreign_office),
        Foreign::Document => fl!(foreign_document),
        Foreign::Text => fl!(foreign_text),
        Foreign::Zip => fl!(foreign_zip),
        Foreign::Compressed => fl!(foreign_compressed),
        Foreign::Archive => fl!(foreign_archive),
        Foreign::Program => fl!(foreign_program),
        Foreign::Database => fl!(foreign_database),
        Foreign::Midi => fl!(foreign_midi),
        Foreign::Flash => fl!(foreign_flash),
        Foreign::Tracker => fl!(foreign_tracker),
        Foreign::Console => fl!(foreign_console),
        Foreign::HomeComputer => fl!(foreign_home_computer),
        Foreign::Font => fl!(foreign_font),
        Foreign::Riff => fl!(foreign_riff),
    }
}

fn unsupported(it: &Unsupported) -> String {
    match it {
        Unsupported::Codec(Some(codec)) => fl!(decode_codec, codec = codec),
        Unsupported::Codec(None) => fl!(decode_unknown_codec).to_owned(),
        Unsupported::Settings { codec, detail } => {
            fl!(decode_codec_settings, codec = codec, detail = detail)
        }
        Unsupported::Format(it) => fl!(decode_format, format = format(it)),
        Unsupported::Video(it) => fl!(decode_video, format = video(*it)),
        Unsupported::Container { detail } => fl!(decode_container, detail = detail),
        Unsupported::Channels { codec, channels } => {
            fl!(decode_channels, codec = codec, channels = channels.to_string())
        }
        Unsupported::TooManyChannels { channels, limit } => fl!(
            decode_too_many_channels,
            channels = channels.to_string(),
            limit = limit.to_string()
        ),
        Unsupported::Layout => fl!(decode_layout).to_owned(),
        Unsupported::JointFlac => fl!(decode_joint_flac).to_owned(),
        Unsupported::Rate(rate) => fl!(decode_rate, rate = rate.to_string()),
        Unsupported::Conversion => fl!(decode_conversion).to_owned(),
        Unsupported::Track { number, count: 1 } => {
            fl!(decode_track_one, number = number.to_string())
        }
        Unsupported::Track { number, count } => {
            fl!(decode_track, number = number.to_string(), count = count.to_string())
        }
    }
}

fn format(format: &Format) -> &str {
    match format {
        Format::Named(name) => name,
        Format::Rifx => fl!(format_rifx),
        Format::Adif => fl!(format_adif),
        Format::Latm => fl!(format_latm),
        Format::FreeRate => fl!(format_free_rate),
    }
}

fn video(format: Video) -> &'static str {
    match format {
        Video::Avi => fl!(video_avi),
        Video::Dv => fl!(video_dv),
        Video::Flv => fl!(video_flv),
        Video::MpegProgram => fl!(video_mpeg_program),
        Video::MpegTransport => fl!(video_mpeg_transport),
        Video::MpegVideo => fl!(video_mpeg_video),
        Video::Mxf => fl!(video_mxf),
        Video::Nut => fl!(video_nut),
        Video::RealMedia => fl!(video_realmedia),
        Video::Wtv => fl!(video_wtv),
    }
}

fn damage(it: &Damage) -> String {
    match it {
        Damage::Header { detail } => fl!(damage_header, detail = detail),
        Damage::AacHeader => fl!(damage_aac).to_owned(),
        Damage::PacketFrames(frames) => fl!(damage_packets, frames = frames.to_string()),
        Damage::BeforeSound => fl!(damage_before_sound).to_owned(),
        Damage::CutOff => fl!(damage_cut_off).to_owned(),
        Damage::AtSound => fl!(damage_at_sound).to_owned(),
        Damage::NoIndex => fl!(damage_no_index).to_owned(),
        Damage::Mostly => fl!(damage_mostly).to_owned(),
        Damage::Endless => fl!(damage_endless).to_owned(),
        Damage::TooSlow => fl!(damage_too_slow).to_owned(),
        Damage::Index { bytes } => fl!(damage_index, bytes = bytes.to_string()),
        Damage::TooLong { bytes, minutes } => {
            fl!(damage_too_long, bytes = bytes.to_string(), minutes = minutes.to_string())
        }
    }
}
