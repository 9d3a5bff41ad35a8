//! Models and their weights in the user's language: steps of an installation, and errors.

use super::{
    findings::{Worded as _, layout},
    in_megabytes, shown, system_error,
};
use crate::{
    i18n::{
        fl,
        numbers::{network, percent},
    },
    model::{
        CHANNELS, Device, FileFault, ModelError, Remedy, SAMPLE_RATE,
        recognition::{MissingFact, Summary},
        weights::Step,
    },
};

/// An error of a model or its weights.
pub fn model_error(error: &ModelError) -> String {
    match error {
        ModelError::Header { misfit } => misfit.worded(),
        ModelError::Unusable { path, misfit, remedy } => {
            let (misfit, remedy) = (misfit.worded(), self::remedy(*remedy));
            fl!(weights_unusable, path = shown(path), misfit = misfit, remedy = remedy)
        }
        ModelError::File { path, fault } => {
            fl!(weights_file, path = shown(path), fault = file_fault(fault))
        }
        ModelError::Origin { origin, fault } => format!("{origin} {}", file_fault(fault)),
        ModelError::NotFetched { model, tried } => {
            let tried: Vec<String> = tried.iter().map(model_error).collect();
            fl!(weights_not_fetched, model = model, tried = tried.join("; "))
        }
        ModelError::Unknown { name, known } => {
            fl!(weights_unknown, name = name, known = known.join(", "))
        }
        ModelError::NotInstalled { model } => fl!(weights_not_installed, model = model),
        ModelError::Installing { model } => fl!(weights_installing, model = model),
        ModelError::Digest { path, found, noted, remedy } => {
            let remedy = self::remedy(*remedy);
            fl!(weights_digest, path = shown(path), found = found, noted = noted, remedy = remedy)
        }
        ModelError::Replaced { path } => fl!(weights_replaced, path = shown(path)),
        ModelError::OtherShape { path, model, remedy } => {
            let remedy = self::remedy(*remedy);
            fl!(weights_other_shape, path = shown(path), model = model, remedy = remedy)
        }
        ModelError::OtherStems { path, remedy } => {
            fl!(weights_other_stems, path = shown(path), remedy = self::remedy(*remedy))
        }
        ModelError::Device { cause } => fl!(weights_device, cause = cause.to_string()),
        ModelError::NoDevice { device, is_built: true } => {
            fl!(weights_no_device, device = device.to_string())
        }
        ModelError::NoDevice { device: Device::Metal(_), .. } => fl!(weights_no_metal).to_owned(),
        ModelError::NoDevice { device, .. } => {
            fl!(weights_device_not_built, device = device.to_string())
        }
        ModelError::Memory { needed, limit } => {
            let (needed, limit) = (in_megabytes(*needed), in_megabytes(*limit));
            fl!(weights_memory, needed = needed, limit = limit)
        }
        ModelError::Segment { found, expected } => {
            fl!(weights_segment, found = found.to_string(), expected = expected.to_string())
        }
        ModelError::Io { path, cause } if path.as_os_str().is_empty() => system_error(cause),
        ModelError::Io { path, cause } => format!("{}: {}", shown(path), system_error(cause)),
        ModelError::Forbidden { path } => fl!(weights_forbidden, path = shown(path)),
        ModelError::OtherSound { path, sample_rate, channels } => {
            let sound = other_sound(*sample_rate, *channels);
            match path {
                Some(path) => fl!(weights_other_sound_file, path = path, sound = sound),
                None => sound,
            }
        }
        ModelError::FactsMissing { path, missing, .. } => {
            let flags: Vec<String> = missing.iter().map(MissingFact::flag).collect();
            fl!(weights_facts_missing, path = shown(path), flags = flags.join(" "))
        }
        ModelError::Cancelled => fl!(problem_cancelled).to_owned(),
    }
}

fn remedy(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Install => fl!(weights_install_again),
        Remedy::Import => fl!(weights_import_again),
        Remedy::Download => fl!(weights_download_again),
    }
}

fn other_sound(sample_rate: u32, channels: usize) -> String {
    fl!(
        weights_other_sound,
        rate = sample_rate.to_string(),
        layout = layout(channels),
        expected_rate = SAMPLE_RATE.to_string(),
        expected_layout = layout(CHANNELS)
    )
}

/// The reason why a weight file is invalid, as a predicate on the file.
pub fn file_fault(fault: &FileFault) -> String {
    match fault {
        FileFault::CutOff { have, whole, remedy } => {
            let (have, whole) = (have.map(|size| size.worded()), whole.map(|size| size.worded()));
            let remedy = self::remedy(*remedy);
            match (have, whole) {
                (None, _) => fl!(fault_cut_off, remedy = remedy),
                (Some(have), None) => fl!(fault_cut_off_after, have = have, remedy = remedy),
                (Some(have), Some(whole)) => {
                    fl!(fault_cut_off_of, have = have, whole = whole, remedy = remedy)
                }
            }
        }
        FileFault::Empty => fl!(fault_empty).to_owned(),
        FileFault::Folder => fl!(fault_folder).to_owned(),
        FileFault::NotAFile => fl!(fault_not_a_file).to_owned(),
        FileFault::NotAModel { start } => fl!(fault_not_a_model, start = start),
        FileFault::Undescribed => fl!(fault_undescribed).to_owned(),
        FileFault::Unreachable { cause } => fl!(fault_unreachable, cause = cause),
        FileFault::NoConnection { cause } => fl!(fault_unreachable, cause = system_error(cause)),
        FileFault::NoHost => fl!(fault_no_host).to_owned(),
        FileFault::Unreadable { cause } => fl!(fault_unreadable, cause = system_error(cause)),
        FileFault::Malformed(fault) => fault.worded(),
    }
}

/// A step of an installation with its progress, such as "Reading… 42 %".
pub fn progress(what: &Step, fraction: Option<f32>) -> String {
    let what = step(what);
    match fraction {
        Some(fraction) => format!("{what}… {}", percent(f64::from(fraction))),
        None => format!("{what}…"),
    }
}

/// The network of an imported file, in one line.
pub fn recognised(summary: &Summary) -> String {
    let Summary { kind, width, layers, bands, sources, rest, seconds } = summary;
    network(kind, [*width, *layers], *bands, sources, rest.as_deref(), *seconds)
}

/// A step of an installation.
pub fn step(step: &Step) -> String {
    match step {
        Step::Starting => fl!(step_starting).to_owned(),
        Step::Downloading(host) => fl!(step_downloading, host = host),
        Step::Packing(package) => fl!(step_packing, package = package),
        Step::Reading => fl!(step_reading).to_owned(),
        Step::Checking => fl!(step_checking).to_owned(),
        Step::Writing => fl!(step_writing).to_owned(),
        Step::NextOrigin(error) => fl!(step_next, reason = model_error(error)),
    }
}
