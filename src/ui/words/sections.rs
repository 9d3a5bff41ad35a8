//! What there is to say, by the place where it is said. What each text means is read in
//! `english.rs`; a new one is a line here and one in each language.

/// Says how many.
pub type Count = fn(usize) -> String;
/// Says something of a name.
pub type Of = fn(&str) -> String;

/// The words of one language.
#[derive(Debug)]
pub struct Words {
    /// Between whole numbers and tenths.
    pub decimal: char,
    pub general: General,
    pub verbs: Verbs,
    pub stems: Stems,
    pub empty: Empty,
    pub library: Library,
    pub song: Song,
    pub lanes: Lanes,
    pub transport: Transport,
    pub model: Model,
    pub notices: Notices,
    pub paths: Paths,
    pub export: Export,
    pub cards: Cards,
}

/// The words of a named command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// On its button; also its accessible name.
    pub text: &'static str,
    /// One sentence without a full stop.
    pub tooltip: &'static str,
}

/// What is said in many places.
#[derive(Debug)]
pub struct General {
    pub cancel: &'static str,
    pub dismiss: &'static str,
    pub show: &'static str,
    pub show_hint: &'static str,
    /// Before the last of a list.
    pub and: &'static str,
    pub and_more: Count,
    pub files: Count,
    pub seconds_left: fn(u64) -> String,
    pub minutes_left: fn(u64, u64) -> String,
    pub hours_left: fn(u64, u64) -> String,
    pub unknown_artist: &'static str,
    pub mono: &'static str,
    pub channels: fn(u16) -> String,
    pub bits: fn(u32) -> String,
    pub float: &'static str,
    pub drop_one: &'static str,
    pub drop_many: &'static str,
    pub cannot_be_shown: fn(&str, &str, &str) -> String,
}

/// The named commands.
#[derive(Debug)]
pub struct Verbs {
    pub play_pause: Named,
    pub back: Named,
    pub forward: Named,
    pub to_start: Named,
    pub compare: Named,
    pub previous_song: Named,
    pub next_song: Named,
    pub solo: Named,
    pub mute: Named,
    pub add_files: Named,
    pub add_folder: Named,
    pub search: Named,
    pub process: Named,
    pub cancel_job: Named,
    pub export: Named,
    pub install_model: Named,
    pub choose_model: Named,
    pub cancel_install: Named,
    pub toggle_theme: Named,
}

/// The instruments.
#[derive(Debug)]
pub struct Stems {
    pub vocals: &'static str,
    pub drums: &'static str,
    pub bass: &'static str,
    pub other: &'static str,
    pub guitar: &'static str,
    pub piano: &'static str,
}

/// The window without a song.
#[derive(Debug)]
pub struct Empty {
    pub title: &'static str,
    pub line: &'static str,
}

/// The library.
#[derive(Debug)]
pub struct Library {
    pub search_name: &'static str,
    pub search_hint: Count,
    pub no_match: Of,
    pub recently_added: &'static str,
    pub jobs: &'static str,
    pub num_waiting: Count,
    pub num_running: Count,
    pub running_and_waiting: fn(usize, usize) -> String,
    pub drop_here: &'static str,
    pub or_files: &'static str,
    pub or_folder: &'static str,
    pub importing: Of,
    pub waiting: &'static str,
    pub processing: Of,
    pub separated: &'static str,
    pub with_warning: &'static str,
    pub cancel_processing: &'static str,
    pub remove: &'static str,
}

/// The head of a song, and what to do next.
#[derive(Debug)]
pub struct Song {
    pub separated: &'static str,
    pub separated_into: Count,
    pub go_on: &'static str,
    pub tick_first: &'static str,
    pub is_there: Of,
    pub next_in_line: &'static str,
    pub after_others: Count,
    pub waiting: &'static str,
    pub finding: Of,
    pub working_out: &'static str,
    pub real_time: Of,
    pub as_found: &'static str,
    pub all: &'static str,
    pub karaoke: &'static str,
    pub drumless: &'static str,
}

/// The lanes.
#[derive(Debug)]
pub struct Lanes {
    pub position: &'static str,
    pub original: &'static str,
    pub is_heard: &'static str,
    pub hold_to_compare: &'static str,
    pub original_wave: &'static str,
    pub wave: Of,
    pub drag_hint: &'static str,
    pub preparing: Of,
    pub mute: Of,
    pub solo: Of,
    pub gain: Of,
    pub tick_to_hear: &'static str,
    pub tick_and_process: &'static str,
}

/// The transport.
#[derive(Debug)]
pub struct Transport {
    pub play: &'static str,
    pub pause: &'static str,
    pub mix: &'static str,
    pub original: &'static str,
    pub volume: &'static str,
    pub level: &'static str,
    pub no_sound: &'static str,
    pub no_device: Of,
    pub export_later: &'static str,
    pub process_first: &'static str,
}

/// The model's card.
#[derive(Debug)]
pub struct Model {
    pub failed: &'static str,
    pub missing: &'static str,
    pub installing: &'static str,
}

/// What went wrong.
#[derive(Debug)]
pub struct Notices {
    pub dismiss_all: &'static str,
    pub removed: Of,
    pub undo: &'static str,
}

/// Questions for a path.
#[derive(Debug)]
pub struct Paths {
    pub song: &'static str,
    pub song_folder: &'static str,
    pub weights: &'static str,
    pub export_folder: &'static str,
    pub add: &'static str,
    pub take: &'static str,
    pub choose: &'static str,
    pub note: &'static str,
    pub add_songs: &'static str,
    pub add_folder: &'static str,
    pub weights_title: &'static str,
    pub export_title: &'static str,
    pub audio: &'static str,
    pub all_files: &'static str,
    pub weights_filter: &'static str,
}

/// The export dialog.
#[derive(Debug)]
pub struct Export {
    pub title: Of,
    pub go: &'static str,
    pub what: &'static str,
    pub mix: &'static str,
    pub ticked: &'static str,
    pub all_but: &'static str,
    pub dj_what: &'static str,
    pub dj_note: &'static str,
    pub mix_note: &'static str,
    pub none_ticked: &'static str,
    pub all_in_one: Of,
    pub one_each: Of,
    pub all_but_note: &'static str,
    pub format: &'static str,
    pub dj_stems: &'static str,
    pub daw_session: &'static str,
    pub quality: &'static str,
    pub depth: &'static str,
    pub rate: &'static str,
    pub as_the_song: &'static str,
    pub lossy: &'static str,
    pub lossy_at: Of,
    pub loudness: &'static str,
    pub loudness_as_is: &'static str,
    pub loudness_field: &'static str,
    pub limiter: &'static str,
    pub limiter_note: &'static str,
    pub also: &'static str,
    pub residual: &'static str,
    pub residual_all_but: &'static str,
    pub residual_lossy_files: &'static str,
    pub residual_lossy_tracks: &'static str,
    pub residual_ticked_files: &'static str,
    pub residual_ticked_tracks: &'static str,
    pub residual_files: &'static str,
    pub residual_tracks: &'static str,
    pub folder: &'static str,
    pub choose: &'static str,
    pub if_exists: &'static str,
    pub ask: &'static str,
    pub keep_both: &'static str,
    pub replace: &'static str,
    pub skip: &'static str,
    pub names: &'static str,
    pub pattern: &'static str,
    pub bad_loudness: &'static str,
    pub nothing_heard: &'static str,
    pub field_artist: &'static str,
    pub field_title: &'static str,
    pub field_album: &'static str,
    pub field_track: &'static str,
    pub field_stem: &'static str,
    pub field_model: &'static str,
    pub field_number: &'static str,
    pub field_file: &'static str,
    pub field_other: &'static str,
}

/// The cards of exports.
#[derive(Debug)]
pub struct Cards {
    pub exporting: Of,
    pub done: Of,
    pub done_files: fn(&str, &str) -> String,
    pub nothing_written: Of,
    pub in_folder: Of,
    pub gain_for_loudness: Of,
    pub gain_against_clips: Of,
    pub small_gain: &'static str,
    pub exists: fn(&str, usize) -> String,
    pub failed: Of,
    pub cancelled: &'static str,
    pub cancel_export: &'static str,
}
