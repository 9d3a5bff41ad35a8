//! What there is to say, by the place where it is said. What each text means is read in
//! `english.rs`; a new one is a line here and one in each language.

/// Says how many.
pub type Count = fn(usize) -> String;
/// Units of a thousand each.
pub type Units = [&'static str; 5];
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
    pub help: Help,
    pub model: Model,
    pub notices: Notices,
    pub paths: Paths,
    pub export: Export,
    pub cards: Cards,
    pub jobs: Jobs,
    pub settings: Settings,
    pub questions: Questions,
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
    pub close: &'static str,
    pub show: &'static str,
    pub show_hint: &'static str,
    /// Before the last of a list.
    pub and: &'static str,
    pub and_more: Count,
    pub songs: Count,
    pub num_jobs: Count,
    pub bytes: Units,
    pub took_seconds: fn(u64) -> String,
    pub took_minutes: fn(u64, u64) -> String,
    pub took_hours: fn(u64, u64) -> String,
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
    pub to_end: Named,
    pub stop: Named,
    pub toggle_loop: Named,
    pub clear_loop: Named,
    pub loop_from: Named,
    pub loop_to: Named,
    pub zoom_in: Named,
    pub zoom_out: Named,
    pub whole_song: Named,
    pub page_back: Named,
    pub page_on: Named,
    pub slower: Named,
    pub faster: Named,
    pub quieter: Named,
    pub louder: Named,
    pub help: Named,
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
    pub open_jobs: Named,
    pub open_settings: Named,
    pub fold_library: Named,
    pub rename: Named,
    pub select_all: Named,
    pub undo: Named,
    pub next_version: Named,
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
    pub sort: &'static str,
    pub by_title: &'static str,
    pub by_artist: &'static str,
    pub by_length: &'static str,
    pub by_state: &'static str,
    pub reversed: &'static str,
    pub unfold: &'static str,
    pub num_chosen: Count,
    pub process_all: &'static str,
    pub export_all: &'static str,
    pub remove_all: &'static str,
    pub title_field: &'static str,
    pub reveal: &'static str,
    pub missing: &'static str,
    pub next: &'static str,
    pub paused: &'static str,
    pub failed: &'static str,
    pub jobs_idle: &'static str,
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
    pub gone: Of,
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
    pub vocals_only: &'static str,
    pub drums_and_bass: &'static str,
    pub bpm: Of,
    pub lufs: Of,
    pub takes_about: fn(&str, &str) -> String,
    pub needs_disk: Of,
    pub seconds: fn(u64) -> String,
    pub minutes: fn(u64) -> String,
    pub hours: fn(u64, u64) -> String,
    pub segments: fn(usize, usize) -> String,
    pub model: &'static str,
    pub quality: &'static str,
    pub draft: &'static str,
    pub standard: &'static str,
    pub best: &'static str,
    pub custom: &'static str,
    pub drafts_first: &'static str,
    pub drafts_first_hint: &'static str,
    pub piano_is_weak: &'static str,
    pub versions: Count,
    pub audio_track: fn(usize, usize) -> String,
    pub audio_track_hint: &'static str,
    pub is_draft: &'static str,
    pub drafting: Of,
    pub refined: Of,
    pub pause_job: &'static str,
    pub pause_hint: &'static str,
    pub minor: &'static str,
    pub major: &'static str,
    pub tempo: &'static str,
    pub key: &'static str,
    pub from_tags: Of,
    pub from_sound: Of,
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
    pub pan: Of,
    pub level: Of,
    pub pan_left: Of,
    pub pan_right: Of,
    pub pan_middle: &'static str,
    pub residual: &'static str,
    pub residual_note: &'static str,
    pub muted: &'static str,
    pub loop_region: Of,
    pub loop_start: &'static str,
    pub loop_end: &'static str,
    pub scroll: &'static str,
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
    pub speed: &'static str,
    pub level: &'static str,
    pub no_sound: &'static str,
    pub no_device: Of,
    pub export_later: &'static str,
    pub process_first: &'static str,
}

/// The sheet of shortcuts, and the headings of its groups.
#[derive(Debug)]
pub struct Help {
    pub title: &'static str,
    pub close: &'static str,
    pub playing: &'static str,
    pub lanes: &'static str,
    pub looking: &'static str,
    pub songs: &'static str,
    pub window: &'static str,
    pub space: &'static str,
    pub or: &'static str,
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
    pub removed_many: Count,
    pub undo: &'static str,
}

/// Questions for a path.
#[derive(Debug)]
pub struct Paths {
    pub song: &'static str,
    pub song_folder: &'static str,
    pub weights: &'static str,
    pub export_folder: &'static str,
    pub report: &'static str,
    pub add: &'static str,
    pub take: &'static str,
    pub choose: &'static str,
    pub save: &'static str,
    pub note: &'static str,
    pub add_songs: &'static str,
    pub add_folder: &'static str,
    pub weights_title: &'static str,
    pub export_title: &'static str,
    pub report_title: &'static str,
    pub report_file: &'static str,
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

/// The jobs.
#[derive(Debug)]
pub struct Jobs {
    pub title: &'static str,
    pub none: &'static str,
    pub none_hint: &'static str,
    pub clear: &'static str,
    pub clear_hint: &'static str,
    pub clear_one: &'static str,
    pub running: Of,
    pub next: &'static str,
    pub waiting: Count,
    pub paused: Of,
    pub done: Of,
    pub done_before: &'static str,
    pub failed: Of,
    pub cancelled: Of,
    pub pause: &'static str,
    pub go_on: &'static str,
    pub cancel: &'static str,
    pub retry: &'static str,
    pub files: &'static str,
    pub files_hint: &'static str,
    pub sooner: &'static str,
    pub later: &'static str,
    pub of: fn(&str, &str) -> String,
    pub move_hint: &'static str,
}

/// The settings.
#[derive(Debug)]
pub struct Settings {
    pub title: &'static str,
    pub language: &'static str,
    pub system: &'static str,
    pub theme: &'static str,
    pub light: &'static str,
    pub dark: &'static str,
    pub zoom: &'static str,
    pub output: &'static str,
    pub output_note: &'static str,
    pub threads: &'static str,
    pub all_threads: Count,
    pub threads_note: &'static str,
    pub memory: &'static str,
    pub no_limit: &'static str,
    pub memory_note: fn(Option<&str>) -> String,
    pub precision: &'static str,
    pub single: &'static str,
    pub fast: &'static str,
    pub single_note: &'static str,
    pub fast_note: &'static str,
    pub no_fast: &'static str,
    pub by_flag: &'static str,
    pub ticks: &'static str,
    pub ticks_note: &'static str,
    pub ticks_later: &'static str,
    pub mirror: &'static str,
    pub mirror_note: &'static str,
    pub models_note: &'static str,
    pub used: &'static str,
    pub use_it: &'static str,
    pub install: Of,
    pub accept: &'static str,
    pub verify: &'static str,
    pub verified: &'static str,
    pub remove_model: &'static str,
    pub stop: &'static str,
    pub not_installed: Of,
    pub in_part: fn(usize, usize) -> String,
    pub installed: Of,
    pub damaged: Of,
    pub own_model: &'static str,
    pub other_model: &'static str,
    pub about_default: &'static str,
    pub about_specialists: &'static str,
    pub about_six: &'static str,
    pub choose_file: &'static str,
    pub home: &'static str,
    pub measuring: &'static str,
    pub sizes: fn(&str, &str) -> String,
    pub clear: &'static str,
    pub reset: &'static str,
    pub report: &'static str,
    pub report_hint: &'static str,
    pub report_saved: Of,
}

/// Questions before what cannot be undone.
#[derive(Debug)]
pub struct Questions {
    pub reset: &'static str,
    pub reset_text: fn(&str, &str) -> String,
    pub reset_go: &'static str,
    pub clear: &'static str,
    pub clear_text: Of,
    pub clear_go: &'static str,
    pub keep: &'static str,
}
