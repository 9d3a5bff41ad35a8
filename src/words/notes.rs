//! Notes on songs and exports in the user's language. A test compares the English texts with the
//! engine's own.

use crate::{
    engine::{
        Notes,
        note::{Layout, Note, clock},
        separation::device::choice::Fault,
    },
    i18n::{fl, numbers::decimal},
};

/// A note in the language of this thread.
pub fn note(note: &Note) -> String {
    match note {
        Note::RateChange { at } => fl!(note_rate_change, at = clock(*at)),
        Note::ChannelChange { at } => fl!(note_channel_change, at = clock(*at)),
        Note::FoldedDown(layout) => fl!(note_folded_down, layout = layout_text(*layout)),
        Note::Unreadable { from } => fl!(note_unreadable, at = clock(*from)),
        Note::CutOff { at, whole: None } => fl!(note_cut_off, at = clock(*at)),
        Note::CutOff { at, whole: Some(whole) } => {
            fl!(note_cut_off_of, at = clock(*at), whole = clock(*whole))
        }
        Note::Unfinished => fl!(note_unfinished).to_owned(),
        Note::Lost { places, from } => fl!(note_lost, count = *places, at = clock(*from)),
        Note::Suspect { places, from } => fl!(note_suspect, count = *places, at = clock(*from)),
        Note::Implausible { from, count, in_blocks } => {
            let (at, count) = (clock(*from), count.to_string());
            if *in_blocks {
                fl!(note_implausible_blocks, at = at, count = count)
            } else {
                fl!(note_implausible_samples, at = at, count = count)
            }
        }
        Note::Altered => fl!(note_altered).to_owned(),
        Note::More { count } => fl!(note_more, count = count.to_string()),
        Note::NameLost => fl!(note_name_lost).to_owned(),
        Note::TrackTaken { track, count, label } => fl!(
            note_track_taken,
            track = track.to_string(),
            count = count.to_string(),
            label = label
        ),
        Note::AllExist => fl!(note_all_exist).to_owned(),
        Note::FromDraft => fl!(note_from_draft).to_owned(),
        Note::ExportedInStereo { channels } => {
            fl!(note_exported_in_stereo, channels = channels.to_string())
        }
        Note::BelowLoudness { lufs } => fl!(note_below_loudness, lufs = decimal(*lufs, 1)),
        Note::Limited { lufs } => fl!(note_limited, lufs = decimal(*lufs, 1)),
        Note::DeviceFailed { device, fault } => {
            let device = device.to_string();
            match fault {
                Fault::Memory => fl!(note_device_memory, device = device),
                Fault::NotNumbers => fl!(note_device_not_numbers, device = device),
                Fault::Other => fl!(note_device_failed, device = device),
            }
        }
        Note::Recorded { text } => text.clone(),
    }
}

/// All notes on a song in one line; `None` if there are none.
pub fn notes(notes: &Notes) -> Option<String> {
    let texts: Vec<String> = notes.0.iter().map(note).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

fn layout_text(layout: Layout) -> String {
    if layout.has_low_frequency {
        layout.to_string()
    } else {
        fl!(note_channels, count = layout.channels.to_string())
    }
}
