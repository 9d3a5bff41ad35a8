//! Capabilities of the machine: processor, memory, sound, model, data folder, and separation speed.
//!
//! [`examine`] only reads; [`measure`] runs the model on the calling thread and stores the result.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use serde::{Serialize, Serializer};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use crate::{
    engine::{
        library::Library,
        problem::{Problem, Result},
        separation::{
            device::{Devices, Loading, choice::DeviceChoice, verdict::Verdict},
            installed::{DEFAULT, InstalledModel},
            options::Quality,
            pool,
        },
        system::{atomic_file, limits},
        types::Compute,
    },
    model::{Device, Spec, device::Card},
};

/// Findings about the machine.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of Partita.
    pub version: &'static str,
    /// Name of the processor.
    pub processor: String,
    /// Instruction sets available to the kernels.
    pub cpu_features: Vec<String>,
    /// Number of threads for separation.
    pub threads: usize,
    /// Total memory in bytes.
    pub memory_bytes: u64,
    /// Free memory in bytes.
    pub memory_free_bytes: u64,
    /// Output devices; the default one first.
    pub audio_devices: Vec<String>,
    /// The chosen device.
    pub device: DeviceChoice,
    /// The device that computes the default model.
    pub used_device: Device,
    /// Graphics cards on which this build can compute.
    pub cards: Vec<Card>,
    /// Measurements of graphics cards beside the processor.
    pub verdicts: Vec<Verdict>,
    /// State of the default model.
    pub model: DefaultModel,
    /// Separation speed, if measured or known from earlier songs.
    pub speed: Option<Speed>,
    /// Path of the data folder.
    #[serde(serialize_with = "crate::os::as_text")]
    pub home: PathBuf,
    /// Total size of the data folder in bytes.
    pub home_bytes: u64,
    /// Free space on its disk in bytes, if known.
    pub disk_free_bytes: Option<u64>,
}

/// State of the default model.
#[derive(Clone, Debug)]
pub enum DefaultModel {
    /// It is installed.
    Installed {
        /// Name of the model.
        name: String,
        /// The stems.
        stems: Vec<String>,
    },
    /// It is not installed.
    Missing {
        /// Name of the model.
        name: &'static str,
    },
    /// The file of the model cannot be used.
    Unusable(Problem),
}

/// In English, for JSON and reports.
impl fmt::Display for DefaultModel {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed { name, stems } => {
                write!(to, "{name} is installed ({})", stems.join(", "))
            }
            Self::Missing { name } => {
                write!(to, "{name} is not installed; see `partita model install`")
            }
            Self::Unusable(problem) => problem.fmt(to),
        }
    }
}

impl Serialize for DefaultModel {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Speed of a model on this machine.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Speed {
    /// Seconds of computation per segment.
    pub seconds_per_segment: f64,
    /// Seconds of music per second of computation.
    pub times_real_time: f64,
}

impl Speed {
    fn new(seconds_per_segment: f64, spec: &Spec) -> Self {
        let song = spec.stride(spec.overlap.default) as f64 / f64::from(spec.sample_rate);
        Self { seconds_per_segment, times_real_time: song / seconds_per_segment }
    }
}

/// Separates a segment on all threads, as a job does, and stores the time for estimates. Takes
/// twice that time, because a first segment warms up.
///
/// # Errors
/// [`Problem::ModelMissing`]; errors of the model and the library.
pub fn measure(home: &Path, compute: Compute) -> Result<Speed> {
    let Some(installed) = InstalledModel::find(home, DEFAULT)? else {
        return Err(Problem::ModelMissing { model: DEFAULT.to_owned() });
    };
    let devices = Devices::new(home);
    devices.check(compute.device)?;
    let pool = pool::new(compute)?;
    let Some(first) = installed.networks.first() else {
        return Err(Problem::NoNetwork { model: DEFAULT.to_owned() });
    };
    let Compute { device: choice, precision, .. } = compute;
    let fits = Arc::new(|| Ok(()));
    let loading = Loading { network: first, choice, precision, stop: &|| false, fits };
    let network = pool.install(|| devices.load(&loading))?;
    let spec = network.spec();
    let mix = noise(spec.channels * spec.segment_frames);
    let mut seconds = 0.0;
    for _ in 0..2 {
        let start = Instant::now();
        pool.install(|| network.separate(&mix))?;
        seconds = start.elapsed().as_secs_f64();
    }
    let device = devices.of_model(compute, &installed);
    let name = installed.pace_name(Quality::default(), precision, device);
    Library::open(home)?.set_pace(&name, seconds)?;
    Ok(Speed::new(seconds, spec))
}

/// Noise as input; the time does not depend on the samples.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Examines the machine, for separations with these settings.
pub fn examine(home: &Path, compute: Compute) -> Report {
    let devices = Devices::new(home);
    let looks = RefreshKind::nothing()
        .with_memory(MemoryRefreshKind::nothing().with_ram())
        .with_cpu(CpuRefreshKind::nothing());
    let system = System::new_with_specifics(looks).ok();
    let memory = system.as_ref().map_or((0, 0), |s| (s.total_memory(), s.available_memory()));
    let processor =
        system.as_ref().and_then(|s| s.cpus().first().map(|cpu| cpu.brand().to_owned()));
    let (mut speed, mut used_device) = (None, Device::Cpu);
    let model = match InstalledModel::find(home, DEFAULT) {
        Ok(Some(model)) => {
            used_device = devices.of_model(compute, &model);
            let name = model.pace_name(Quality::default(), compute.precision, used_device);
            let pace = Library::pace_in(home, &name).ok().flatten();
            speed = pace.map(|seconds| Speed::new(seconds, &model.spec));
            DefaultModel::Installed { stems: model.stems().clone(), name: model.name }
        }
        Ok(None) => DefaultModel::Missing { name: DEFAULT },
        Err(error) => DefaultModel::Unusable(error.into()),
    };
    Report {
        version: env!("CARGO_PKG_VERSION"),
        processor: processor.unwrap_or_default(),
        cpu_features: cpu_features(),
        threads: limits::threads().amount,
        memory_bytes: memory.0,
        memory_free_bytes: memory.1,
        audio_devices: crate::engine::player::outputs()
            .into_iter()
            .map(|output| output.name)
            .collect(),
        device: compute.device,
        used_device,
        cards: devices.cards().to_vec(),
        verdicts: devices.verdicts(),
        model,
        speed,
        home: home.to_owned(),
        home_bytes: folder_bytes(home),
        disk_free_bytes: atomic_file::free_bytes(home),
    }
}

fn cpu_features() -> Vec<String> {
    #[cfg(target_arch = "x86_64")]
    let found = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bf16", is_x86_feature_detected!("avx512bf16")),
        ("amx_bf16", crate::model::kernels::cpu::has_amx()),
    ];
    #[cfg(target_arch = "aarch64")]
    let found = [
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("bf16", std::arch::is_aarch64_feature_detected!("bf16")),
    ];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let found: [(&str, bool); 0] = [];
    found.iter().filter(|(_, has)| *has).map(|(name, _)| (*name).to_owned()).collect()
}

/// Total size in bytes of the files in a folder and its subfolders; links are not followed.
pub fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(about) if about.is_dir() => folder_bytes(&entry.path()),
        Ok(about) if about.is_file() => about.len(),
        _ => 0,
    };
    entries.flatten().map(size).sum()
}
