//! A network's tensors in memory, in half precision where that is exact, and the digest of their
//! content.

use std::collections::BTreeMap;

use half::{bf16, f16, slice::HalfFloatSliceExt as _};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    error::{Fault, Result, quoted},
    progress::{Step, Watch},
};
use crate::model::{
    findings::{Malformed, Printable},
    recognition::Shapes,
};

/// Prefixes that wrappers of a network add to the names of its tensors.
const PREFIXES: [&str; 3] = ["module.", "model.", "_orig_mod."];

/// The class whose digest is the content's alone.
const HTDEMUCS: &str = "HTDemucs";

/// A tensor in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub(super) shape: Vec<usize>,
    /// Values, as many as the product of the dimensions.
    pub(super) values: Values,
}

/// All values of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    /// All values are exact in half precision.
    Half(Vec<f16>),
    /// At least one value is not.
    Single(Vec<f32>),
}

/// The contents of a weight file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Checkpoint {
    /// Tensors by PyTorch name, in the byte order of the names.
    pub(super) tensors: BTreeMap<String, Tensor>,
    /// Name of the network's class, where the file has it.
    pub(super) class_name: Option<String>,
    /// Keyword arguments of the constructor, where the file has them.
    pub(super) kwargs: Map<String, Value>,
    /// Positional arguments of the constructor, where the file has them.
    pub(super) args: Vec<Value>,
}

impl Checkpoint {
    /// Adds a tensor; fails for a duplicate name.
    pub(super) fn insert(&mut self, name: String, tensor: Tensor) -> Result<()> {
        if self.tensors.contains_key(&name) {
            return Err(Malformed::TensorTwice { name: quoted(&name).into() }.into());
        }
        self.tensors.insert(name, tensor);
        Ok(())
    }

    /// Removes prefixes that wrappers of a network added to the names of all tensors, such as
    /// `module.` of parallel training.
    pub(super) fn strip_prefixes(&mut self) {
        while let Some(prefix) = PREFIXES.iter().find(|prefix| {
            !self.tensors.is_empty() && self.tensors.keys().all(|name| name.starts_with(**prefix))
        }) {
            let stripped = std::mem::take(&mut self.tensors).into_iter().map(|(name, tensor)| {
                (name.get(prefix.len()..).unwrap_or_default().to_owned(), tensor)
            });
            self.tensors = stripped.collect();
        }
    }

    /// The shape of every tensor.
    pub(super) fn shapes(&self) -> Shapes {
        let shape = |(name, tensor): (&String, &Tensor)| (name.clone(), tensor.shape.clone());
        self.tensors.iter().map(shape).collect()
    }

    /// Number of values in all tensors.
    pub(super) fn values(&self) -> u64 {
        self.tensors.values().map(|tensor| tensor.values.len() as u64).sum()
    }

    /// The names of the stems, where the file has them.
    pub(super) fn sources(&self) -> Option<&Value> {
        self.kwargs.get("sources").or_else(|| self.args.first())
    }

    /// Bytes of all values.
    fn bytes(&self) -> u64 {
        self.tensors.values().map(Tensor::bytes).sum()
    }

    /// The file's class and arguments, as texts for the canonical file.
    pub(super) fn described(&self) -> Option<Described> {
        let class_name = self.class_name.clone()?;
        let kwargs = Value::Object(self.kwargs.clone()).to_string();
        let args = Value::Array(self.args.clone()).to_string();
        Some(Described { class_name, kwargs, args })
    }

    /// The digest in the metadata of the canonical file: the content's for HTDemucs, whose digests
    /// the catalogue has. For other kinds, SHA-256 over that, a line feed, the class, a line feed and
    /// the arguments, so that stems made with another hop length or segment are not taken for this
    /// network's.
    pub(super) fn identity(&self, content: String) -> String {
        match self.described() {
            Some(described) if described.class_name != HTDEMUCS => {
                let Described { class_name, kwargs, args } = described;
                hex(&Sha256::digest(format!("{content}\n{class_name}\n{kwargs}{args}")))
            }
            _ => content,
        }
    }

    /// SHA-256 of the content in hexadecimal: for each tensor in byte order of the names, the name,
    /// a zero byte, the number of dimensions (u32 LE), the dimensions (u64 LE), the values (f16 LE;
    /// f32 LE where f16 does not hold them).
    pub(super) fn digest(&self, watch: &mut Watch<'_>) -> Result<String> {
        let total = self.bytes();
        let mut done = 0;
        let mut hash = Sha256::new();
        for (name, tensor) in &self.tensors {
            hash.update(before_values(name, &tensor.shape));
            hash.update(tensor.le_bytes());
            done += tensor.bytes();
            watch.report(Step::Checking, done, Some(total))?;
        }
        Ok(hex(&hash.finalize()))
    }
}

/// The bytes before a tensor's values in the digest of a content.
pub(super) fn before_values(name: &str, shape: &[usize]) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.push(0);
    bytes.extend((shape.len() as u32).to_le_bytes());
    bytes.extend(shape.iter().flat_map(|&dimension| (dimension as u64).to_le_bytes()));
    bytes
}

/// The description of a network, as texts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Described {
    /// Name of its class, without its module.
    pub(super) class_name: String,
    /// A JSON object.
    pub(super) kwargs: String,
    /// A JSON list.
    pub(super) args: String,
}

impl Tensor {
    /// A tensor in half precision.
    pub(super) fn half(shape: Vec<usize>, values: Vec<f16>) -> Self {
        Self { shape, values: Values::Half(values) }
    }

    /// Bytes of its values.
    pub(super) fn bytes(&self) -> u64 {
        (self.values.len() * if self.values.is_half() { 2 } else { 4 }) as u64
    }

    /// The values as they are stored, little-endian.
    pub(super) fn le_bytes(&self) -> std::borrow::Cow<'_, [u8]> {
        match &self.values {
            Values::Half(values) if cfg!(target_endian = "little") => {
                bytemuck::cast_slice::<u16, u8>(values.reinterpret_cast()).into()
            }
            Values::Half(values) => {
                values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>().into()
            }
            Values::Single(values) if cfg!(target_endian = "little") => {
                bytemuck::cast_slice::<f32, u8>(values).into()
            }
            Values::Single(values) => {
                values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>().into()
            }
        }
    }
}

impl Values {
    /// Number of values.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Half(values) => values.len(),
            Self::Single(values) => values.len(),
        }
    }

    /// Whether they are in half precision.
    pub(super) fn is_half(&self) -> bool {
        matches!(self, Self::Half(_))
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ignored: std::fmt::Result = write!(text, "{byte:02x}");
        text
    })
}

/// Number of values of a shape from a file; `None` for zero, or for more than `limit`.
pub(super) fn count(shape: &[usize], limit: u64) -> Option<usize> {
    let count = shape.iter().try_fold(1_usize, |n, &dimension| n.checked_mul(dimension))?;
    (count > 0 && count as u64 <= limit).then_some(count)
}

/// Stored type of a value, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dtype {
    F16,
    Bf16,
    F32,
    F64,
}

impl Dtype {
    /// Bytes of one value.
    pub(super) fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The values in half precision where every one is exact there, else in single precision, to
    /// which double precision is rounded, as PyTorch does when it loads a state.
    ///
    /// # Errors
    /// [`Inexact`] for one that is not finite in single precision.
    pub(super) fn values(self, bytes: &[u8]) -> Result<Values, Inexact> {
        if let Ok(halves) = self.to_f16(bytes) {
            return Ok(Values::Half(halves));
        }
        let mut wide = vec![0.0; bytes.len() / self.size()];
        self.widen(bytes, &mut wide);
        match wide.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(Inexact(f64::from(*value))),
            None => Ok(Values::Single(wide)),
        }
    }

    /// The values in half precision, if every one is finite and exact there.
    pub(super) fn to_f16(self, bytes: &[u8]) -> Result<Vec<f16>, Inexact> {
        let mut halves = vec![f16::ZERO; bytes.len() / self.size()];
        let mut wide = [0.0_f32; CHUNK];
        let mut back = [0.0_f32; CHUNK];
        for (halves, bytes) in halves.chunks_mut(CHUNK).zip(bytes.chunks(CHUNK * self.size())) {
            let (wide, back) = (&mut wide[..halves.len()], &mut back[..halves.len()]);
            self.widen(bytes, wide);
            halves.convert_from_f32_slice(wide);
            halves.convert_to_f32_slice(back);
            let exact = |(wide, back): (&f32, &f32)| wide == back && wide.is_finite();
            if let Some(at) = wide.iter().zip(&*back).position(|pair| !exact(pair)) {
                return Err(Inexact(f64::from(wide[at])));
            }
        }
        Ok(halves)
    }

    /// The values, rounded to single precision; `out` has as many as `bytes` holds.
    pub(super) fn widen(self, bytes: &[u8], out: &mut [f32]) {
        let cells = out.iter_mut().zip(bytes.chunks_exact(self.size()));
        match self {
            Self::F16 => {
                for (out, cell) in cells {
                    *out = f16::from_le_bytes([cell[0], cell[1]]).to_f32();
                }
            }
            Self::Bf16 => {
                for (out, cell) in cells {
                    *out = bf16::from_le_bytes([cell[0], cell[1]]).to_f32();
                }
            }
            Self::F32 => {
                for (out, cell) in cells {
                    *out = f32::from_le_bytes([cell[0], cell[1], cell[2], cell[3]]);
                }
            }
            Self::F64 => {
                for (out, cell) in cells {
                    let mut eight = [0; 8];
                    eight.copy_from_slice(cell);
                    *out = f64::from_le_bytes(eight) as f32;
                }
            }
        }
    }
}

/// Values converted at a time.
const CHUNK: usize = 4096;

/// A value that cannot be held exactly.
#[derive(Debug)]
pub(super) struct Inexact(pub(super) f64);

impl Inexact {
    /// The fault, with the tensor named.
    pub(super) fn of(&self, name: &str) -> Fault {
        let (name, value) = (quoted(name).into(), Printable::of(self.0));
        if self.0.is_finite() {
            Malformed::Inexact { name, value }.into()
        } else {
            Malformed::NotANumber { name, value }.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::samples;

    #[test]
    fn the_digest_follows_the_written_rule() {
        // Two tensors, added in the wrong order; the expected bytes are written out below.
        let mut checkpoint = Checkpoint::default();
        let tensor = |shape: &[usize], values: &[f32]| {
            Tensor::half(shape.to_vec(), values.iter().map(|&v| f16::from_f32(v)).collect())
        };
        checkpoint.insert("b".into(), tensor(&[], &[1.0])).unwrap();
        checkpoint.insert("a.w".into(), tensor(&[2, 1], &[-2.0, 0.5])).unwrap();
        let mut plain = b"a.w\0\x02\0\0\0".to_vec();
        plain.extend([2_u64.to_le_bytes(), 1_u64.to_le_bytes()].concat());
        plain.extend([0x00, 0xc0, 0x00, 0x38]);
        plain.extend(b"b\0\0\0\0\0\x00\x3c");
        let digest = samples::unwatched(|watch| checkpoint.digest(watch).unwrap());
        assert_eq!(digest, hex(&Sha256::digest(&plain)));
    }

    #[test]
    fn a_duplicate_name_is_refused() {
        let mut checkpoint = Checkpoint::default();
        let tensor = Tensor::half(vec![0], Vec::new());
        checkpoint.insert("a".into(), tensor.clone()).unwrap();
        assert!(checkpoint.insert("a".into(), tensor).is_err());
    }

    #[test]
    fn every_half_survives_every_type() {
        let halves: Vec<f16> =
            (0..=u16::MAX).map(f16::from_bits).filter(|h| h.is_finite()).collect();
        let f32s: Vec<u8> = halves.iter().flat_map(|h| h.to_f32().to_le_bytes()).collect();
        let f64s: Vec<u8> = halves.iter().flat_map(|h| h.to_f64().to_le_bytes()).collect();
        let f16s: Vec<u8> = halves.iter().flat_map(|h| h.to_le_bytes()).collect();
        assert_eq!(Dtype::F32.to_f16(&f32s).unwrap(), halves);
        assert_eq!(Dtype::F64.to_f16(&f64s).unwrap(), halves);
        assert_eq!(Dtype::F16.to_f16(&f16s).unwrap(), halves);
        assert_eq!(
            Dtype::Bf16.to_f16(&bf16::from_f32(-0.75).to_le_bytes()).unwrap()[0].to_f32(),
            -0.75
        );
    }

    #[test]
    fn values_beyond_half_precision_stay_single() {
        let bytes: Vec<u8> = [0.5_f32, 0.1].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(Dtype::F32.values(&bytes).unwrap(), Values::Single(vec![0.5, 0.1]));
        assert!(Dtype::F32.values(&0.5_f32.to_le_bytes()).unwrap().is_half());
        assert!(Dtype::F32.values(&f32::NAN.to_le_bytes()).is_err());
        assert_eq!(Dtype::F64.values(&0.1_f64.to_le_bytes()).unwrap(), Values::Single(vec![0.1]));
        assert!(Dtype::F64.values(&1e300_f64.to_le_bytes()).is_err());
        let tensor = Tensor { shape: vec![2], values: Dtype::F32.values(&bytes).unwrap() };
        assert_eq!((tensor.le_bytes().as_ref(), tensor.bytes()), (bytes.as_slice(), 8));
    }

    #[test]
    fn values_beyond_half_precision_are_refused_as_half() {
        for value in [0.1_f32, 65520.0, 1e-9, f32::NAN, f32::INFINITY] {
            assert!(Dtype::F32.to_f16(&value.to_le_bytes()).is_err(), "{value}");
        }
        assert!(Dtype::F64.to_f16(&(0.5_f64 + 1e-6).to_le_bytes()).is_err());
        assert!(Dtype::F16.to_f16(&f16::NAN.to_le_bytes()).is_err());
    }
}
