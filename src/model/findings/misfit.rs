//! Findings about a network's description: its tensors, its arguments, the names of its stems. The
//! texts are sentences that follow the file's name and a colon.

#![expect(clippy::doc_markdown, reason = "the documentation of a variant is its text")]

use super::{
    Channels, EntryFault, NameCount, NameFault, Names, Printable, Shape, StemCount, Variant, define,
};

/// The table of [`Misfit`].
macro_rules! misfits {
    ($make:ident) => {
        $make! {
            /// The reason why a file's tensors and description are not a network, as a sentence.
            Misfit
            TooLarge misfit_too_large "it is too large";
            EndsEarly misfit_ends_early "it is not a safetensors file (it ends too early)";
            LargeHeader misfit_large_header
                "it is not a safetensors file (its header is too large)";
            Header misfit_header { cause: Printable } "it is not a safetensors file ({cause})";
            OtherLength misfit_other_length
                "it is not a safetensors file (it is not as long as its header says)";
            TensorMissing misfit_tensor_missing { name: Printable } "the tensor {name} is missing";
            TensorsMissing misfit_tensors_missing { prefix: Printable }
                "the tensors of {prefix} are missing";
            TensorUnknown misfit_tensor_unknown { name: Printable }
                "the tensor {name} is not expected";
            TensorShape misfit_tensor_shape { name: Printable, found: Shape, expected: Shape }
                "the tensor {name} has the shape {found} instead of {expected}";
            TensorDimensions misfit_tensor_dimensions
                { name: Printable, found: Shape, dimensions: usize }
                "the tensor {name} has the shape {found} instead of {dimensions} dimensions";
            TensorType misfit_tensor_type { name: Printable, found: Printable }
                "the tensor {name} holds {found} instead of F16 or F32";
            Class misfit_class { class: Printable }
                "a network of the class {class} is not supported";
            NoArguments misfit_no_arguments
                "the file does not say how its network is built (no \"kwargs\")";
            Arguments misfit_arguments { cause: Printable }
                "the arguments of its network (\"kwargs\") are not valid: {cause}";
            ArgumentsForm misfit_arguments_form "args must be a list, and kwargs an object";
            ManyArguments misfit_many_arguments "too many positional arguments";
            ArgumentUnknown misfit_argument_unknown { name: Printable }
                "HTDemucs has no argument {name}";
            ArgumentMissing misfit_argument_missing { name: Printable }
                "the argument {name} is missing";
            Argument misfit_argument { name: Printable, value: Printable }
                "a network with the argument {name} = {value} is not supported";
            ArgumentRange misfit_argument_range
                { name: Printable, value: Printable, least: Printable, most: Printable }
                "the argument {name} = {value} is not between {least} and {most}";
            ArgumentNotWhole misfit_argument_not_whole { name: Printable, value: Printable }
                "the argument {name} = {value} is not a whole number";
            ArgumentNotANumber misfit_argument_not_a_number { name: Printable }
                "the argument {name} is not a number";
            ArgumentStep misfit_argument_step { name: Printable, step: usize }
                "the argument {name} is not a multiple of {step}";
            Disagree misfit_disagree { names: Names }
                "the arguments {names} do not fit together";
            Memory misfit_memory { names: Names }
                "the arguments {names} ask for too much memory";
            Merging misfit_merging
                "depth, nfft, stride and kernel_size ask for a network whose branches merge before \
                 the transformer, which is not supported";
            Sources misfit_sources { most: usize }
                "the names of its stems (sources, rest) are not 1 to {most} different names";
            Length misfit_length "segment is not a length in seconds";
            LengthRange misfit_length_range "segment is empty or absurdly long";
            BandBins misfit_band_bins { found: usize, bins: usize }
                "freqs_per_bands has {found} bins instead of {bins}";
            MelEmpty misfit_mel_empty { count: usize }
                "num_bands = {count} leaves a band without a frequency";
            MelGap misfit_mel_gap { count: usize } "num_bands = {count} leaves gaps in a band";
            MelBin misfit_mel_bin { count: usize, bin: usize }
                "no band of num_bands = {count} has bin {bin}";
            TooLong misfit_too_long { frames: usize }
                "a chunk of {frames} frames needs too much memory; state a shorter one with --chunk";
            Sound misfit_sound { rate: usize, channels: Channels }
                "the network was trained at {rate} Hz, {channels}; only 44100 Hz stereo networks are \
                 supported yet";
            Entry misfit_entry { path: Printable, origin: Printable, fault: EntryFault }
                "{path} in {origin} {fault}";
            Variant misfit_variant { variant: Variant }
                "it is a variant of the RoFormer, with {variant}, which is not supported";
            Transformers misfit_transformers { count: usize }
                "its layers have {count} transformers instead of 2 or 3";
            Heads misfit_heads { rows: usize, heads: usize }
                "{rows} rows of to_qkv do not make {heads} heads";
            FeedForward misfit_feed_forward { hidden: usize, dim: usize }
                "its feed-forward parts are {hidden} wide, instead of four times {dim}";
            Limit misfit_limit { name: Printable, value: usize, most: usize }
                "its {name} would be {value}; the limit is {most}";
            NoMaskLayers misfit_no_mask_layers "its mask estimators have no layers";
            MaskWidth misfit_mask_width { hidden: usize, dim: usize }
                "its mask estimators are {hidden} wide for dim {dim}";
            SpectrumBins misfit_spectrum_bins "its bands do not make up the bins of a spectrum";
            SpectrumBinsOf misfit_spectrum_bins_of { size: usize }
                "its bands do not make up the bins of a spectrum of stft_n_fft = {size}";
            NotMel misfit_not_mel { bands: usize, rate: usize }
                "the widths of its bands are not those of a mel filter bank of {bands} bands at {rate} \
                 Hz";
            Narrowing misfit_narrowing { channels: usize, down: usize }
                "its first scale narrows {channels} channels to {down}";
            NotStereo misfit_not_stereo { inputs: usize, outputs: usize }
                "{inputs} channels of input and {outputs} of output do not make stereo stems";
            ManyBins misfit_many_bins { most: usize }
                "its spectra have more than {most} bins";
            BatchNorm misfit_batch_norm "its norms are BatchNorm, which is not supported";
            NoNorm misfit_no_norm "it has no norms, which is not supported";
            Spectra misfit_spectra
                { chunk: usize, hop: usize, spectra: usize, step: usize, fitting: usize }
                "a segment of {chunk} frames at a hop of {hop} makes {spectra} spectra, which is not a \
                 multiple of {step}; such a segment has {fitting} frames";
            StatedNames misfit_stated_names
                { stems: StemCount, stated: NameCount, names: Names }
                "the network makes {stems}, but {stated}: {names}";
            TakesNoFacts misfit_takes_no_facts
                "the file states how its network is built, and this kind of network takes no other \
                 hop, segment or names; leave out --hop, --chunk, --stems and --rest";
            NoHop misfit_no_hop "a hop of 0 frames is not possible";
            Hop misfit_hop { hop: usize, window: usize }
                "a hop of {hop} frames does not fit windows of {window}; the hop is usually 441, 512 \
                 or 1024";
            Chunk misfit_chunk { chunk: usize, least: usize, most: usize }
                "a segment of {chunk} frames is not between {least} (one window) and {most}";
            StemName misfit_stem_name { name: Printable, fault: NameFault }
                "the stem name \"{name}\" {fault}; name the stems with --stems, and the rest with \
                 --rest";
            ManyStems misfit_many_stems { count: usize, limit: usize }
                "it has {count} stems; the limit is {limit}";
            Reference misfit_reference { cause: Printable }
                "the built-in reference numbers cannot be read: {cause}";
        }
    };
}
pub(crate) use misfits;
misfits!(define);

impl Misfit {
    /// Whether the finding concerns tensors, so that the file may be damaged.
    pub fn is_of_tensors(&self) -> bool {
        matches!(
            self,
            Self::TensorMissing { .. }
                | Self::TensorsMissing { .. }
                | Self::TensorUnknown { .. }
                | Self::TensorShape { .. }
                | Self::TensorDimensions { .. }
                | Self::TensorType { .. }
        )
    }
}
