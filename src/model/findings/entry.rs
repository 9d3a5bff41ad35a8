//! Findings about an entry of a configuration, about a stem's name, and the variants of networks that
//! are not supported. Predicates and nouns inside a [`super::Misfit`].

#![expect(clippy::doc_markdown, reason = "the documentation of a variant is its text")]

use super::{Names, Printable, Shape, StemCount, define};

/// The table of [`EntryFault`].
macro_rules! entry_faults {
    ($make:ident) => {
        $make! {
            /// The reason why a value of a configuration cannot be used, as a predicate on the value.
            EntryFault
            NotANumber entry_not_a_number "is not a number";
            NotWhole entry_not_whole { value: Printable }
                "is {value}, which is not a whole number";
            OutOfRange entry_out_of_range { value: Printable, least: usize, most: usize }
                "is {value}, which is not between {least} and {most}";
            NotWholes entry_not_wholes "is not a list of whole numbers";
            NotAName entry_not_a_name "is not a name";
            NotNames entry_not_names "is not a list of names";
            Disagrees entry_disagrees { stated: usize, found: usize }
                "is {stated}, but the tensors of the checkpoint say {found}: it is the configuration \
                 of another network";
            Asks entry_asks { variant: Variant } "asks for {variant}, which is not supported";
            NoOverlap entry_no_overlap "is 0; the minimum is 1, which means no overlap";
            OneTarget entry_one_target { target: Printable, stems: StemCount }
                "is {target}, but the network makes {stems}";
            NoInstrument entry_no_instrument { target: Printable, known: Names }
                "is {target}, which is not in training.instruments: {known}; name the stem with --stems";
            OtherCount entry_other_count { count: usize, stems: StemCount }
                "has {count} names, but the network makes {stems}: it is the configuration of another \
                 network";
            LongerWindow entry_longer_window "is longer than stft_n_fft";
            OtherBands entry_other_bands
                "has other bands than the checkpoint: it is the configuration of another network";
            NotARate entry_not_a_rate "is not a rate";
            NotEven entry_not_even { least: usize, most: usize }
                "is not an even number from {least} to {most}";
            OtherKind entry_other_kind { other: Printable, this: Printable }
                "is of a {other}, but the checkpoint is a {this}: it is the configuration of another \
                 network";
            OtherChannels entry_other_channels { stated: Printable, channels: usize }
                "is {stated}, but the tensors of the checkpoint are for {channels} channels: it is the \
                 configuration of another network";
            OtherScale entry_other_scale { found: Shape }
                "is not {found}, as the checkpoint's tensors are";
            OtherBins entry_other_bins { bins: usize } "does not fit {bins} bins";
            Only entry_only { stated: Printable, only: Printable }
                "is {stated}; only {only} is supported";
            Bottleneck entry_bottleneck { factor: usize, wide: usize, narrow: usize }
                "is {factor}, but the checkpoint narrows {wide} bins to {narrow}";
        }
    };
}
pub(crate) use entry_faults;
entry_faults!(define);

/// The table of [`NameFault`].
macro_rules! name_faults {
    ($make:ident) => {
        $make! {
            /// The reason why a stem cannot have a name, as a predicate on the name.
            NameFault
            Empty stem_name_empty "is empty";
            TooLong stem_name_too_long { bytes: usize, limit: usize }
                "has {bytes} bytes; the limit is {limit}";
            Character stem_name_character { letter: Printable }
                "has the character {letter}, which is not allowed";
            Ends stem_name_ends "begins or ends with a dot or a space";
            Reserved stem_name_reserved "is reserved for Partita's own files and options";
            Twice stem_name_twice "is the name of two stems";
        }
    };
}
pub(crate) use name_faults;
name_faults!(define);

/// The table of [`Variant`].
macro_rules! variants {
    ($make:ident) => {
        $make! {
            /// A part of a network that only unsupported variants have.
            Variant
            Pope variant_pope "PoPE embeddings (PolarFormer)";
            Segm variant_segm "mask estimators of the kind HyperACE or Segm";
            HyperAce variant_hyper_ace "the module HyperACE";
            ValueResiduals variant_value_residuals "value residuals";
            HyperConnections variant_hyper_connections "hyper-connections";
            Lora variant_lora "LoRA weights that are not merged into the network";
            Conformer variant_conformer "Conformer blocks";
            Mamba variant_mamba "Mamba blocks";
            Fno variant_fno "Fourier neural operators (FNO)";
        }
    };
}
pub(crate) use variants;
variants!(define);
