//! Tensors of a weight file, read one at a time, so that the whole file is never in memory.
//!
//! Handles names and shapes; each kind of network states the expected ones. Usable by several
//! threads.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::{Mutex, PoisonError},
};

use half::{f16, slice::HalfFloatSliceExt as _};
use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};

use super::{
    ModelError, Result,
    findings::{Misfit, Printable},
};

/// Maximum size of a header in bytes; that of the published network has 60 kB.
const LARGEST_HEADER: u64 = 4 << 20;

/// Number of values read and converted at a time.
const BLOCK: usize = 1 << 13;

/// Opens a weight file of at most `largest` bytes.
///
/// # Errors
/// [`ModelError::Io`], [`ModelError::Forbidden`], and [`ModelError::Unusable`] for a larger file.
pub(super) fn open_file(path: &Path, largest: u64) -> Result<File> {
    let io = |source| ModelError::reading(path, source);
    let file = File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.len() > largest {
        return Err(ModelError::from(Misfit::TooLarge).of_file(path));
    }
    Ok(file)
}

/// Expected tensors: PyTorch names and shapes.
pub type Expected = BTreeMap<String, Vec<usize>>;

/// Source of a model file's bytes.
pub(super) trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// Tensors of a file, read one at a time, so that the whole file is never in memory. Usable by
/// several threads.
pub(super) struct Tensors {
    file: Mutex<Box<dyn Source>>,
    header: Metadata,
    /// Offset of the first value in the file.
    start: u64,
}

impl Tensors {
    /// Reads the header of a file.
    pub fn open(mut file: impl Source + 'static) -> Result<Self> {
        let cut_off = |_| ModelError::from(Misfit::EndsEarly);
        let length = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
        file.rewind().map_err(unreadable)?;
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(cut_off)?;
        let size = u64::from_le_bytes(size);
        if size > LARGEST_HEADER.min(length) {
            return Err(Misfit::LargeHeader.into());
        }
        let mut header = vec![0; size as usize];
        file.read_exact(&mut header).map_err(cut_off)?;
        let header: Metadata = serde_json::from_slice(&header)
            .map_err(|error| Misfit::Header { cause: Printable::of(error) })?;
        let start = 8 + size;
        if length - start != header.data_len() as u64 {
            return Err(Misfit::OtherLength.into());
        }
        Ok(Self { file: Mutex::new(Box::new(file)), header, start })
    }

    /// Texts in the header.
    pub fn metadata(&self) -> HashMap<String, String> {
        self.header.metadata().clone().unwrap_or_default()
    }

    /// Checks that the file holds every tensor of `expected`, any of `optional`, and no others, in
    /// f16 or f32.
    pub fn check(&self, expected: &Expected, optional: &Expected) -> Result<()> {
        if let Some(name) = expected.keys().find(|name| self.header.info(name).is_none()) {
            return Err(Misfit::TensorMissing { name: name.into() }.into());
        }
        for name in self.header.offset_keys() {
            let Some(shape) = expected.get(&name).or_else(|| optional.get(&name)) else {
                return Err(Misfit::TensorUnknown { name: name.into() }.into());
            };
            let tensor = self.info(&name)?;
            if tensor.shape != *shape {
                let (found, expected) = ((&tensor.shape).into(), shape.into());
                return Err(Misfit::TensorShape { name: name.into(), found, expected }.into());
            }
            if !matches!(tensor.dtype, Dtype::F16 | Dtype::F32) {
                let found = format!("{:?}", tensor.dtype).into();
                return Err(Misfit::TensorType { name: name.into(), found }.into());
            }
        }
        Ok(())
    }

    /// Whether the file has this tensor.
    pub fn has(&self, name: &str) -> bool {
        self.header.info(name).is_some()
    }

    /// Reads a tensor's values.
    pub fn values(&self, name: &str) -> Result<Vec<f32>> {
        Ok(self.take(name)?.1)
    }

    /// Reads a tensor's shape and values.
    pub fn take(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>)> {
        let info = self.info(name)?;
        let mut values = vec![0.0; info.shape.iter().product()];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let from = SeekFrom::Start(self.start + info.data_offsets.0 as u64);
        file.seek(from).map_err(unreadable)?;
        if info.dtype == Dtype::F16 {
            // Convert in blocks that fit the cache.
            let mut block = [f16::ZERO; BLOCK];
            for values in values.chunks_mut(BLOCK) {
                let halves = &mut block[..values.len()];
                file.read_exact(bytemuck::cast_slice_mut(halves.reinterpret_cast_mut()))
                    .map_err(unreadable)?;
                halves.convert_to_f32_slice(values);
            }
        } else {
            file.read_exact(bytemuck::cast_slice_mut(&mut values)).map_err(unreadable)?;
        }
        Ok((info.shape.clone(), values))
    }

    fn info(&self, name: &str) -> Result<&TensorInfo> {
        let missing = || Misfit::TensorMissing { name: name.into() }.into();
        self.header.info(name).ok_or_else(missing)
    }
}

/// Wraps a read error; the caller adds the path.
fn unreadable(source: io::Error) -> ModelError {
    source.into()
}
