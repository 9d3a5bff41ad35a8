//! Problems in the user's language. A test compares the English texts with the engine's own.

mod decode;
mod findings;
mod weights;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::{
    engine::{
        Problem, SAMPLE_RATE,
        export::FIELDS,
        problem::{
            Activity, Advice, DeviceProblem, FileAction, FolderProblem, LeftOut, PatternProblem,
            SettingsFault, StoreFault, megabytes,
        },
        separation::chain::fault::ChainFault,
    },
    i18n::fl,
    model::weights::Catalog,
    os::{Os, OsKind},
};

pub use decode::decode_error;
pub use weights::{file_fault, model_error, progress, recognised, step};

/// A problem in the language of this thread.
pub fn problem(problem: &Problem) -> String {
    match problem {
        Problem::File { .. }
        | Problem::Input { .. }
        | Problem::Output { .. }
        | Problem::NoRoom { .. }
        | Problem::Store { .. }
        | Problem::Stores { .. }
        | Problem::Waveform { .. }
        | Problem::Exists(_)
        | Problem::ExistsUnasked(_) => files(problem),
        Problem::Library { .. }
        | Problem::OpenLibrary { .. }
        | Problem::NewerLibrary(_)
        | Problem::LibraryRebuilt { .. }
        | Problem::HomeGone { .. }
        | Problem::HomeUnwritable { .. }
        | Problem::NoHome
        | Problem::OutsideHome { .. }
        | Problem::SettingsUnreadable { .. }
        | Problem::SettingsSetAside { .. }
        | Problem::SettingsInvalid { .. }
        | Problem::SettingsUnwritable { .. } => library(problem),
        Problem::UnknownSong { .. }
        | Problem::NoSuchSong { .. }
        | Problem::SeveralSongs { .. }
        | Problem::UnknownJob { .. }
        | Problem::JobUnreadable { .. }
        | Problem::SongRemoved
        | Problem::NotRestorable
        | Problem::TooManyImports => songs(problem),
        Problem::NoModel
        | Problem::ModelMissing { .. }
        | Problem::NoNetwork { .. }
        | Problem::ModelBusy
        | Problem::OpenedWithoutModel
        | Problem::UnknownStem { .. }
        | Problem::Chain { .. }
        | Problem::UnknownChain { .. }
        | Problem::MissingNetwork { .. }
        | Problem::MissingChainModel { .. }
        | Problem::NotSeparated
        | Problem::Locked
        | Problem::NoFastPrecision
        | Problem::MemoryLimit { .. }
        | Problem::NotNumbers { .. }
        | Problem::WaitsForDisk { .. }
        | Problem::Loudness { .. }
        | Problem::Elsewhere { .. }
        | Problem::UnseenSongs { .. } => separation(problem),
        Problem::NothingChosen
        | Problem::StemIndex { .. }
        | Problem::SamePath { .. }
        | Problem::Depth { .. }
        | Problem::SourceNeeded { .. }
        | Problem::DjStem { .. }
        | Problem::Manifest { .. }
        | Problem::NoShare { .. } => export(problem),
        Problem::Folder(problem) => folder_problem(problem),
        Problem::Decode(error) => decode_error(error),
        Problem::Model(error) => model_error(error),
        Problem::Pattern(problem) => pattern_problem(problem),
        Problem::Device(problem) => device_problem(problem),
        Problem::NoThread { cause } => fl!(problem_no_thread, cause = system_error(cause)),
        Problem::ThreadEnded => fl!(problem_thread_ended).to_owned(),
        Problem::Internal { doing, cause } => {
            fl!(problem_internal, doing = activity(*doing), cause = cause)
        }
        Problem::Cancelled => fl!(problem_cancelled).to_owned(),
        Problem::Recorded { text } => text.clone(),
    }
}

/// A problem of the file at `path`, whose name is on the line already.
pub fn problem_of(path: &Path, problem: &Problem) -> String {
    match problem {
        // The engine makes relative paths absolute.
        Problem::Input { path: named, cause, .. } if named.ends_with(path) => system_error(cause),
        other => self::problem(other),
    }
}

fn files(problem: &Problem) -> String {
    match problem {
        Problem::File { action, path, cause } => file(*action, path, system_error(cause)),
        Problem::Input { path, cause, .. } => file(FileAction::Read, path, system_error(cause)),
        Problem::Output { path, cause } => {
            fl!(problem_output, path = shown(path), cause = system_error(cause))
        }
        Problem::Store { path, fault } => {
            let cause = match fault {
                StoreFault::CutOff => fl!(store_cut_off),
                StoreFault::Foreign => fl!(store_foreign),
                StoreFault::Removed => fl!(store_removed),
                StoreFault::Missing => fl!(store_missing),
            };
            file(FileAction::Read, path, cause.to_owned())
        }
        Problem::NoRoom { path, needed, free, advice } => {
            let (path, needed, free) = (shown(path), in_megabytes(*needed), in_megabytes(*free));
            match advice {
                Advice::None => fl!(problem_no_room, path = path, needed = needed, free = free),
                Advice::FreeSpace => {
                    fl!(problem_no_room_own, path = path, needed = needed, free = free)
                }
                Advice::OtherFolder => {
                    fl!(problem_no_room_folder, path = path, needed = needed, free = free)
                }
                Advice::OtherFolderOrBits => {
                    fl!(problem_no_room_bits, path = path, needed = needed, free = free)
                }
            }
        }
        Problem::Stores { cause } => fl!(problem_stores, cause = system_error(cause)),
        Problem::Waveform { cause } => fl!(problem_waveform, cause = system_error(cause)),
        Problem::Exists(paths) => {
            fl!(problem_exists, count = paths.len(), files = all_shown(paths))
        }
        Problem::ExistsUnasked(paths) => {
            fl!(problem_exists_unasked, count = paths.len(), files = all_shown(paths))
        }
        other => other.to_string(),
    }
}

fn file(action: FileAction, path: &Path, cause: String) -> String {
    let path = shown(path);
    match action {
        FileAction::Read => fl!(problem_read, path = path, cause = cause),
        FileAction::Write => fl!(problem_write, path = path, cause = cause),
        FileAction::Create => fl!(problem_create, path = path, cause = cause),
        FileAction::Remove => fl!(problem_remove, path = path, cause = cause),
        FileAction::Rename => fl!(problem_rename, path = path, cause = cause),
        FileAction::Restore => fl!(problem_restore, path = path, cause = cause),
    }
}

fn library(problem: &Problem) -> String {
    match problem {
        Problem::Library { text, .. } => fl!(problem_library, cause = text),
        Problem::OpenLibrary { path, text, .. } => {
            fl!(problem_open_library, path = shown(path), cause = text)
        }
        Problem::NewerLibrary(version) => {
            fl!(problem_newer_library, version = version.to_string())
        }
        Problem::LibraryRebuilt { aside, songs } => {
            fl!(problem_library_rebuilt, path = shown(aside), songs = *songs)
        }
        Problem::HomeGone { home } => fl!(problem_home_gone, path = shown(home)),
        Problem::HomeUnwritable { home, cause } => {
            fl!(problem_home_unwritable, path = shown(home), cause = system_error(cause))
        }
        Problem::NoHome => fl!(problem_no_home).to_owned(),
        Problem::OutsideHome { folder, target } => {
            fl!(problem_outside_home, path = shown(folder), target = shown(target))
        }
        Problem::SettingsUnreadable { path, cause } => {
            fl!(problem_settings_unreadable, path = shown(path), cause = system_error(cause))
        }
        Problem::SettingsSetAside { fault, aside } => {
            fl!(problem_settings_set_aside, path = shown(aside), fault = settings_fault(fault))
        }
        Problem::SettingsInvalid { path, fault, cause } => fl!(
            problem_settings_invalid,
            path = shown(path),
            fault = settings_fault(fault),
            cause = system_error(cause)
        ),
        Problem::SettingsUnwritable { fault } => {
            fl!(problem_settings_unwritable, fault = settings_fault(fault))
        }
        other => other.to_string(),
    }
}

fn songs(problem: &Problem) -> String {
    match problem {
        Problem::UnknownSong { id } => fl!(problem_unknown_song, id = id.to_string()),
        Problem::NoSuchSong { name, songs, .. } if songs.is_empty() => {
            fl!(problem_no_songs, name = name)
        }
        Problem::NoSuchSong { name, songs, more } => {
            fl!(problem_no_such_song, name = name, songs = listed(songs, *more))
        }
        Problem::SeveralSongs { name, songs, more } => {
            fl!(problem_several_songs, name = name, songs = listed(songs, *more))
        }
        Problem::UnknownJob { id, known } if known.is_empty() => {
            fl!(problem_unknown_job_none, id = id.to_string())
        }
        Problem::UnknownJob { id, known } => {
            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
            fl!(problem_unknown_job, id = id.to_string(), known = known.join(", "))
        }
        Problem::JobUnreadable { detail } => fl!(problem_job_unreadable, detail = detail),
        Problem::SongRemoved => fl!(problem_song_removed).to_owned(),
        Problem::NotRestorable => fl!(problem_not_restorable).to_owned(),
        Problem::TooManyImports => fl!(problem_too_many_imports).to_owned(),
        other => other.to_string(),
    }
}

fn separation(about: &Problem) -> String {
    match about {
        Problem::NoModel => fl!(problem_no_model).to_owned(),
        Problem::ModelMissing { model } if Catalog::builtin().get(model).is_none() => {
            fl!(problem_own_model_missing, model = model)
        }
        Problem::ModelMissing { model } => fl!(problem_model_missing, model = model),
        Problem::NoNetwork { model } => fl!(problem_no_network, model = model),
        Problem::ModelBusy => fl!(problem_model_busy).to_owned(),
        Problem::OpenedWithoutModel => fl!(problem_opened_without_model).to_owned(),
        Problem::UnknownStem { stem, known } => {
            fl!(problem_unknown_stem, stem = stem, known = known.join(", "))
        }
        Problem::Chain { path, fault } => {
            fl!(problem_chain, path = shown(path), fault = chain_fault(fault))
        }
        Problem::UnknownChain { name, known } => {
            fl!(problem_unknown_chain, name = name, known = known.join(", "))
        }
        Problem::MissingNetwork { stem, makes } => {
            fl!(problem_missing_network, stem = stem, makes = makes.join(", "))
        }
        Problem::MissingChainModel { stem, model } => {
            fl!(problem_missing_chain_model, stem = stem, model = model)
        }
        Problem::NotSeparated => fl!(problem_not_separated).to_owned(),
        Problem::Locked => fl!(problem_locked).to_owned(),
        Problem::NoFastPrecision => fl!(problem_no_fast_precision).to_owned(),
        Problem::MemoryLimit { needed, limit } => {
            let (needed, limit) = (in_megabytes(*needed), in_megabytes(*limit));
            fl!(problem_memory_limit, needed = needed, limit = limit)
        }
        Problem::NotNumbers { segment } => {
            fl!(problem_not_numbers, segment = segment.to_string())
        }
        Problem::WaitsForDisk { cause } => fl!(problem_paused, cause = problem(cause)),
        Problem::Loudness { cause } => fl!(problem_loudness, cause = cause),
        Problem::Elsewhere { host } => fl!(problem_elsewhere, host = host),
        Problem::UnseenSongs { count, line, first } => fl!(
            problem_unseen_songs,
            count = count.to_string(),
            line = line.to_string(),
            first = problem(first)
        ),
        other => other.to_string(),
    }
}

fn export(problem: &Problem) -> String {
    match problem {
        Problem::NothingChosen => fl!(problem_nothing_chosen).to_owned(),
        Problem::StemIndex { stem, stems } => {
            fl!(problem_stem_index, stem = stem.to_string(), stems = stems.to_string())
        }
        Problem::SamePath { path } => fl!(problem_same_path, path = shown(path)),
        Problem::Depth { format, bits } => {
            let bits = bits.iter().map(ToString::to_string);
            let bits = bits.reduce(|first, second| fl!(problem_or, first = first, second = second));
            fl!(problem_depth, format = format, bits = bits.unwrap_or_default())
        }
        Problem::SourceNeeded { path } => {
            fl!(problem_source_needed, path = shown(path), rate = SAMPLE_RATE.to_string())
        }
        Problem::DjStem { stem } => fl!(problem_dj_stem, stem = stem),
        Problem::Manifest { path, detail } => {
            fl!(problem_manifest, path = shown(path), detail = detail)
        }
        Problem::NoShare { path } => fl!(problem_no_share, path = shown(path)),
        other => other.to_string(),
    }
}

/// The reason why a pattern of file names is invalid.
pub fn pattern_problem(problem: &PatternProblem) -> String {
    match problem {
        PatternProblem::Empty => fl!(pattern_empty).to_owned(),
        PatternProblem::UnmatchedBrace => fl!(pattern_unmatched_brace).to_owned(),
        PatternProblem::UnknownField { field } => {
            let known: Vec<String> = FIELDS.iter().map(|field| format!("{{{field}}}")).collect();
            fl!(pattern_unknown_field, field = field, known = known.join(" "))
        }
    }
}

/// The reason why a chain file cannot be used.
pub fn chain_fault(fault: &ChainFault) -> String {
    match fault {
        ChainFault::NotAChain => fl!(chain_not_a_chain).to_owned(),
        // The position and the text of the TOML reader.
        ChainFault::Invalid { detail } => detail.trim_end().to_owned(),
        ChainFault::Count { steps, stems } => {
            fl!(chain_count, steps = steps.to_string(), stems = stems.to_string())
        }
        ChainFault::Name { name } => fl!(chain_name, name = name.escape_debug().to_string()),
        ChainFault::Twice { name } => fl!(chain_twice, name = name),
        ChainFault::Model { name } => fl!(chain_model, name = name),
        ChainFault::Network { step } => fl!(chain_network, step = step),
        ChainFault::LoneRest { stem } => fl!(chain_lone_rest, stem = stem),
        ChainFault::NoStep { step } => fl!(chain_no_step, step = step),
        ChainFault::NoStem { stem } => fl!(chain_no_stem, stem = stem),
        ChainFault::Order { step, stem } => fl!(chain_order, step = step, stem = stem),
        ChainFault::NoSource { stem } => fl!(chain_no_source, stem = stem),
        ChainFault::Circle { stem } => fl!(chain_circle, stem = stem),
        ChainFault::TwoRests { stem } => fl!(chain_two_rests, stem = stem),
        ChainFault::MinusRest { stem } => fl!(chain_minus_rest, stem = stem),
        ChainFault::Weight { stem } => fl!(chain_weight, stem = stem),
        ChainFault::NoOutput { step, output, known } => {
            fl!(chain_no_output, step = step, output = output, known = known.join(", "))
        }
    }
}

/// The reason why the sound device cannot be used.
pub fn device_problem(problem: &DeviceProblem) -> String {
    match problem {
        DeviceProblem::None => fl!(device_none).to_owned(),
        DeviceProblem::CannotOpen { device, cause } => {
            fl!(device_cannot_open, device = device, cause = cause)
        }
        DeviceProblem::NoFormat { device } => fl!(device_no_format, device = device),
        DeviceProblem::NoThread { cause } => fl!(problem_no_thread, cause = system_error(cause)),
    }
}

fn folder_problem(problem: &FolderProblem) -> String {
    match problem {
        FolderProblem::Unreadable { cause } => {
            fl!(problem_folder_unreadable, cause = system_error(cause))
        }
        FolderProblem::Empty => fl!(problem_folder_empty).to_owned(),
        FolderProblem::NoSong(numbers) => {
            fl!(problem_folder_no_song, left_out = left_out(numbers))
        }
    }
}

/// The files that a search skipped, by reason.
pub fn left_out(numbers: &LeftOut) -> String {
    let LeftOut { not_audio, own, hidden, not_files, unreadable } = *numbers;
    let text = |count: usize| count.to_string();
    let reasons = [
        (not_audio, fl!(left_out_not_audio, count = text(not_audio))),
        (own, fl!(left_out_own, count = text(own))),
        (hidden, fl!(left_out_hidden, count = text(hidden))),
        (not_files, fl!(left_out_not_files, count = text(not_files))),
        (unreadable, fl!(left_out_unreadable, count = text(unreadable))),
    ];
    let reasons = reasons.into_iter().filter(|(count, _)| *count > 0);
    let reasons: Vec<String> = reasons.map(|(_, reason)| reason).collect();
    fl!(left_out, count = text(numbers.all()), reasons = reasons.join("; "))
}

fn settings_fault(fault: &SettingsFault) -> String {
    match fault {
        SettingsFault::TooLarge => fl!(settings_fault_large).to_owned(),
        SettingsFault::NotAFile => fl!(settings_fault_not_a_file).to_owned(),
        SettingsFault::Invalid { detail } => detail.clone(),
    }
}

fn activity(activity: Activity) -> &'static str {
    match activity {
        Activity::Analysing => fl!(doing_analysing),
        Activity::DrawingWaveform => fl!(doing_drawing),
        Activity::Engine => fl!(doing_engine),
        Activity::Importing => fl!(doing_importing),
        Activity::InstallingModel => fl!(doing_installing),
        Activity::LoadingModel => fl!(doing_loading),
        Activity::Playing => fl!(doing_playing),
        Activity::ReadingFile => fl!(doing_reading_file),
        Activity::ReadingSong => fl!(doing_reading_song),
        Activity::Separating => fl!(doing_separating),
        Activity::WritingFiles => fl!(doing_writing_files),
        Activity::WritingReport => fl!(doing_writing_report),
    }
}

/// The system's error. Rare errors, and errors that libraries derive from the bytes, stay in English.
pub fn system_error(cause: &Os) -> String {
    let Some(number) = cause.number.map(|number| number.to_string()) else {
        return cause.text.clone();
    };
    match cause.kind {
        OsKind::NotFound => fl!(os_not_found, number = number),
        OsKind::Denied => fl!(os_denied, number = number),
        OsKind::NoSpace => fl!(os_no_space, number = number),
        OsKind::ReadOnly => fl!(os_read_only, number = number),
        OsKind::Gone => fl!(os_gone, number = number),
        OsKind::Stale => fl!(os_stale, number = number),
        OsKind::IsFolder => fl!(os_is_folder, number = number),
        OsKind::NotFolder => fl!(os_not_folder, number = number),
        OsKind::TimedOut => fl!(os_timed_out, number = number),
        OsKind::Refused => fl!(os_refused, number = number),
        OsKind::NoNetwork => fl!(os_no_network, number = number),
        OsKind::Truncated | OsKind::Invalid | OsKind::Other => cause.text.clone(),
    }
}

fn listed(names: &[String], more: usize) -> String {
    let names = names.join(", ");
    match more {
        0 => names,
        more => fl!(problem_names_more, names = names, count = more.to_string()),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn all_shown(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| shown(path)).collect();
    names.join(", ")
}

fn in_megabytes(bytes: u64) -> String {
    megabytes(bytes).to_string()
}
