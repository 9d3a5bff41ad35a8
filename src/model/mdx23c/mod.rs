//! MDX23C (TFC-TDF v3): convolutions over a spectrogram, with layers over frequency.

pub mod recognise;

use crate::model::{Kind, Memory, roformer};

/// The kind of network.
pub const KIND: Kind = Kind {
    class_name: "TFC_TDF_net",
    describe: roformer::describe,
    load: roformer::load,
    memory: |_, bytes| Memory { weights: bytes, work: 0 },
    recognise: recognise::recognise,
};
