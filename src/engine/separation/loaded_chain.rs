//! Networks of a chain, loaded on demand, and the threads that run them.
//!
//! Owned by the separating thread: the worker, or a batch.

use std::sync::Arc;

use super::{
    chain::{Chain, StepNeeds},
    device::{Devices, Loading, choice::DeviceChoice},
    installed::InstalledNetwork,
    memory, pool,
    run::{Member, RunStep, SegmentEvent, Separation},
    scheduler::Listener,
};
use crate::{
    engine::{
        problem::{Problem, Result},
        store::{MixStore, StemTree},
        system::priority,
        types::{CancelToken, Compute},
    },
    model::{self, ModelError, Precision, Separator, Stop},
};

/// A chain ready to separate.
pub struct LoadedChain {
    chain: Arc<Chain>,
    compute: Compute,
    devices: Arc<Devices>,
    /// Bytes of memory reserved for other purposes.
    beside: u64,
    precision: Precision,
    pool: rayon::ThreadPool,
    /// Distinct networks of all steps, each loaded or not.
    networks: Vec<(InstalledNetwork, Option<Box<dyn Separator>>)>,
}

/// A separation task.
pub struct Work<'a> {
    /// Mix of the song.
    pub mix: &'a MixStore,
    /// Stores for the stems.
    pub stems: &'a StemTree,
    /// Indices of the requested stems.
    pub wanted: &'a [usize],
    /// Whether this is a draft.
    pub is_draft: bool,
    /// Expected seconds per segment of one network of each step, if known.
    pub paces: &'a [Option<f64>],
}

impl LoadedChain {
    /// Creates the threads, leaving `beside` bytes for other purposes. Checks the weights, but loads nothing
    /// yet.
    ///
    /// # Errors
    /// Fails with the errors of the pool, of [`Devices::check`], of [`memory::fit`] and of
    /// [`model::check_intact`].
    pub fn new(
        chain: Arc<Chain>,
        compute: Compute,
        beside: u64,
        devices: Arc<Devices>,
    ) -> Result<Self> {
        devices.check(compute.device)?;
        let mut networks: Vec<(InstalledNetwork, Option<Box<dyn Separator>>)> = Vec::new();
        for network in chain.steps.iter().flat_map(|step| &step.model.networks) {
            if networks.iter().all(|(other, _)| other.weights != network.weights) {
                networks.push((network.clone(), None));
            }
        }
        // One network at a time must fit; more stay loaded if there is room.
        let largest = networks.iter().map(|(network, _)| network.memory);
        let largest = largest.max_by_key(|memory| memory.weights + memory.work);
        let memory = largest.unwrap_or_default().in_precision(compute.precision);
        let memory = memory::on(compute.device, memory);
        let fitting = match (memory::fit(compute, memory, beside), compute.device) {
            // A graphics card has its own memory. The processor is checked if it takes over.
            (Err(Problem::MemoryLimit { .. }), DeviceChoice::Only(device)) if device.is_card() => {
                Compute { threads: Some(1), ..compute }
            }
            (fitting, _) => fitting?,
        };
        // Damaged weights would give wrong stems without a word.
        for (network, _) in &networks {
            model::check_intact(&network.weights)?;
        }
        let pool = pool::new(fitting)?;
        pool.broadcast(|_| priority::step_back(priority::SEPARATING));
        let precision = compute.precision;
        Ok(Self { chain, compute, devices, beside, precision, pool, networks })
    }

    /// Replaces the only network by an already loaded one.
    #[cfg(test)]
    pub(in crate::engine) fn with(mut self, network: Box<dyn Separator>) -> Self {
        self.networks[0].1 = Some(network);
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

    /// Whether this is the given chain with the same compute settings.
    pub fn is_of(&self, chain: &Chain, compute: Compute) -> bool {
        *self.chain == *chain && self.compute == compute
    }

    /// Loads the network that every job needs: that of a chain with one network, for a draft or for
    /// stems. Otherwise, the job decides.
    ///
    /// # Errors
    /// Fails with the errors of the weights; [`Problem::Cancelled`] if `stop` ended a measurement.
    pub fn prepare(&mut self, is_draft: bool, stop: Stop<'_>) -> Result<()> {
        self.compute_as(is_draft);
        if self.networks.len() == 1 { self.load(&[0], stop) } else { Ok(()) }
    }

    /// Runs the loaded network on silence until `stop` requests other work. This touches its
    /// memory, so that a job's first segment has no page faults.
    pub fn warm_up(&self, stop: Stop<'_>) {
        if let [(_, Some(network))] = &self.networks[..] {
            let spec = network.spec();
            let silence = vec![0.0; spec.channels * spec.segment_frames];
            // The output is discarded.
            drop(self.pool.install(|| network.separate_unless(&silence, stop)));
        }
    }

    /// Computes the missing segments of the requested stems; see [`Separation::run`].
    ///
    /// # Errors
    /// Fails with the errors of the weights, the stores and the networks. [`Problem::Locked`] if another
    /// program writes these stems.
    pub fn separate(
        &mut self,
        work: &Work<'_>,
        listener: &(dyn Fn() -> Listener + Sync),
        cancel: &CancelToken,
        on_event: &mut dyn FnMut(SegmentEvent),
    ) -> Result<()> {
        let Work { mix, stems, wanted, .. } = *work;
        self.compute_as(work.is_draft);
        let needs = self.chain.needs(wanted);
        stems.claim(&needs)?;
        let lock = stems.lock(&needs)?;
        for needs in self.rounds(needs) {
            let networks = self.networks_of(&needs);
            self.load(&networks, &|| cancel.is_cancelled())?;
            report(&self.devices, on_event);
            let steps: Vec<RunStep<'_>> =
                needs.iter().map(|needs| self.run_step(needs, work)).collect();
            let (steps, lock, pool) = (&steps[..], &lock, &self.pool);
            let separation = Separation { mix, stems, steps, lock, pool };
            let devices = &self.devices;
            let ended = separation.run(listener, cancel, &mut |event| {
                report(devices, on_event);
                on_event(event);
            });
            report(devices, on_event);
            ended?;
        }
        Ok(())
    }

    /// Changes the precision to that of a draft or of stems; networks in another one are unloaded.
    fn compute_as(&mut self, is_draft: bool) {
        let precision = pool::precision_for(self.compute.precision, is_draft);
        if precision != self.precision {
            self.precision = precision;
            for (_, loaded) in &mut self.networks {
                *loaded = None;
            }
        }
    }

    /// A step with its loaded networks.
    fn run_step<'a>(&'a self, needs: &StepNeeds, work: &Work<'_>) -> RunStep<'a> {
        let StepNeeds { step, ref outputs, is_wanted } = *needs;
        let model = &self.chain.steps[step].model;
        let member = |index: usize| {
            let own = &model.networks[index];
            let network = self.networks[self.index_of(own)].1.as_deref()?;
            Some(Member { network, shares: &own.shares })
        };
        let networks = model.networks_for(outputs).into_iter();
        let networks: Vec<Member<'a>> = networks.filter_map(member).collect();
        let pace = work.paces.get(step).copied().flatten();
        let pace = pace.map(|pace| pace * networks.len() as f64);
        let groups = work.stems.groups(step, outputs);
        RunStep { step, networks, groups, is_wanted, pace }
    }

    /// Index of a network among the distinct ones.
    fn index_of(&self, network: &InstalledNetwork) -> usize {
        let same = |(other, _): &(InstalledNetwork, _)| other.weights == network.weights;
        self.networks.iter().position(same).unwrap_or_default()
    }

    /// Distinct networks that are needed.
    fn networks_of(&self, needs: &[StepNeeds]) -> Vec<usize> {
        let mut all = Vec::new();
        for StepNeeds { step, outputs, .. } in needs {
            let model = &self.chain.steps[*step].model;
            let networks = model.networks_for(outputs).into_iter();
            all.extend(networks.map(|index| self.index_of(&model.networks[index])));
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether these networks fit into memory at once.
    fn fits(&self, networks: &[usize]) -> bool {
        let sum = memory::sum(networks.iter().map(|&index| self.networks[index].0.memory));
        let sum = memory::on(self.compute.device, sum);
        let need = memory::need(sum, self.threads()) + self.beside;
        memory::limit(self.compute.memory).is_none_or(|limit| need <= limit)
    }

    /// Outputs that are computed together: all of them. If their networks do not fit into memory at
    /// once, each step is completed before the next one, and each stem of a bag by itself.
    fn rounds(&self, needs: Vec<StepNeeds>) -> Vec<Vec<StepNeeds>> {
        if self.fits(&self.networks_of(&needs)) {
            return vec![needs];
        }
        let mut rounds = Vec::new();
        for needs in needs {
            let needs = StepNeeds { is_wanted: true, ..needs };
            let model = &self.chain.steps[needs.step].model;
            let is_bag = model.networks.len() > 1;
            if !is_bag || self.fits(&self.networks_of(std::slice::from_ref(&needs))) {
                rounds.push(vec![needs]);
                continue;
            }
            for source in model.sources_of(&needs.outputs) {
                rounds.push(vec![StepNeeds { outputs: vec![source], ..needs.clone() }]);
            }
        }
        rounds
    }

    /// Peak memory in bytes for these outputs.
    pub fn memory_for(&self, needs: &[StepNeeds]) -> u64 {
        let of = |needs: &[StepNeeds]| {
            let networks = self.networks_of(needs).into_iter();
            let sum = memory::sum(networks.map(|index| self.networks[index].0.memory));
            let sum = memory::on(self.compute.device, sum.in_precision(self.compute.precision));
            memory::need(sum, self.threads())
        };
        let rounds = self.rounds(needs.to_vec());
        rounds.iter().map(|needs| of(needs)).max().unwrap_or_default()
    }

    /// Loads these networks, and unloads others if there is not enough room.
    fn load(&mut self, networks: &[usize], stop: Stop<'_>) -> Result<()> {
        let kept = (0..self.networks.len())
            .filter(|index| networks.contains(index) || self.networks[*index].1.is_some());
        if !self.fits(&kept.collect::<Vec<_>>()) {
            for (index, (_, loaded)) in self.networks.iter_mut().enumerate() {
                if !networks.contains(&index) {
                    *loaded = None;
                }
            }
        }
        let (threads, limit) = (self.threads(), memory::limit(self.compute.memory));
        for &index in networks {
            if self.networks[index].1.is_none() {
                let network = &self.networks[index].0;
                check_unchanged(network)?;
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
                self.networks[index].1 = Some(loaded);
            }
        }
        Ok(())
    }
}

/// Checks that the weight file still has the network for which the stores are: another program may have
/// replaced it since.
fn check_unchanged(network: &InstalledNetwork) -> Result<()> {
    let path = &network.weights;
    let found = model::describe(path)?;
    // Files without a digest have no identity; their shape shows in the memory that they need.
    if (found.identity, found.memory) == (network.identity.clone(), network.memory) {
        Ok(())
    } else {
        Err(ModelError::Replaced { path: path.clone() }.into())
    }
}

/// Passes on the failures of devices.
fn report(devices: &Devices, on_event: &mut dyn FnMut(SegmentEvent)) {
    for failure in devices.take_failures() {
        on_event(SegmentEvent::DeviceFailed(failure));
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
                installed::InstalledModel,
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
        let tree = Chain::of_model(installed.clone()).tree;
        let batch = Batch::new(
            Chain::of_model(installed),
            Quality::default(),
            Compute::default(),
            home.path(),
        )
        .unwrap();
        let request = Request {
            track: None,
            file: song,
            called: "song".into(),
            selection: Selection::of_stems(&tree, &[]).unwrap(),
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

    #[test]
    fn a_network_that_was_replaced_is_not_used() {
        let home = tempfile::tempdir().unwrap();
        let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        fs::create_dir(home.path().join("models")).unwrap();
        let weights = home.path().join("models/htdemucs.safetensors");
        fs::copy(golden.join("general.weights.safetensors"), &weights).unwrap();
        let installed = InstalledModel::find(home.path(), "htdemucs").unwrap().unwrap();
        let chain = Arc::new(Chain::of_model(installed));
        let load = || {
            let mut loaded =
                LoadedChain::new(Arc::clone(&chain), Compute::default(), 0, Arc::default())?;
            loaded.prepare(false, &|| false)
        };
        assert_eq!(load(), Ok(()));
        fs::copy(golden.join("six.weights.safetensors"), &weights).unwrap();
        assert_eq!(load(), Err(ModelError::Replaced { path: weights }.into()));
    }
}
