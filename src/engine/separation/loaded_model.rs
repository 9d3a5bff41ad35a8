//! Networks of a model, loaded on demand, and the threads that run them.
//!
//! Owned by the separating thread: the worker, or a batch.

use std::sync::Arc;

use super::{
    device::{Devices, Loading, choice::DeviceChoice},
    installed::InstalledModel,
    memory, pool,
    run::{Member, Separation, Step},
    scheduler::Listener,
};
use crate::{
    engine::{
        problem::{Problem, Result},
        store::{MixStore, StemStore},
        system::priority,
        types::{CancelToken, Compute},
    },
    model::{self, ModelError, Precision, Separator, Stop},
};

/// A model ready to separate.
pub struct LoadedModel {
    model: InstalledModel,
    compute: Compute,
    devices: Arc<Devices>,
    /// Bytes of memory reserved for other purposes.
    beside: u64,
    precision: Precision,
    pool: rayon::ThreadPool,
    /// One entry per network of the model.
    loaded: Vec<Option<Box<dyn Separator>>>,
}

/// A separation task.
pub struct Work<'a> {
    /// Mix of the song.
    pub mix: &'a MixStore,
    /// Store for the stems.
    pub stems: &'a StemStore,
    /// Indices of the requested stems.
    pub wanted: &'a [usize],
    /// Whether this is a draft.
    pub is_draft: bool,
    /// Expected seconds per segment of one network, if known.
    pub pace: Option<f64>,
}

impl LoadedModel {
    /// Creates the threads, leaving `beside` bytes for other purposes. Checks the weights, but loads nothing
    /// yet.
    ///
    /// # Errors
    /// Fails with the errors of the pool, of [`Devices::check`], of [`memory::fit`] and of
    /// [`model::check_intact`].
    pub fn new(
        model: InstalledModel,
        compute: Compute,
        beside: u64,
        devices: Arc<Devices>,
    ) -> Result<Self> {
        devices.check(compute.device)?;
        // One network at a time must fit; more stay loaded if there is room.
        let memory = model.memory().in_precision(compute.precision);
        let memory = memory::on(compute.device, memory);
        let fitting = match (memory::fit(compute, memory, beside), compute.device) {
            // A graphics card has its own memory. The processor is checked if it takes over.
            (Err(Problem::MemoryLimit { .. }), DeviceChoice::Only(device)) if device.is_card() => {
                Compute { threads: Some(1), ..compute }
            }
            (fitting, _) => fitting?,
        };
        // Damaged weights would give wrong stems without a word.
        for network in &model.networks {
            model::check_intact(&network.weights)?;
        }
        let pool = pool::new(fitting)?;
        pool.broadcast(|_| priority::step_back(priority::SEPARATING));
        let loaded = model.networks.iter().map(|_| None).collect();
        let precision = compute.precision;
        Ok(Self { model, compute, devices, beside, precision, pool, loaded })
    }

    /// Replaces the network by an already loaded one.
    #[cfg(test)]
    pub(in crate::engine) fn with(mut self, network: Box<dyn Separator>) -> Self {
        self.loaded = vec![Some(network)];
        self
    }

    /// Runs `work` on the threads for separation.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }

    /// Number of threads for separation.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Whether this is the given model with the same compute settings.
    pub fn is_of(&self, model: &InstalledModel, compute: Compute) -> bool {
        self.model == *model && self.compute == compute
    }

    /// Loads the network that every job needs: that of a single-network model. For a bag, the job
    /// decides.
    ///
    /// # Errors
    /// Fails with the errors of the weights; [`Problem::Cancelled`] if `stop` ended a measurement.
    pub fn prepare(&mut self, stop: Stop<'_>) -> Result<()> {
        if self.loaded.len() == 1 { self.load(&[0], stop) } else { Ok(()) }
    }

    /// Runs the loaded network on silence until `stop` requests other work. This touches its
    /// memory, so that a job's first segment has no page faults.
    pub fn warm_up(&self, stop: Stop<'_>) {
        if let [Some(network)] = &self.loaded[..] {
            let spec = network.spec();
            let silence = vec![0.0; spec.channels * spec.segment_frames];
            // The output is discarded.
            drop(self.pool.install(|| network.separate_unless(&silence, stop)));
        }
    }

    /// Computes the missing segments of the requested stems; see [`Separation::run`].
    ///
    /// # Errors
    /// Fails with the errors of the weights, the stores and the networks.
    pub fn separate(
        &mut self,
        work: &Work<'_>,
        listener: &(dyn Fn() -> Listener + Sync),
        cancel: &CancelToken,
        on_step: &mut dyn FnMut(Step),
    ) -> Result<()> {
        let Work { mix, stems, wanted, .. } = *work;
        let precision = pool::precision_for(self.compute.precision, work.is_draft);
        if precision != self.precision {
            self.precision = precision;
            self.loaded.fill_with(|| None);
        }
        stems.claim(wanted)?;
        for wanted in self.rounds(&self.model.sources_of(wanted)) {
            let networks = self.model.networks_for(&wanted);
            self.load(&networks, &|| cancel.is_cancelled())?;
            report(&self.devices, on_step);
            let members = networks.iter().filter_map(|&index| {
                let (network, shares) =
                    (self.loaded[index].as_deref()?, &self.model.networks[index]);
                Some(Member { network, shares: &shares.shares })
            });
            let members: Vec<Member<'_>> = members.collect();
            let groups = stems.groups_of(&wanted);
            let pace = work.pace.map(|pace| pace * members.len() as f64);
            let (networks, groups, pool) = (&members[..], &groups[..], &self.pool);
            let separation = Separation { mix, stems, networks, groups, pool, pace };
            let devices = &self.devices;
            let ended = separation.run(listener, cancel, &mut |step| {
                report(devices, on_step);
                on_step(step);
            });
            report(devices, on_step);
            ended?;
        }
        Ok(())
    }

    /// Groups of stems computed together: all of them, or one by one if the networks for all do not
    /// fit into memory at once.
    fn rounds(&self, wanted: &[usize]) -> Vec<Vec<usize>> {
        let of = |stems: &[usize]| {
            let networks = self.model.networks_for(stems).into_iter();
            let sum = memory::sum(networks.map(|index| self.model.networks[index].memory));
            memory::on(self.compute.device, sum)
        };
        let threads = self.pool.current_num_threads();
        let fits = memory::limit(self.compute.memory)
            .is_none_or(|limit| memory::need(of(wanted), threads) + self.beside <= limit);
        let is_bag = self.model.networks.len() > 1;
        if fits || !is_bag {
            vec![wanted.to_vec()]
        } else {
            wanted.iter().map(|stem| vec![*stem]).collect()
        }
    }

    /// Loads these networks, and unloads others if there is not enough room.
    fn load(&mut self, networks: &[usize], stop: Stop<'_>) -> Result<()> {
        let kept = (0..self.loaded.len())
            .filter(|index| networks.contains(index) || self.loaded[*index].is_some());
        let all = memory::sum(kept.map(|index| self.model.networks[index].memory));
        let all = memory::on(self.compute.device, all);
        let threads = self.pool.current_num_threads();
        let limit = memory::limit(self.compute.memory);
        if limit.is_some_and(|limit| memory::need(all, threads) + self.beside > limit) {
            for (index, loaded) in self.loaded.iter_mut().enumerate() {
                if !networks.contains(&index) {
                    *loaded = None;
                }
            }
        }
        for &index in networks {
            if self.loaded[index].is_none() {
                let network = &self.model.networks[index];
                let memory = network.memory.in_precision(self.precision);
                let need = memory::need(memory, threads) + self.beside;
                let fits = move || match limit.filter(|limit| need > *limit) {
                    Some(limit) => Err(ModelError::Memory { needed: need, limit }),
                    None => Ok(()),
                };
                let (choice, precision) = (self.compute.device, self.precision);
                let fits = Arc::new(fits);
                let loading = Loading { network, choice, precision, stop, fits };
                let loaded = self.pool.install(|| self.devices.load(&loading))?;
                self.loaded[index] = Some(loaded);
            }
        }
        Ok(())
    }
}

/// Passes on the failures of devices.
fn report(devices: &Devices, on_step: &mut dyn FnMut(Step)) {
    for failure in devices.take_failures() {
        on_step(Step::DeviceFailed(failure));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        engine::{
            export::{NamePattern, Place, Selection, Settings},
            separation::{
                batch::{Batch, Request},
                options::Quality,
            },
        },
        model::{seam_tests, weights::Store},
    };

    #[test]
    fn an_unknown_kind_of_network_separates_a_song() {
        let home = tempfile::tempdir().unwrap();
        let weights = home.path().join("bank.safetensors");
        fs::write(&weights, seam_tests::file("FilterBank")).unwrap();
        let store = Store::new(home.path());
        let model = store.import(&weights, &mut |_| {}, &|| false).unwrap();
        let song = home.path().join("song.wav");
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 44_100,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(&song, spec).unwrap();
        let mix: Vec<f32> = (0..1500).map(|i| (i as f32 * 0.37).sin() * 0.5).collect();
        for sample in &mix {
            writer.write_sample(*sample).unwrap();
            writer.write_sample(-*sample).unwrap();
        }
        writer.finalize().unwrap();
        let installed = InstalledModel::find(home.path(), &model.name).unwrap().unwrap();
        let sources = installed.spec.sources.clone();
        let batch =
            Batch::new(installed, Quality::default(), Compute::default(), home.path()).unwrap();
        let request = Request {
            track: None,
            file: song,
            called: "song".into(),
            selection: Selection::of_stems(&sources, &[]).unwrap(),
            place: Place {
                folder: home.path().join("out"),
                pattern: NamePattern::new("{stem}").unwrap(),
            },
            settings: Settings::default(),
        };
        batch.separate(&request, &CancelToken::default(), &mut |_| {}).unwrap();
        let read = |stem: &str| -> Vec<f32> {
            let path = home.path().join(format!("out/{stem}.wav"));
            hound::WavReader::open(path).unwrap().samples().step_by(2).map(Result::unwrap).collect()
        };
        let (low, high) = (read("low"), read("high"));
        for (at, x) in mix.iter().enumerate() {
            assert!((low[at] - x / 4.0).abs() < 1e-5 && (high[at] - x * 0.75).abs() < 1e-5, "{at}");
        }
    }
}
