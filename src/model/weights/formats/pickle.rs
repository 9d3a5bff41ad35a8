//! A reader for the pickles inside PyTorch's checkpoints. It executes nothing.
//!
//! A pickle is a program for a small stack machine, which can call any function of Python. This
//! reader supports the instructions that plain data and tensors need, and the names in
//! [`Name::known`]. An object of any other name becomes an opaque node, whose use is an error:
//! training checkpoints hold many such objects beside the network's state. The result is a flat list
//! of nodes that refer to each other by index. Depth, cycles and sharing cost nothing: every
//! instruction adds at most one node, and the nodes are limited.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use crate::model::{
    findings::Malformed,
    weights::{
        checkpoint::Dtype,
        error::{Fault, Result, quoted},
    },
};

/// Largest length of a storage's key or of a fraction. They are copied, so that long ones could
/// fill the memory.
const NAME_LIMIT: usize = 64;

/// Limit on the nodes of a pickle. The state of 13,000 tensors with an optimiser's three values for
/// each has a million.
const NODE_LIMIT: usize = 1 << 21;

/// Index of a node.
pub(super) type Id = usize;

/// A value that a pickle built.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Name(Name),
    /// `fractions.Fraction`, as a text such as "39/5".
    Fraction(String),
    /// Values in an entry of the archive, by its name. `None`: not floating-point values.
    Storage {
        dtype: Option<Dtype>,
        key: Box<str>,
    },
    /// Boxed, because a hostile file may have a million small nodes.
    Tensor(Box<View>),
    /// An object that is not built, by the name of its class or function, or a description.
    Opaque(Rc<str>),
}

/// A tensor: part of a storage. Lengths in values, not bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct View {
    /// `None`: not floating-point values.
    pub(super) dtype: Option<Dtype>,
    /// Entry of the archive.
    pub(super) key: Box<str>,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// The Python names that a pickle may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    OrderedDict,
    Fraction,
    RebuildTensor,
    /// A parameter, made of a tensor.
    RebuildParameter,
    Storage(Option<Dtype>),
    /// A network's class, by its name.
    Class(Rc<str>),
}

impl Name {
    fn known(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("fractions", "Fraction") => Self::Fraction,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "HalfStorage") => Self::Storage(Some(Dtype::F16)),
            ("torch", "BFloat16Storage") => Self::Storage(Some(Dtype::Bf16)),
            ("torch", "FloatStorage") => Self::Storage(Some(Dtype::F32)),
            ("torch", "DoubleStorage") => Self::Storage(Some(Dtype::F64)),
            (
                "torch",
                "LongStorage" | "IntStorage" | "ShortStorage" | "CharStorage" | "ByteStorage"
                | "BoolStorage",
            ) => Self::Storage(None),
            ("demucs.htdemucs", "HTDemucs")
            | ("demucs.hdemucs", "HDemucs")
            | ("demucs.demucs", "Demucs") => Self::Class(name.into()),
            _ => return None,
        })
    }
}

/// The values of a pickle.
#[derive(Debug)]
pub(in crate::model::weights) struct Pickle {
    nodes: Vec<Node>,
    root: Id,
}

impl Pickle {
    pub(super) fn root(&self) -> &Node {
        &self.nodes[self.root]
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// The value of a text key; the last one, as in Python.
    pub(super) fn get(&self, dict: &Node, key: &str) -> Option<&Node> {
        let Node::Dict(entries) = dict else { return None };
        let is_key = |id: Id| matches!(self.node(id), Node::Text(text) if text == key);
        entries.iter().rev().find(|(id, _)| is_key(*id)).map(|(_, value)| self.node(*value))
    }
}

/// Runs the stack machine over a pickle of protocol 2, the one that PyTorch writes.
pub(in crate::model::weights) fn parse(program: &[u8]) -> Result<Pickle> {
    let mut machine = Machine { program, length: program.len(), ..Machine::default() };
    while let Some(opcode) = machine.next_opcode()? {
        machine.step(opcode)?;
    }
    let root = machine.pop()?;
    Ok(Pickle { nodes: machine.nodes, root })
}

#[derive(Default)]
struct Machine<'a> {
    program: &'a [u8],
    /// Bytes of the whole program.
    length: usize,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// Heights of the stack at the open marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    /// The names of opaque nodes, each once.
    names: HashSet<Rc<str>>,
}

impl<'a> Machine<'a> {
    /// `None` at the end of the program.
    fn next_opcode(&mut self) -> Result<Option<u8>> {
        let [opcode] = self.array()?;
        Ok((opcode != b'.').then_some(opcode))
    }

    /// One instruction: those that push a new value here, those that use the stack in
    /// [`Self::act`].
    fn step(&mut self, opcode: u8) -> Result<()> {
        let node = match opcode {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'K' => Node::Int(u8::from_le_bytes(self.array()?).into()),
            b'M' => Node::Int(u16::from_le_bytes(self.array()?).into()),
            b'J' => Node::Int(i32::from_le_bytes(self.array()?).into()),
            0x8a => self.long()?,
            b'G' => Node::Float(f64::from_be_bytes(self.array()?)),
            b'X' => Node::Text(self.text()?),
            b'c' => self.global()?,
            b')' => Node::Tuple(Vec::new()),
            b']' => Node::List(Vec::new()),
            b'}' => Node::Dict(Vec::new()),
            0x85..=0x87 => Node::Tuple(self.pop_many(usize::from(opcode) - 0x84)?),
            b't' => Node::Tuple(self.pop_mark()?),
            b'Q' => self.storage()?,
            b'R' => self.call()?,
            0x81 => self.object()?,
            other => return self.act(other),
        };
        if self.nodes.len() >= NODE_LIMIT {
            return Err(Malformed::PickleValues { limit: NODE_LIMIT }.into());
        }
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
        Ok(())
    }

    fn act(&mut self, opcode: u8) -> Result<()> {
        match opcode {
            0x80 => self.protocol(),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'a' => self.pop().and_then(|item| self.append(vec![item])),
            b'e' => self.pop_mark().and_then(|items| self.append(items)),
            b's' => self.pop_many(2).and_then(|items| self.set_items(&items)),
            b'u' => self.pop_mark().and_then(|items| self.set_items(&items)),
            b'q' => self.array().and_then(|[slot]| self.memorise(slot.into())),
            b'r' => self.array().and_then(|slot| self.memorise(u32::from_le_bytes(slot))),
            b'h' => self.array().and_then(|[slot]| self.recall(slot.into())),
            b'j' => self.array().and_then(|slot| self.recall(u32::from_le_bytes(slot))),
            b'b' => self.build(),
            other => {
                let at = self.length - self.program.len() - 1;
                Err(Malformed::PickleCode { code: format!("0x{other:02x}").into(), at }.into())
            }
        }
    }

    fn protocol(&mut self) -> Result<()> {
        match self.array()? {
            [2] => Ok(()),
            [other] => Err(Malformed::PickleProtocol { protocol: other.into() }.into()),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let split = self.program.split_at_checked(count);
        let (taken, rest) = split.ok_or(Malformed::PickleCutOff)?;
        self.program = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Takes the top of the stack, which may not lie below an open mark.
    fn pop(&mut self) -> Result<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(damaged());
        }
        self.stack.pop().ok_or_else(damaged)
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>> {
        let height = self.marks.pop().ok_or_else(damaged)?;
        Ok(self.stack.split_off(height))
    }

    fn top(&mut self) -> Result<&mut Node> {
        let id = *self.stack.last().ok_or_else(damaged)?;
        Ok(&mut self.nodes[id])
    }

    /// A whole number of up to 255 bytes; an opaque node if it exceeds 64 bits.
    fn long(&mut self) -> Result<Node> {
        let [length] = self.array()?;
        let digits = self.take(length.into())?;
        if digits.len() > 8 {
            return Ok(Node::Opaque("a number of more than 64 bits".into()));
        }
        let negative = digits.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut extended = [if negative { 0xff } else { 0 }; 8];
        extended[..digits.len()].copy_from_slice(digits);
        Ok(Node::Int(i64::from_le_bytes(extended)))
    }

    /// A name; an opaque node for one that is not known.
    fn global(&mut self) -> Result<Node> {
        let (module, name) = (self.line()?, self.line()?);
        if let Some(known) = Name::known(module, name) {
            return Ok(Node::Name(known));
        }
        let full = format!("{}.{}", quoted(module), quoted(name));
        if let Some(known) = self.names.get(full.as_str()) {
            return Ok(Node::Opaque(Rc::clone(known)));
        }
        let full: Rc<str> = full.into();
        self.names.insert(Rc::clone(&full));
        Ok(Node::Opaque(full))
    }

    fn text(&mut self) -> Result<String> {
        let length = u32::from_le_bytes(self.array()?);
        let text = std::str::from_utf8(self.take(length as usize)?).map_err(|_| damaged())?;
        Ok(text.to_owned())
    }

    fn line(&mut self) -> Result<&'a str> {
        let length = self.program.iter().position(|&byte| byte == b'\n').ok_or_else(damaged)?;
        let line = self.take(length + 1)?;
        std::str::from_utf8(&line[..length]).map_err(|_| damaged())
    }

    /// The topmost values, in the order in which they were pushed.
    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>>>()?;
        items.reverse();
        Ok(items)
    }

    fn append(&mut self, items: Vec<Id>) -> Result<()> {
        match self.top()? {
            Node::List(list) => {
                list.extend(items);
                Ok(())
            }
            Node::Opaque(_) => Ok(()),
            _ => Err(damaged()),
        }
    }

    fn set_items(&mut self, items: &[Id]) -> Result<()> {
        let (pairs, rest) = items.as_chunks::<2>();
        match self.top()? {
            Node::Dict(dict) if rest.is_empty() => {
                dict.extend(pairs.iter().map(|&[key, value]| (key, value)));
                Ok(())
            }
            Node::Opaque(_) => Ok(()),
            _ => Err(damaged()),
        }
    }

    fn memorise(&mut self, slot: u32) -> Result<()> {
        let id = *self.stack.last().ok_or_else(damaged)?;
        self.memo.insert(slot, id);
        Ok(())
    }

    fn recall(&mut self, slot: u32) -> Result<()> {
        let id = *self.memo.get(&slot).ok_or_else(damaged)?;
        self.stack.push(id);
        Ok(())
    }

    /// PyTorch's "persistent" object: `("storage", class, key, device, length)`.
    fn storage(&mut self) -> Result<Node> {
        let id = self.pop()?;
        match self.items(id) {
            Some([_, Node::Opaque(class), _, _, _]) => Ok(Node::Opaque(Rc::clone(class))),
            Some([Node::Text(kind), Node::Name(Name::Storage(dtype)), Node::Text(key), _, _])
                if kind == "storage" && key.len() <= NAME_LIMIT =>
            {
                Ok(Node::Storage { dtype: *dtype, key: key.as_str().into() })
            }
            _ => Err(damaged()),
        }
    }

    /// The supported calls: an empty ordered dictionary, a fraction, a tensor, a parameter. The
    /// result of any other function is opaque.
    fn call(&mut self) -> Result<Node> {
        let arguments = self.pop()?;
        let function = self.pop()?;
        let function = match &self.nodes[function] {
            Node::Name(function) => function,
            Node::Opaque(name) => return Ok(Node::Opaque(Rc::clone(name))),
            _ => return Err(damaged()),
        };
        match function {
            Name::OrderedDict => match self.items::<0>(arguments) {
                Some([]) => Ok(Node::Dict(Vec::new())),
                // With its entries, as Python's own pickles write it.
                None => Ok(Node::Opaque("collections.OrderedDict".into())),
            },
            Name::Fraction => self.fraction(arguments),
            Name::RebuildTensor => self.tensor(arguments),
            Name::RebuildParameter => self.parameter(arguments),
            Name::Class(name) => Ok(Node::Opaque(Rc::clone(name))),
            Name::Storage(_) => Err(damaged()),
        }
    }

    /// The tensor of a parameter: the first of its arguments.
    fn parameter(&self, arguments: Id) -> Result<Node> {
        let Node::Tuple(items) = &self.nodes[arguments] else { return Err(damaged()) };
        match items.first().map(|id| &self.nodes[*id]) {
            Some(Node::Tensor(view)) => Ok(Node::Tensor(view.clone())),
            Some(Node::Opaque(name)) => Ok(Node::Opaque(Rc::clone(name))),
            _ => Err(damaged()),
        }
    }

    /// A new object of a class, which stays opaque.
    fn object(&mut self) -> Result<Node> {
        let _arguments = self.pop()?;
        let class = self.pop()?;
        match &self.nodes[class] {
            Node::Opaque(name) | Node::Name(Name::Class(name)) => Ok(Node::Opaque(Rc::clone(name))),
            Node::Name(Name::OrderedDict) => Ok(Node::Dict(Vec::new())),
            _ => Err(damaged()),
        }
    }

    /// Attributes of an object, which are ignored.
    fn build(&mut self) -> Result<()> {
        self.pop()?;
        match self.top()? {
            Node::Dict(_) | Node::Opaque(_) | Node::Tensor(_) => Ok(()),
            _ => Err(damaged()),
        }
    }

    /// The items of a tuple of `N`.
    fn items<const N: usize>(&self, tuple: Id) -> Option<[&Node; N]> {
        let Node::Tuple(items) = &self.nodes[tuple] else { return None };
        let items: [Id; N] = items.as_slice().try_into().ok()?;
        Some(items.map(|id| &self.nodes[id]))
    }

    /// Python writes a fraction as its two parts or, before 3.11, as a text.
    fn fraction(&self, arguments: Id) -> Result<Node> {
        if let Some([Node::Int(numerator), Node::Int(denominator)]) = self.items(arguments) {
            return Ok(Node::Fraction(format!("{numerator}/{denominator}")));
        }
        match self.items(arguments) {
            Some([Node::Text(text)]) if text.len() <= NAME_LIMIT => {
                Ok(Node::Fraction(text.clone()))
            }
            _ => Err(damaged()),
        }
    }

    /// `(storage, offset, shape, strides, requires_grad, hooks)`; newer files may add one more.
    fn tensor(&self, arguments: Id) -> Result<Node> {
        let Node::Tuple(items) = &self.nodes[arguments] else { return Err(damaged()) };
        let [storage, offset, shape, strides, ..] = items[..] else { return Err(damaged()) };
        let (dtype, key) = match &self.nodes[storage] {
            Node::Storage { dtype, key } => (*dtype, key.clone()),
            Node::Opaque(class) => return Ok(Node::Opaque(Rc::clone(class))),
            _ => return Err(damaged()),
        };
        let (offset, shape) = (self.size(offset)?, self.sizes(shape)?);
        let view = View { dtype, key, offset, shape, strides: self.sizes(strides)? };
        if view.shape.len() == view.strides.len() {
            Ok(Node::Tensor(Box::new(view)))
        } else {
            Err(damaged())
        }
    }

    fn size(&self, id: Id) -> Result<usize> {
        match self.nodes[id] {
            Node::Int(value) => usize::try_from(value).map_err(|_| damaged()),
            _ => Err(damaged()),
        }
    }

    fn sizes(&self, tuple: Id) -> Result<Vec<usize>> {
        let Node::Tuple(items) = &self.nodes[tuple] else { return Err(damaged()) };
        if items.len() > 8 {
            return Err(Malformed::Dimensions.into());
        }
        items.iter().map(|&id| self.size(id)).collect()
    }
}

fn damaged() -> Fault {
    Malformed::Pickle.into()
}
